/** What a server asks about installations, and the answers of a human. */

import type { InstallationConfirmationRequest } from "@rightseat/protocol";
import { callSafely, type Warn } from "./callbacks.ts";
import type { InstallationCancellation, InstallationConfirmationHandler } from "./types/client-options.ts";

const DECISIONS: ReadonlySet<unknown> = new Set(["confirm", "decline", "cancel"]);

/** @throws Error when nobody can be asked, and for an answer that is none; nothing is confirmed then. */
export async function confirmInstallation(
  handler: InstallationConfirmationHandler | undefined,
  request: InstallationConfirmationRequest,
  signal: AbortSignal,
  warn: Warn,
) {
  if (!handler) throw new Error("installations.confirm: the client has no installationConfirmationHandler");
  const { confirmationId, reviewFingerprint } = request;
  const decision: unknown = await handler(request, toCancellation(signal, warn));
  if (!DECISIONS.has(decision))
    throw new Error(
      `expected "confirm", "decline" or "cancel" of installationConfirmationHandler, got ${String(decision)}`,
    );
  return { confirmationId, reviewFingerprint, decision };
}

function toCancellation(signal: AbortSignal, warn: Warn): InstallationCancellation {
  return {
    get isCancellationRequested() {
      return signal.aborted;
    },
    onCancellationRequested: (listener) => {
      const tell = () =>
        callSafely(listener, (error) =>
          warn("a listener of installationConfirmationHandler failed", { error }),
        );
      if (signal.aborted) queueMicrotask(tell);
      else signal.addEventListener("abort", tell, { once: true });
      return { dispose: () => signal.removeEventListener("abort", tell) };
    },
  };
}
