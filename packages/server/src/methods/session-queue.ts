/** Methods on what waits in a session for its turn: `session.queue.*`. */
import type { PromptInput } from "../session/runs/prompt-input.ts";
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
  type SteeringAddition,
  sendNow,
  updateText,
} from "../session/runs/queue.ts";
import { type Withdrawal, withdrawMessage } from "../session/runs/withdraw-message.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

interface Item extends ById {
  id: string;
}

export function sessionQueueMethods(services: Services): Methods {
  return {
    "session.queue.pendingItems": async (params: ById, scope: Scope) =>
      pendingItems(await sessionOf(services, scope, params)),
    "session.queue.hasPending": async (params: ById, scope: Scope) => {
      const { items, steeringMessages } = pendingItems(await sessionOf(services, scope, params));
      return { hasPending: items.length + steeringMessages.length > 0 };
    },
    "session.queue.insertAt": async (
      params: ById & { position: number; message: PromptInput },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { id: await insertPrompt(session, params.position, params.message) };
    },
    "session.queue.moveItem": async (params: Item & { toPosition: number }, scope: Scope) => ({
      changed: await moveItem(await sessionOf(services, scope, params), params.id, params.toPosition),
    }),
    "session.queue.removeAt": async (params: Item, scope: Scope) => {
      await removeItem(await sessionOf(services, scope, params), params.id);
      return { removed: true };
    },
    "session.queue.removeMostRecent": async (params: ById, scope: Scope) => ({
      removed: await removeMostRecent(await sessionOf(services, scope, params)),
    }),
    "session.queue.clear": async (params: ById, scope: Scope) => {
      await clearQueue(await sessionOf(services, scope, params));
      return null;
    },
    "session.queue.updateText": async (
      params: Item & { prompt: string; displayPrompt?: string },
      scope: Scope,
    ) => ({ updated: await updateText(await sessionOf(services, scope, params), params.id, params) }),
    "session.queue.withdrawMessage": async (params: ById & Withdrawal, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return withdrawMessage(services.registry.log, session, params);
    },
    "session.queue.appendSteering": async (params: ById & SteeringAddition, scope: Scope) => ({
      updated: await appendSteering(await sessionOf(services, scope, params), params),
    }),
    "session.queue.duplicateAt": async (params: Item, scope: Scope) => ({
      id: await duplicateItem(await sessionOf(services, scope, params), params.id),
    }),
    "session.queue.sendNow": async (params: Item, scope: Scope) => ({
      steered: await sendNow(await sessionOf(services, scope, params), params.id),
    }),
    "session.queue.setDrainPaused": async (params: ById & { paused: boolean }, scope: Scope) => {
      holdQueue(await sessionOf(services, scope, params), scope.link, params.paused);
      return null;
    },
  };
}
