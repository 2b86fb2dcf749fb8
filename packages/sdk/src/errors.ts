/** What can go wrong besides an error of the server's own, which is a `RemoteError`. */
import { ConnectionClosedError, RemoteError } from "@rightseat/protocol";

export { RemoteError };

/** The server cannot be reached, or the connection was lost. `cause` is the last reason. */
export class ConnectionError extends Error {
  /** True when the server may have carried the call out although no answer came. */
  readonly maybeDone: boolean;
  constructor(message: string, options: ErrorOptions & { maybeDone?: boolean } = {}) {
    super(message, options);
    this.name = "ConnectionError";
    this.maybeDone = options.maybeDone ?? false;
  }
}

/** A call did not end before its deadline. */
export class DeadlineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TimeoutError";
  }
}

/** Whether an error says that the connection went, rather than that the server refused. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof ConnectionError;
}

/** The stable reason of a Rightseat server's error, as `docs/errors.md` lists them. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof RemoteError)) return undefined;
  const reason = (error.data as { reason?: unknown } | null | undefined)?.reason;
  return typeof reason === "string" ? reason : undefined;
}

export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
