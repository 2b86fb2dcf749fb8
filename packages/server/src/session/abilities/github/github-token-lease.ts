/** How long a GitHub token that a client gave is good. */
import { Slot } from "../../open/slot.ts";

export interface GitHubTokenLease {
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The request for the next one, while it is on its way. */
  refreshing?: Promise<void>;
}

/** Filled while the session's GitHub token is one that a client gave when it was asked. */
export const gitHubTokenLease = new Slot<GitHubTokenLease>();
