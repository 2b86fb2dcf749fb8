/** What clients are told when a session cannot be had. */
import { RpcError } from "@rightseat/protocol";
import type { SessionKey } from "../../store/session-key.ts";
import { StoreError } from "../../store/store-error.ts";

export function sessionNotFound(key: SessionKey): RpcError {
  return new RpcError(
    "session_not_found",
    `Session not found: ${key.sessionId}. Resume it with session.resume, or create it.`,
    {
      sessionId: key.sessionId,
    },
  );
}

export function sessionExists(key: SessionKey): RpcError {
  return new RpcError(
    "session_exists",
    `Session already exists: ${key.sessionId}. Resume it with session.resume, or create one with another id.`,
    {
      sessionId: key.sessionId,
    },
  );
}

/** What a method may throw for an error of the store; anything else as it is. */
export function toSessionError(error: unknown, key: SessionKey): unknown {
  if (!(error instanceof StoreError)) return error;
  switch (error.kind) {
    case "not-found":
      return sessionNotFound(key);
    case "conflict":
      return new RpcError(
        "session_in_use",
        `Session in use: ${key.sessionId}. ${error.message}`,
        { sessionId: key.sessionId },
        { cause: error },
      );
    case "invalid-key":
      return new RpcError("invalid_params", error.message, { path: "sessionId" }, { cause: error });
    default:
      return new RpcError(
        "storage_unavailable",
        error.message,
        { sessionId: key.sessionId },
        { cause: error },
      );
  }
}
