/**
 * What waits in a session for its turn, as clients see it and change it. Steering prompts wait too, in a
 * lane of their own: they have no position. Items whose turn has come are no longer theirs to change.
 */
import { randomUUID } from "node:crypto";
import { type QueuePendingItems, RpcError } from "@rightseat/protocol";
import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "../open/session.ts";
import type { QueuedPrompt } from "../state/session-state.ts";
import { type PromptInput, toQueuedPrompt } from "./prompt-input.ts";
import { keepRequestHeaders, requestHeadersOf } from "./request-headers.ts";
import { waitingItems } from "./waiting.ts";

/** The result of `session.queue.pendingItems`. */
export function pendingItems(session: Session) {
  const waiting = waitingItems(session);
  return {
    items: waiting.filter((item) => !item.steering).map(toPendingItem),
    steeringMessages: waiting.filter((item) => item.steering).map(displayTextOf),
  };
}

function toPendingItem(item: QueuedPrompt): QueuePendingItems {
  return {
    id: item.messageId,
    ...(item.kind === "command" ? {} : { messageId: item.messageId }),
    kind: item.kind === "command" ? "command" : "message",
    displayText: displayTextOf(item),
    agentMode: item.agentMode ?? "interactive",
  };
}

function displayTextOf(item: QueuedPrompt): string {
  return item.displayPrompt ?? item.prompt;
}

/** Puts a prompt at a place among those that wait, 0 being the first; beyond the last is last. Its id. */
export async function insertPrompt(session: Session, position: number, input: PromptInput): Promise<string> {
  const prompt: QueuedPrompt = { ...toQueuedPrompt(input), steering: false };
  keepRequestHeaders(session, prompt.messageId, input.requestHeaders);
  const before = visibleItems(session)[Math.max(0, position)]?.messageId;
  await changeAndTell(session, () => session.record("rightseat.prompt_queued", { prompt, before }));
  return prompt.messageId;
}

/** False when it is there already. @throws RpcError for an unknown id. */
export async function moveItem(session: Session, id: string, toPosition: number): Promise<boolean> {
  const item = itemOf(session, id);
  const others = visibleItems(session).filter((other) => other !== item);
  const position = Math.min(Math.max(0, toPosition), others.length);
  if (visibleItems(session)[position] === item) return false;
  const before = others[position]?.messageId;
  await change(session, () => session.record("rightseat.queue_item_moved", { messageId: id, before }));
  return true;
}

/** @throws RpcError for an unknown id. */
export async function removeItem(session: Session, id: string): Promise<void> {
  itemOf(session, id);
  await removeWaiting(session, id);
}

/** Takes an item out of either lane. */
export function removeWaiting(session: Session, id: string): Promise<void> {
  return change(session, () => session.record("rightseat.queue_items_removed", { messageIds: [id] }));
}

/** Removes the item of both lanes that was accepted last, wherever it waits. False when nothing waits. */
export async function removeMostRecent(session: Session): Promise<boolean> {
  const waiting = waitingItems(session);
  const order = (item: QueuedPrompt) => item.order ?? 0;
  const last = waiting.reduce<QueuedPrompt | undefined>(
    (latest, item) => (latest === undefined || order(item) >= order(latest) ? item : latest),
    undefined,
  );
  if (!last) return false;
  await removeWaiting(session, last.messageId);
  return true;
}

export async function clearQueue(session: Session): Promise<void> {
  dropWaiting(session);
  await session.committed();
}

/** Takes all out, for whoever commits next. */
export function dropWaiting(session: Session): void {
  const messageIds = waitingItems(session).map((item) => item.messageId);
  if (messageIds.length === 0) return;
  session.record("rightseat.queue_items_removed", { messageIds });
  session.emit("pending_messages.modified", {});
}

/** False when the text is that already. @throws RpcError for an unknown id, or that of a command. */
export async function updateText(
  session: Session,
  id: string,
  text: { readonly prompt: string; readonly displayPrompt?: string },
): Promise<boolean> {
  const item = itemOf(session, id);
  if (item.kind === "command")
    throw new RpcError("invalid_params", "id: expected the id of a prompt, got that of a command", {
      path: "id",
    });
  const { prompt, displayPrompt = item.displayPrompt } = text;
  if (prompt === item.prompt && displayPrompt === item.displayPrompt) return false;
  await change(session, () =>
    session.record("rightseat.queue_item_changed", { messageId: id, changes: { prompt, displayPrompt } }),
  );
  return true;
}

export interface SteeringAddition {
  readonly messageId: string;
  /** The prompt as its sender last knew it. */
  readonly expectedPrompt: string;
  readonly agentMode: string;
  readonly prompt: string;
  readonly displayPrompt: string;
  readonly attachments?: PromptInput["attachments"];
}

/** Adds to a prompt that waits to steer the run. False when it waits no longer, was changed, or is of another mode. */
export async function appendSteering(session: Session, added: SteeringAddition): Promise<boolean> {
  const { messageId, expectedPrompt, agentMode } = added;
  const item = waitingItems(session).find((waiting) => waiting.messageId === messageId && waiting.steering);
  if (item?.prompt !== expectedPrompt || item.kind !== undefined) return false;
  if ((item.agentMode ?? session.state.mode) !== agentMode) return false;
  const attachments = [...(item.attachments ?? []), ...(added.attachments ?? [])];
  const changes = {
    prompt: `${item.prompt}\n\n${added.prompt}`,
    displayPrompt: `${displayTextOf(item)}\n\n${added.displayPrompt}`,
    ...(attachments.length > 0 ? { attachments } : {}),
  };
  await change(session, () => session.record("rightseat.queue_item_changed", { messageId, changes }));
  return true;
}

/** Puts a copy right behind the item. The copy's id. @throws RpcError for an unknown id. */
export async function duplicateItem(session: Session, id: string): Promise<string> {
  const item = itemOf(session, id);
  const visible = visibleItems(session);
  const prompt: QueuedPrompt = { ...item, messageId: randomUUID() };
  keepRequestHeaders(session, prompt.messageId, requestHeadersOf(session, id));
  const before = visible[visible.indexOf(item) + 1]?.messageId;
  await changeAndTell(session, () => session.record("rightseat.prompt_queued", { prompt, before }));
  return prompt.messageId;
}

/**
 * Lets a prompt enter the run in progress. False when none is, or it is a command: that has no
 * conversation to enter.
 * @throws RpcError for an unknown id.
 */
export async function sendNow(session: Session, id: string): Promise<boolean> {
  const item = itemOf(session, id);
  if (item.kind === "command" || !runsPrompt(session)) return false;
  await change(session, () =>
    session.record("rightseat.queue_item_changed", { messageId: id, changes: { steering: true } }),
  );
  return true;
}

/** While a client holds the queue, nothing of it is begun. It lets go at the latest when it leaves. */
export function holdQueue(session: Session, link: ClientLink, held: boolean): void {
  const attachment = session.attachments.get(link);
  if (attachment) attachment.holdsQueue = held;
  session.signal("prompt-waits");
}

function runsPrompt(session: Session): boolean {
  const { run, state } = session;
  if (run === undefined) return false;
  const begun = state.queue.find((item) => item.messageId === run.messageId);
  return begun?.kind !== "command";
}

/** Those that have a position. */
function visibleItems(session: Session): QueuedPrompt[] {
  return waitingItems(session).filter((item) => !item.steering);
}

function itemOf(session: Session, id: string): QueuedPrompt {
  const item = visibleItems(session).find((candidate) => candidate.messageId === id);
  if (item) return item;
  throw new RpcError("invalid_params", `id: nothing waits in the queue under the id '${id}'`, {
    path: "id",
    code: "unknown_id",
  });
}

async function change(session: Session, record: () => void): Promise<void> {
  record();
  session.emit("pending_messages.modified", {});
  await session.committed();
}

/** As `change`, for what may be the next to run. */
function changeAndTell(session: Session, record: () => void): Promise<void> {
  const changed = change(session, record);
  session.signal("prompt-waits");
  return changed;
}
