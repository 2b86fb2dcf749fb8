/** Who is behind a connection. */
export interface Principal {
  /** Sessions belong to a tenant; others cannot see them. */
  readonly tenant: string;
}

/** The tenant of a server that knows only one. */
export const DEFAULT_TENANT = "default";
