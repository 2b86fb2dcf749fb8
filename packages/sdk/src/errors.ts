/** Errors of the client. An error of the server is a `RemoteError`. */
import { ConnectionClosedError, FramingError, RemoteError } from "@rightseat/protocol";

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
  /** True when the server may have carried the call out, or will. */
  readonly maybeDone?: boolean;
  constructor(message: string) {
    super(message);
    this.name = "TimeoutError";
  }
}

/** A prompt was taken out of the session's queue before its turn: it was not carried out, and will not be. */
export class PromptRemovedError extends Error {
  readonly messageId: string;
  constructor(messageId: string) {
    super(`the prompt ${messageId} was taken out of the session's queue before its turn`);
    this.name = "PromptRemovedError";
    this.messageId = messageId;
  }
}

/** Whether an error says that the connection went, rather than that the server refused. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return true;
  // A message that cannot be read will not become readable by asking again.
  return error instanceof ConnectionError && !(error.cause instanceof FramingError);
}

/** The stable reason of a Rightseat server's error, as `docs/errors.md` lists them. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof RemoteError)) return undefined;
  const reason = (error.data as { reason?: unknown } | null | undefined)?.reason;
  return typeof reason === "string" ? reason : undefined;
}

/** Turns any thrown value into an Error with a text message. Never throws. */
export function toError(value: unknown): Error {
  const message = messageOf(value);
  if (isError(value) && readMessage(value) === message) return value;
  return new Error(message, { cause: value });
}

/** Says to who gets the error that the server may have carried the call out. */
export function markMaybeDone(error: unknown): void {
  try {
    (error as { maybeDone?: boolean }).maybeDone = true;
  } catch {
    // A frozen reason of the application's own, or no object.
  }
}

/** What there is to say of whatever was thrown. */
function messageOf(value: unknown): string {
  if (isError(value)) {
    const message = readMessage(value);
    return typeof message === "string" ? message : `an error without a message (${typeof message})`;
  }
  try {
    return String(value);
  } catch {
    return `something that is no error and cannot be shown (${typeof value})`;
  }
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function readMessage(error: Error): unknown {
  try {
    return error.message;
  } catch {
    return undefined;
  }
}
