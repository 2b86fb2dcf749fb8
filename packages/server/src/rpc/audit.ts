/** The audit says who did what: one entry for each call that may change something, and for each attempt to connect. */
import { RpcError } from "@rightseat/protocol";

export interface AuditEntry {
  readonly connection: string;
  readonly remoteAddress: string | undefined;
  /** Undefined when nobody was admitted. */
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly role: string | undefined;
  readonly method: string;
  readonly sessionId: string | undefined;
  /** "ok", or the reason of the error. Never what was said or answered. */
  readonly outcome: string;
  readonly durationMs: number;
}

/** About as often as the audit log tries again itself. */
const RETRY_AFTER_MS = 2_000;

/** Where entries go. Must not throw. */
export type Audit = (entry: AuditEntry) => void;

/** The answer to a call that has to be audited, while it cannot be. */
export function auditUnavailable(method: string, why: string): RpcError {
  return new RpcError(
    "audit_unavailable",
    `${method} was not carried out: the audit log takes no entries (${why}). Try again later.`,
    { method, retryAfterMs: RETRY_AFTER_MS },
  );
}

/** Carries a call out and tells how it ended. */
export function audited(run: () => unknown, tell: (outcome: string, durationMs: number) => void): unknown {
  const begunMs = performance.now();
  const end = (outcome: string) => tell(outcome, performance.now() - begunMs);
  const failed = (error: unknown): never => {
    end(error instanceof RpcError ? error.reason : "internal_error");
    throw error;
  };
  let answer: unknown;
  try {
    answer = run();
  } catch (error) {
    return failed(error);
  }
  if (!(answer instanceof Promise)) {
    end("ok");
    return answer;
  }
  return answer.then((result: unknown) => {
    end("ok");
    return result;
  }, failed);
}
