/** What a tenant keeps beside its sessions: documents, each a text of some kilobytes. */

export interface DocumentText {
  readonly text: string;
  /** Another one for each text that is kept. */
  readonly version: string;
}

export interface TenantDocument {
  /** The version that is kept now; undefined without one. Cheap. */
  version(): Promise<string | undefined>;

  /** @throws StoreError `corrupt` for something that is no text of a bearable size. */
  read(): Promise<DocumentText | undefined>;

  /**
   * Replaces the text by what `edit` makes of it. One change after the other, by whatever node: each gets what the last
   * one made. `edit` may be called again, and changes nothing else; when it throws nothing is changed.
   */
  change(edit: (text: string | undefined) => string): Promise<DocumentText>;
}

/** `permissions`: what was allowed for longer than a session. */
export type TenantDocumentName = "permissions";

export interface TenantStore {
  /** @throws StoreError `invalid-key`. */
  document(tenant: string, name: TenantDocumentName): TenantDocument;
}
