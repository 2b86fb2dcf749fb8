/** What waits for its turn. A rewind leaves it: a prompt that had its run does not wait any more. */
import { type Data, type Folds, kept, text } from "./fold.ts";
import type { ConversationState, QueuedPrompt } from "./session-state.ts";

export const QUEUE_FOLDS: Folds<ConversationState> = {
  "rightseat.prompt_queued": kept((state, data) => {
    const prompt = data.prompt as QueuedPrompt;
    rememberMessage(state, prompt.messageId);
    state.queuedItems = (state.queuedItems ?? 0) + 1;
    const at = data.first === true ? 0 : state.queue.length;
    insertItem(state, { ...prompt, order: state.queuedItems }, text(data.before), at);
  }),
  "rightseat.queue_item_moved": kept((state, data) => {
    const item = state.queue.find(({ messageId }) => messageId === data.messageId);
    if (!item) return;
    state.queue = state.queue.filter((other) => other !== item);
    insertItem(state, item, text(data.before), state.queue.length);
  }),
  "rightseat.queue_items_removed": kept((state, data) => {
    const removed = new Set<unknown>(data.messageIds);
    state.queue = state.queue.filter(({ messageId }) => !removed.has(messageId));
  }),
  "rightseat.queue_item_changed": kept((state, data) => {
    state.queue = state.queue.map((item) =>
      item.messageId === data.messageId ? { ...item, ...data.changes } : item,
    );
  }),
  "rightseat.queue_replaced": kept((state, data) => {
    state.queue = data.prompts as QueuedPrompt[];
  }),
  "rightseat.command_ended": kept((state, data) => {
    state.queue = withoutSteering(state.queue.filter((item) => item.messageId !== data.messageId));
  }),
};

export function dequeue(state: ConversationState, data: Data): string | undefined {
  const messageId = text(data.messageId);
  if (messageId !== undefined) state.queue = state.queue.filter((prompt) => prompt.messageId !== messageId);
  return messageId;
}

/** Steering that came too late for its run waits like any other prompt. */
export function withoutSteering(queue: QueuedPrompt[]): QueuedPrompt[] {
  return queue.map((prompt) => (prompt.steering ? { ...prompt, steering: false } : prompt));
}

export function rememberMessage(state: ConversationState, messageId: unknown): void {
  if (typeof messageId !== "string" || state.recentMessageIds?.includes(messageId)) return;
  state.recentMessageIds ??= [];
  state.recentMessageIds.push(messageId);
  if (state.recentMessageIds.length > REMEMBERED_MESSAGES) state.recentMessageIds.shift();
}

/** A client sends a prompt again when a connection took the answer with it: soon, or never. */
const REMEMBERED_MESSAGES = 32;

/** In front of an item, or, where that has gone, at the index. */
function insertItem(
  state: ConversationState,
  item: QueuedPrompt,
  before: string | undefined,
  otherwise: number,
): void {
  const at = before === undefined ? -1 : state.queue.findIndex(({ messageId }) => messageId === before);
  state.queue.splice(at < 0 ? otherwise : at, 0, item);
}
