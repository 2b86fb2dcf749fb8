/** The todos that a session's model keeps in its database, as clients are shown them. */

export interface SessionTodos {
  /** In the order of their creation. What a row does not say is left out. */
  readonly rows: readonly {
    readonly id?: string;
    readonly title?: string;
    readonly description?: string;
    readonly status?: string;
    /** `YYYY-MM-DD HH:MM:SS` in UTC, unless the model wrote something else. */
    readonly createdAt?: string;
  }[];
  readonly dependencies: readonly { readonly todoId: string; readonly dependsOn: string }[];
}
