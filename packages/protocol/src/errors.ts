/**
 * Errors of the wire: JSON-RPC codes, and the stable reasons that a program may act on.
 */

/** JSON-RPC 2.0 codes, and the ones of the Language Server Protocol that clients' libraries know. */
export const ErrorCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Ours: the request was understood and refused; `data.reason` says why. */
  refused: -32000,
  requestCancelled: -32800,
} as const;

/** Why a request failed, for programs. Stable: a name is never reused with another meaning. */
export type ErrorReason =
  | "parse_error"
  | "frame_too_large"
  | "invalid_request"
  | "method_not_found"
  | "not_supported"
  | "invalid_params"
  | "internal_error"
  | "request_cancelled"
  | "authentication_failed"
  | "forbidden"
  | "limit_exceeded"
  | "session_not_found"
  | "session_exists"
  | "session_in_use"
  | "session_busy"
  | "session_idle"
  | "event_not_found"
  | "nothing_to_compact"
  | "session_limit_reached"
  | "run_failed"
  | "no_provider"
  | "model_not_found"
  | "provider_rejected"
  | "denied_by_policy"
  | "shutting_down"
  | "connection_overloaded"
  | "storage_unavailable"
  | "audit_unavailable";

export interface RpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly reason: ErrorReason; readonly [field: string]: unknown };
}

const CODES: Partial<Record<ErrorReason, number>> = {
  parse_error: ErrorCode.parseError,
  frame_too_large: ErrorCode.invalidRequest,
  invalid_request: ErrorCode.invalidRequest,
  method_not_found: ErrorCode.methodNotFound,
  not_supported: ErrorCode.methodNotFound,
  invalid_params: ErrorCode.invalidParams,
  internal_error: ErrorCode.internalError,
  request_cancelled: ErrorCode.requestCancelled,
};

/** A mistake of a client, or a request that we refuse. Methods throw it; it becomes the error of the answer. */
export class RpcError extends Error {
  readonly reason: ErrorReason;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(
    reason: ErrorReason,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RpcError";
    this.reason = reason;
    this.data = data;
  }
  get code(): number {
    return CODES[this.reason] ?? ErrorCode.refused;
  }
  toBody(): RpcErrorBody {
    return { code: this.code, message: this.message, data: { ...this.data, reason: this.reason } };
  }
}

/** An error answer of the other side to a request of ours. */
export class RemoteError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = "RemoteError";
    this.code = code;
    this.data = data;
  }
}

/** The connection ended before the answer came. */
export class ConnectionClosedError extends Error {
  constructor(message = "the connection closed before the answer came") {
    super(message);
    this.name = "ConnectionClosedError";
  }
}
