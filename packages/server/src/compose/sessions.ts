/** The open sessions of this node. */
import type { Governor } from "../limits/governor.ts";
import { closeInterruptedCompaction } from "../session/abilities/context/compaction.ts";
import { tellSessionEnd } from "../session/abilities/hooks/session-hooks.ts";
import { closeCutOffToolCalls } from "../session/abilities/tools/cut-off-tool-calls.ts";
import { closeInterruptedAgents, closeInterruptedRun } from "../session/abilities/tools/interrupted.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import { followSignal, type RunServices } from "../session/runs/run.ts";
import { SessionRegistry } from "../sessions/session-registry.ts";
import type { Store } from "../store/store.ts";
import type { ServerContext } from "./server-context.ts";

export interface SessionParts {
  readonly store: Store;
  readonly governor: Governor;
  readonly places: Places;
  readonly runs: RunServices;
}

export function createSessions(
  { announcements, config, instruments, logger, seldomLines }: ServerContext,
  { store, governor, places, runs }: SessionParts,
): SessionRegistry {
  const registry = new SessionRegistry({
    store,
    announcements,
    onStored: (commit) => instruments.stored(commit),
    questionDeadlineMs: config.questionDeadline * 1000,
    hibernateAfterMs: config.hibernateAfter * 1000,
    onEnd: (session, reason, sources) => tellSessionEnd(runs.hooks, session, reason, sources),
    idleTimeoutMs: (tenant) => {
      const seconds = governor.limits(tenant).idleTimeoutSeconds ?? config.sessionIdleTimeout;
      return seconds > 0 ? seconds * 1000 : undefined;
    },
    confinementOf: (tenant) => places.confinementOf(tenant),
    admit: (tenant, open) => governor.admitSession(tenant, open),
    onSignal: (session, signal) => followSignal(runs, session, signal),
    onMend: (session) => {
      closeCutOffToolCalls(session);
      closeInterruptedCompaction(session);
      closeInterruptedAgents(session);
      closeInterruptedRun(session);
    },
    onWarning: (message, fields) => logger.warning(message, fields),
    onFrequentWarning: (message, fields) => seldomLines.write(message, fields),
    onDebug: (message, fields) => logger.debug(message, fields),
  });
  governor.countMemoryOf(registry);
  return registry;
}
