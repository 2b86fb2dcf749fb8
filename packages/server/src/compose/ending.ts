/** How the node ends: no new work, running turns get their grace, sessions are closed. */
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { ServerContext } from "./server-context.ts";

export interface Ending {
  /** Ends the node; more than one call is one. Running turns may go on for no longer than is said, and set. @returns false when the store stopped answering meanwhile. */
  begin(mostGraceMs?: number): Promise<boolean>;
  /** Ends the node for a client, who is to have its answer before anything is closed. */
  request(): Promise<void>;
  /** Settles when a client asked for the end, and all sessions are closed. */
  readonly requested: Promise<void>;
}

export function createEnding({ announcements, config }: ServerContext, registry: SessionRegistry): Ending {
  let underWay: Promise<boolean> | undefined;
  const begin = (mostGraceMs = Number.POSITIVE_INFINITY) => {
    if (!underWay) {
      announcements.announce("node-stopping", {});
      underWay = registry.shutdown(Math.min(config.shutdownGrace * 1000, mostGraceMs));
    }
    return underWay;
  };
  let tellRequested: () => void = () => undefined;
  const requested = new Promise<void>((resolve) => {
    tellRequested = resolve;
  });
  return {
    begin,
    request: async () => {
      await begin();
      // Once the answer is on its way: nothing is closed before what was said is sent.
      setImmediate(tellRequested);
    },
    requested,
  };
}
