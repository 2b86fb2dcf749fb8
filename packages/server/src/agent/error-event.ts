/** What clients are told of a run that failed. */
import { type ErrorReason, RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import type { RunFailure } from "../hooks/run-hooks.ts";
import { ModelError, type ModelErrorKind } from "../models/model-provider.ts";

const ERROR_TYPES: Record<ModelErrorKind, string> = {
  "rate-limit": "rate_limit",
  quota: "quota",
  authentication: "authentication",
  "invalid-request": "query",
  "context-length": "context_limit",
  "not-found": "query",
  server: "query",
  network: "query",
  timeout: "query",
  "answer-too-large": "query",
};

const REASON_TYPES: Partial<Record<ErrorReason, string>> = {
  authentication_failed: "authentication",
  session_limit_reached: "quota",
};

export function errorEvent(error: unknown): SessionEventDataMap["session.error"] {
  if (error instanceof ModelError) {
    return {
      errorType: ERROR_TYPES[error.kind],
      message: error.message,
      ...(error.status !== undefined ? { statusCode: error.status } : {}),
      ...(error.errorCode !== undefined ? { errorCode: error.errorCode } : {}),
      ...(error.requestId !== undefined ? { providerCallId: error.requestId } : {}),
    };
  }
  if (error instanceof RpcError) {
    return {
      errorType: REASON_TYPES[error.reason] ?? "query",
      errorCode: error.reason,
      message: error.message,
    };
  }
  // A bug: the server's log has the stack, clients get none.
  return {
    errorType: "internal",
    message: "the run failed with an internal error; the server's log has the details",
  };
}

/** What hooks are told of it: the same as clients. */
export function toFailure(error: unknown): RunFailure {
  const { message } = errorEvent(error);
  if (error instanceof ModelError) return { message, context: "model_call", recoverable: error.retryable };
  const isSetUp = error instanceof RpcError && error.reason !== "storage_unavailable";
  return { message, context: isSetUp ? "model_call" : "system", recoverable: false };
}
