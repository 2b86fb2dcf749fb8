/**
 * Which paths the tools of a session may touch at all, whatever was allowed: not the server's home, where other
 * sessions and other tenants keep theirs, but for the session's own folders; and nothing outside the tenant's root.
 */
export type Access = "read" | "write";

export interface Reach {
  /** Why a path may not be used so, in a sentence; undefined when it may. @param canonical without links. */
  refuses(canonical: string, access: Access): string | undefined;
  /** A folder that searches and lists which begin above it leave out. Canonical. */
  readonly hidden: string;
}
