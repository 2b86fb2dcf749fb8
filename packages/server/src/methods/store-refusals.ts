/**
 * What the store refuses reaches clients as a typed error, whichever method it was: a session that another
 * client deletes is gone in the middle of a call, and a disk may be full at any time.
 */
import { toSessionError } from "../session/log/session-errors.ts";
import type { CheckedMethods, Scope } from "./method.ts";

export function withStoreRefusals(methods: CheckedMethods): CheckedMethods {
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      (params: { readonly sessionId?: unknown }, scope: Scope) => {
        const answer = method(params, scope);
        if (!(answer instanceof Promise)) return answer;
        return answer.catch((error: unknown) => {
          const sessionId = typeof params.sessionId === "string" ? params.sessionId : "";
          throw toSessionError(error, { tenant: scope.principal.tenant, sessionId });
        });
      },
    ]),
  );
}
