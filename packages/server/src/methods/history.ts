/** Methods that take a conversation back, begin it anew, or copy it: `session.history.*`, `sessions.fork`. */

import { clearContext } from "../session/abilities/context/clear-context.ts";
import { rewindTo } from "../session/abilities/context/rewind.ts";
import { listRewindPoints, previewRewind, rewind } from "../session/abilities/context/rewind-points.ts";
import { announceChange } from "../session/open/change-session.ts";
import { forkSession } from "../sessions/fork-session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function historyMethods(services: Services) {
  const ofSession = withSession(services);
  const { registry } = services;
  return {
    "session.history.truncate": ofSession(async (session, params) => {
      const { eventsRemoved, cleanupError } = await rewindTo(registry.log, session, params.eventId);
      announceChange(session);
      return {
        eventsRemoved,
        ...(cleanupError
          ? { checkpointCleanupFailed: true, checkpointCleanupError: cleanupError.message }
          : {}),
      };
    }),
    "session.history.listRewindPoints": ofSession((session) => listRewindPoints(registry.log, session)),
    "session.history.previewRewind": ofSession((session, params) =>
      previewRewind(registry.log, session, params.eventId),
    ),
    "session.history.rewind": ofSession(async (session, params) => {
      const result = await rewind(registry.log, session, params.eventId, params.mode);
      announceChange(session);
      return result;
    }),
    "session.history.clearContext": ofSession(async (session, params) => ({
      messagesCleared: await clearContext(session, params.prompt),
    })),
    "sessions.fork": (params, scope) => forkSession(registry, scope.principal.tenant, params),
  } satisfies Methods;
}
