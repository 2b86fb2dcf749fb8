/** How long a GitHub token that a client gave is good. */

export interface GitHubTokenLease {
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The request for the next one, while it is on its way. */
  refreshing?: Promise<void>;
}
