/** Documents that a tenant keeps beside its sessions, each a text of some kilobytes. */

export interface DocumentText {
  readonly text: string;
  /** A different version for each stored text. */
  readonly version: string;
}

export interface TenantDocument {
  /** The version of the stored text; undefined without a text. Cheap. */
  version(): Promise<string | undefined>;

  /** @throws StoreError `corrupt` when the document is not a text, or is too large. */
  read(): Promise<DocumentText | undefined>;

  /**
   * Replaces the text by the result of `edit`. Changes of all nodes are made one after the other: each gets the text that the last
   * one made. `edit` may be called again, and must change nothing else. When it throws, the text stays.
   */
  change(edit: (text: string | undefined) => string): Promise<DocumentText>;
}

/** `permissions`: permissions that hold for longer than a session. */
export type TenantDocumentName = "permissions";

export interface TenantStore {
  /** @throws StoreError `invalid-key`. */
  document(tenant: string, name: TenantDocumentName): TenantDocument;
}
