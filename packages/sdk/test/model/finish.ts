/** The end of a sequence: everything settles, and what was seen is compared with what there is. */
import type { SessionEvent } from "../../src/index.ts";
import { stop } from "./calls.ts";
import type { Prompt } from "./ledger.ts";
import { type Held, sessionConfig, type Told } from "./participant.ts";
import type { Scene, SessionFacts } from "./scene.ts";

/** @throws Error that tells what does not hold, and how it came about. */
export async function finish(scene: Scene): Promise<void> {
  await Promise.all(scene.healing);
  scene.note("the network is as it should be");
  await scene.settled();
  for (const facts of scene.sessions.values()) {
    await judgeLeft(scene, facts);
    await judgeSession(scene, facts);
  }
  scene.throwFailures();
  await Promise.all(scene.participants.map((participant) => stop(scene, participant, "stop")));
  await scene.settled({ readers: true });
  for (const { name, proxy, held } of scene.participants) {
    if (!(await scene.until(() => proxy.open === 0))) scene.fail(`${name}: a connection is left open`);
    for (const { told, readers } of held)
      for (const { what, lateEvent } of [told, ...readers.map((reader) => reader.told)])
        if (lateEvent) scene.fail(`${what}: was told of ${lateEvent} although it was left`);
  }
  for (const { id } of scene.sessions.values())
    await scene.stage.directly.deleteSession(id).catch(() => undefined);
  scene.throwFailures();
}

type Session = Held["session"];

/** A session that all have left is nobody's at the server. */
async function judgeLeft(scene: Scene, { id, isMade, mayBeGone }: SessionFacts): Promise<void> {
  const held = scene.participants.flatMap((participant) =>
    participant.held.filter(({ sessionId }) => sessionId === id),
  );
  if (!isMade || mayBeGone || !held.every(({ told }) => told.over)) return;
  const isLeft = await scene.until(async () => !(await scene.stage.isHeld(id)));
  if (!isLeft) scene.fail(`${id}: was left by all, and somebody has it at the server`);
}

async function isBusy(session: Session): Promise<boolean> {
  const { processing } = await session.rpc.metadata.isProcessing();
  if (processing) return true;
  const { items } = await session.rpc.queue.pendingItems();
  return items.length > 0;
}

const quietly = (scene: Scene) => ({
  ...sessionConfig(scene.stage.modelUrl, "plain"),
  suppressResumeEvent: true,
  continuePendingWork: true,
});

async function judgeSession(scene: Scene, facts: SessionFacts): Promise<void> {
  const log = await logOf(scene, facts).catch((error: Error) => {
    if (facts.isMade && !facts.mayBeGone) scene.fail(`${facts.id}: is not there: ${error.message}`);
    return undefined;
  });
  for (const prompt of facts.prompts) judgePrompt(scene, facts, prompt, log);
  if (log && !facts.mayBeGone) {
    for (const { held } of scene.participants)
      for (const one of held) if (one.sessionId === facts.id) await judgeHeld(scene, one, log);
  }
}

/** Everything in the session's log, once it has come to rest. */
async function logOf(scene: Scene, { id }: SessionFacts): Promise<SessionEvent[]> {
  const session = await scene.stage.directly.resumeSession(id, quietly(scene));
  try {
    if (!(await scene.until(async () => !(await isBusy(session))))) scene.fail(`${id}: never comes to rest`);
    return await session.getEvents();
  } finally {
    await session.disconnect().catch(() => undefined);
  }
}

/** Carried out at most once; exactly once where a call said so; not at all where all said that it was not. */
function judgePrompt(
  scene: Scene,
  facts: SessionFacts,
  prompt: Prompt,
  log: readonly SessionEvent[] | undefined,
): void {
  const { ledger } = scene.stage;
  const begun = ledger.begunOf(prompt);
  ledger.forget(prompt);
  const logged = log?.filter(
    (event) => event.type === "user.message" && event.data.content.includes(`<${prompt.token} `),
  ).length;
  const what = `${facts.id}: ${prompt.text}`;
  // Sent again to a session that was deleted and made anew, it is another prompt.
  const isAnother = facts.mayBeGone && prompt.calls.length > 1;
  if (begun > 1 && !isAnother) scene.fail(`${what}: the model was asked ${begun} times`);
  if (logged !== undefined && logged > 1) scene.fail(`${what}: stands in the log ${logged} times`);
  const { calls } = prompt;
  // One that waits behind another is taken out again by an abort.
  const isTaken = calls.some(({ outcome, disturbed }) => outcome === "resolved" && !disturbed);
  if (isTaken && facts.aborts === 0 && logged === 0 && !facts.mayBeGone)
    scene.fail(`${what}: was taken, and is not in the log`);
  if (calls.every(wasNotDone) && (begun > 0 || (logged ?? 0) > 0))
    scene.fail(`${what}: was carried out although every call said that it was not`);
}

/** The call said so: its error says nothing of a prompt that may have been carried out. */
function wasNotDone({ outcome, error }: Prompt["calls"][number]): boolean {
  if (outcome !== "rejected") return false;
  const { maybeDone } = error as { maybeDone?: boolean };
  return maybeDone !== true && !isOfItsTurn(error);
}

/** Its turn failed, or was told of by nobody any more: it was begun. */
function isOfItsTurn(error: unknown): boolean {
  return /scripted status 401/.test((error as Error).message);
}

async function judgeHeld(scene: Scene, held: Held, log: readonly SessionEvent[]): Promise<void> {
  const isOpen = !held.leaving;
  for (const told of [held.told, ...held.readers.map((reader) => reader.told)]) {
    const wrong = () => whatIsWrong(told, log, isOpen);
    if (isOpen) await scene.until(() => wrong() === undefined || hasStopped(told, log));
    const found = wrong();
    if (found !== undefined) scene.fail(`${told.what}: ${found}\n${sideBySide(told, log)}`);
  }
}

function whatIsWrong(told: Told, log: readonly SessionEvent[], isOpen: boolean): string | undefined {
  const ids = told.events.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) return `was told twice of ${typeOf(twice, log)}`;
  const seen = told.events.filter(isInPlace).map(({ id }) => id);
  const there = log.filter(isInPlace).map(({ id }) => id);
  const [first] = seen;
  const from = first === undefined ? (told.fromStart ? 0 : there.length) : there.indexOf(first);
  if (from < 0) return `was told of an event that is not in the log: ${told.events[0]?.type}`;
  if (told.fromStart && from > 0) return `missed ${typeOf(there[0], log)} at the beginning`;
  const wrong = seen.findIndex((id, at) => there[from + at] !== id);
  if (wrong >= 0)
    return `was told of ${typeOf(seen[wrong], log)} where ${typeOf(there[from + wrong], log)} comes`;
  const missed = there.length - from - seen.length;
  return isOpen && missed > 0 ? `missed ${missed} events at the end` : undefined;
}

/** What came is no beginning of what should: waiting does not help. */
function hasStopped(told: Told, log: readonly SessionEvent[]): boolean {
  return whatIsWrong(told, log, false) !== undefined;
}

/** For whoever has to find out. */
function sideBySide(told: Told, log: readonly SessionEvent[]): string {
  const at = (event: SessionEvent) => `${log.findIndex(({ id }) => id === event.id)} ${event.type}`;
  return `    told: ${told.events.map(at).join(", ")}\n    log: ${log.map(at).join(", ")}`;
}

function typeOf(id: string | undefined, log: readonly SessionEvent[]): string {
  return log.find((event) => event.id === id)?.type ?? `nothing (${id})`;
}

/** Questions that wait are shown again to whoever comes, out of their place. */
function isInPlace({ type }: SessionEvent): boolean {
  return !type.endsWith("requested");
}
