/** Methods that take a conversation back, begin it anew, or copy it: `session.history.*`, `sessions.fork`. */
import { clearContext } from "../session/abilities/context/clear-context.ts";
import { rewindTo } from "../session/abilities/context/rewind.ts";
import {
  listRewindPoints,
  previewRewind,
  type RewindMode,
  rewind,
} from "../session/abilities/context/rewind-points.ts";
import { type ForkRequest, forkSession } from "../sessions/fork-session.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function historyMethods(services: Services): Methods {
  const { registry } = services;
  return {
    "session.history.truncate": async (params: ById & { eventId: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const { eventsRemoved, cleanupError } = await rewindTo(registry.log, session, params.eventId);
      services.onUpdated(session);
      return {
        eventsRemoved,
        ...(cleanupError
          ? { checkpointCleanupFailed: true, checkpointCleanupError: cleanupError.message }
          : {}),
      };
    },
    "session.history.listRewindPoints": async (params: ById, scope: Scope) =>
      listRewindPoints(registry.log, await sessionOf(services, scope, params)),
    "session.history.previewRewind": async (params: ById & { eventId: string }, scope: Scope) =>
      previewRewind(registry.log, await sessionOf(services, scope, params), params.eventId),
    "session.history.rewind": async (params: ById & { eventId: string; mode: RewindMode }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const result = await rewind(registry.log, session, params.eventId, params.mode);
      services.onUpdated(session);
      return result;
    },
    "session.history.clearContext": async (params: ById & { prompt: string }, scope: Scope) => ({
      messagesCleared: await clearContext(await sessionOf(services, scope, params), params.prompt),
    }),
    "sessions.fork": async (params: ForkRequest, scope: Scope) => {
      const { tenant } = scope.principal;
      const fork = await forkSession(registry, tenant, params);
      services.join.onLifecycle("session.created", { tenant, sessionId: fork.sessionId });
      return fork;
    },
  };
}
