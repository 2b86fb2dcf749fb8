/** Methods on what waits in a session for its turn: `session.queue.*`. */
import {
  appendSteering,
  clearQueue,
  duplicateItem,
  holdQueue,
  insertPrompt,
  moveItem,
  pendingItems,
  removeItem,
  removeMostRecent,
  sendNow,
  updateText,
} from "../session/runs/queue.ts";
import { withdrawMessage } from "../session/runs/withdraw-message.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionQueueMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.queue.pendingItems": ofSession((session) => pendingItems(session)),
    "session.queue.hasPending": ofSession((session) => {
      const { items, steeringMessages } = pendingItems(session);
      return { hasPending: items.length + steeringMessages.length > 0 };
    }),
    "session.queue.insertAt": ofSession(async (session, params) => ({
      id: await insertPrompt(session, params.position, params.message),
    })),
    "session.queue.moveItem": ofSession(async (session, params) => ({
      changed: await moveItem(session, params.id, params.toPosition),
    })),
    "session.queue.removeAt": ofSession(async (session, params) => {
      await removeItem(session, params.id);
      return { removed: true };
    }),
    "session.queue.removeMostRecent": ofSession(async (session) => ({
      removed: await removeMostRecent(session),
    })),
    "session.queue.clear": ofSession(async (session) => {
      await clearQueue(session);
      return null;
    }),
    "session.queue.updateText": ofSession(async (session, params) => ({
      updated: await updateText(session, params.id, params),
    })),
    "session.queue.withdrawMessage": ofSession((session, params) =>
      withdrawMessage(services.registry.log, session, params),
    ),
    "session.queue.appendSteering": ofSession(async (session, params) => ({
      updated: await appendSteering(session, params),
    })),
    "session.queue.duplicateAt": ofSession(async (session, params) => ({
      id: await duplicateItem(session, params.id),
    })),
    "session.queue.sendNow": ofSession(async (session, params) => ({
      steered: await sendNow(session, params.id),
    })),
    "session.queue.setDrainPaused": ofSession((session, params, scope) => {
      holdQueue(session, scope.link, params.paused);
      return null;
    }),
  } satisfies Methods;
}
