/** What applications say and are told of the connection; apart from it, so that its types name nothing else. */

/** What a connection is doing; `error` when connecting was given up. */
export type LinkState = "disconnected" | "connecting" | "connected" | "error";

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /** Upper bound of the first wait between attempts, in milliseconds; default 50. Waits are random below their bound. */
  readonly initialDelayMs?: number;
  /** Bound that no wait exceeds, in milliseconds; default 5000. */
  readonly maxDelayMs?: number;
  /** Milliseconds after which calls that wait for a connection reject, and sessions are given up; default 60,000. */
  readonly giveUpAfterMs?: number;
}

/**
 * The secret that the server expects of its clients, or what gets one: called for every connection, so
 * that it may change. `rejected` is true when the server has just refused the one before.
 */
export type ConnectionToken = string | ((context: { rejected: boolean }) => string | Promise<string>);
