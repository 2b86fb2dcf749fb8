/** What an application may ask of the client, each call with what may come of it. */
import type { CallOptions, CopilotSession, EventStreamOptions } from "../../src/index.ts";
import { reasonOf } from "../../src/index.ts";
import { answerTo, type Prompt, type PromptCall } from "./ledger.ts";
import { type Held, type Manner, newTold, type Participant, sessionConfig, take } from "./participant.ts";
import type { Scene, SessionFacts } from "./scene.ts";

/** How long a call may take, and who ends it. */
export interface Limit {
  readonly kind: "none" | "timeout" | "signal";
  readonly ms: number;
}

type Outcome<T> = { value: T } | { error: unknown };

export function createSession(
  scene: Scene,
  owner: Participant,
  ask: { id: string; limit: Limit; manner: Manner },
): Promise<void> {
  const { id, limit, manner } = ask;
  const { stops } = owner;
  const facts = scene.facts(id);
  const wasMade = facts.isMade && !facts.mayBeGone;
  const isSure = surely(scene, owner, facts, limit);
  const faults = scene.faults;
  if (limit.kind !== "none") facts.mayBeGone = true;
  const told = newTold(`${owner.name} created ${id}`, true);
  const others = creating(facts);
  return scene.call(
    `${owner.name}.create(${id}${said(limit)})`,
    () =>
      owner.client.createSession(
        { ...sessionConfig(scene.stage.modelUrl, manner, told), sessionId: id },
        toOptions(limit),
      ),
    (outcome) => {
      others.done();
      if ("value" in outcome) return joined(owner, facts, outcome.value, { told, stops });
      // Stopped, or given up: it may be there all the same.
      if (reasonOf(outcome.error) !== "session_exists") facts.mayBeGone = true;
      if (wasMade || others.hadCompany || !isSure() || scene.faults > faults) return assertError(outcome);
      return `expected a session, got ${outcome.error}`;
    },
  );
}

/** The other calls that create the same session meanwhile. */
const creators = new WeakMap<SessionFacts, Set<{ hadCompany: boolean; done: () => void }>>();
function creating(facts: SessionFacts) {
  const all = creators.get(facts) ?? new Set();
  creators.set(facts, all);
  const mine = { hadCompany: all.size > 0 || facts.isMade, done: () => void all.delete(mine) };
  for (const other of all) other.hadCompany = true;
  all.add(mine);
  return mine;
}

export function resumeSession(
  scene: Scene,
  owner: Participant,
  ask: { id: string; limit: Limit; manner: Manner },
): Promise<void> {
  const { id, limit, manner } = ask;
  const { stops } = owner;
  const facts = scene.facts(id);
  const isThere = facts.isMade;
  const isSure = surely(scene, owner, facts, limit);
  const told = newTold(`${owner.name} resumed ${id}`, false);
  return scene.call(
    `${owner.name}.resume(${id}${said(limit)})`,
    () =>
      owner.client.resumeSession(
        id,
        { ...sessionConfig(scene.stage.modelUrl, manner, told), continuePendingWork: true },
        toOptions(limit),
      ),
    (outcome) => {
      if ("value" in outcome) return joined(owner, facts, outcome.value, { told, stops });
      return isThere && isSure() ? `expected the session, got ${outcome.error}` : assertError(outcome);
    },
  );
}

function joined(
  owner: Participant,
  facts: SessionFacts,
  session: CopilotSession,
  { told, stops }: { readonly told: Held["told"]; readonly stops: number },
): undefined {
  facts.isMade = true;
  // It was stopped meanwhile: the session is left with it.
  const leaving = owner.stops !== stops;
  if (!leaving) owner.isUp = true;
  owner.held.push({ session, sessionId: facts.id, told, readers: [], owner, leaving });
}

/** Sends a prompt. The same prompt may have been sent before: the server has it once. */
export function send(scene: Scene, held: Held, prompt: Prompt, limit: Limit): Promise<void> {
  return prompting(scene, held, { prompt, limit, how: "send" }, (message, options) =>
    held.session.send(message, options),
  );
}

/** Sends a prompt and waits for what becomes of it. */
export function sendAndWait(scene: Scene, held: Held, prompt: Prompt, limit: Limit): Promise<void> {
  return prompting(scene, held, { prompt, limit, how: "wait" }, (message, options) =>
    held.session.sendAndWait(message, options ?? { timeoutMs: Number.POSITIVE_INFINITY }),
  );
}

interface Asked {
  readonly prompt: Prompt;
  readonly limit: Limit;
  readonly how: PromptCall["how"];
}

function prompting<T>(
  scene: Scene,
  held: Held,
  { prompt, limit, how }: Asked,
  ask: (message: { prompt: string; messageId: string }, options?: CallOptions) => Promise<T>,
): Promise<void> {
  const facts = scene.facts(held.sessionId);
  if (!facts.prompts.includes(prompt)) facts.prompts.push(prompt);
  const call: PromptCall = { how, outcome: "pending", disturbed: false };
  prompt.calls.push(call);
  const isSure = surelyOf(scene, held, limit);
  // Those that are under way may come after it.
  prompt.abortsBefore ??= facts.aborts - facts.aborting;
  const { abortsBefore } = prompt;
  const { text, messageId } = prompt;
  return scene.call(
    `${held.told.what}: ${how}(${text}${said(limit)})`,
    () => ask({ prompt: text, messageId }, toOptions(limit)),
    (outcome) => {
      call.disturbed = facts.aborts > abortsBefore || facts.mayBeGone || held.leaving;
      if ("error" in outcome) {
        call.outcome = "rejected";
        call.error = outcome.error;
        const mayFail = how === "wait" && (prompt.kind === "fail" || call.disturbed);
        return isSure() && !mayFail ? `expected it to be taken, got ${outcome.error}` : assertError(outcome);
      }
      call.outcome = "resolved";
      return how === "wait" ? judgeAnswer(prompt, call, outcome.value) : undefined;
    },
  );
}

/** A wait resolves with what was said to its own prompt. */
function judgeAnswer(prompt: Prompt, call: PromptCall, value: unknown): string | undefined {
  const answer = (value as { data: { content: string } } | undefined)?.data.content;
  const isAborted = call.disturbed || prompt.calls.some(({ disturbed }) => disturbed);
  if (prompt.kind === "fail") return isAborted ? undefined : `expected its turn's error, got ${answer}`;
  if (answer === answerTo(prompt.token)) return undefined;
  // What was begun may have been ended; a call of a tool is a message, too.
  const mayBeCut =
    isAborted && (answer === undefined || answer === "" || answerTo(prompt.token).startsWith(answer));
  return mayBeCut ? undefined : `expected ${answerTo(prompt.token)}, got ${answer}`;
}

/** Ends the turn that is under way. */
export function abort(scene: Scene, held: Held, limit: Limit): Promise<void> {
  const facts = scene.facts(held.sessionId);
  facts.aborts += 1;
  facts.aborting += 1;
  return scene.call(
    `${held.told.what}: abort(${said(limit)})`,
    () => held.session.abort(toOptions(limit)),
    (outcome) => {
      // One that was given up, or lost, may still come.
      if ("value" in outcome) facts.aborting -= 1;
      return assertError(outcome);
    },
  );
}

/** Reads the whole log. */
export function getEvents(scene: Scene, held: Held, limit: Limit): Promise<void> {
  const isSure = surelyOf(scene, held, limit);
  return scene.call(
    `${held.told.what}: getEvents(${said(limit)})`,
    () => held.session.getEvents(toOptions(limit)),
    (outcome) => {
      if ("error" in outcome && isSure()) return `expected events, got ${outcome.error}`;
      return assertError(outcome);
    },
  );
}

/** Reads events as an iterator, each after a while. */
export function readEvents(
  scene: Scene,
  held: Held,
  { from, bufferSize, pauseMs }: Pick<EventStreamOptions, "from" | "bufferSize"> & { pauseMs: number },
): Promise<void> {
  const told = newTold(`${held.told.what}: events(from ${from})`, from === "start");
  const stream = held.session.events({ from, bufferSize });
  const done = scene.call(
    told.what,
    async () => {
      for await (const event of stream) {
        take(told, event);
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    },
    (outcome) => {
      told.over = true;
      const mayEnd = held.leaving || scene.facts(held.sessionId).mayBeGone;
      return mayEnd ? assertError(outcome) : "it ended before its session was left";
    },
    { isReader: true },
  );
  held.readers.push({ told, done });
  return Promise.resolve();
}

export function disconnect(scene: Scene, held: Held, limit: Limit): Promise<void> {
  const facts = scene.facts(held.sessionId);
  held.leaving = true;
  return scene.call(
    `${held.told.what}: disconnect(${said(limit)})`,
    () => held.session.disconnect(toOptions(limit)),
    (outcome) => {
      if ("value" in outcome) held.told.over = true;
      else if (limit.kind === "none" && !facts.mayBeGone)
        return `expected it to be left, got ${outcome.error}`;
      return assertError(outcome);
    },
  );
}

export function deleteSession(scene: Scene, owner: Participant, id: string, limit: Limit): Promise<void> {
  const facts = scene.facts(id);
  facts.mayBeGone = true;
  return scene.call(
    `${owner.name}.delete(${id}${said(limit)})`,
    () => owner.client.deleteSession(id, toOptions(limit)),
    assertError,
  );
}

export function stop(scene: Scene, owner: Participant, how: "stop" | "forceStop"): Promise<void> {
  for (const held of owner.held) held.leaving = true;
  const before = [...owner.held];
  owner.isUp = false;
  owner.stops += 1;
  const faults = scene.faults;
  return scene.call(
    `${owner.name}.${how}()`,
    async () => (await owner.client[how]()) ?? [],
    (outcome) => {
      if ("error" in outcome) return `expected it to resolve, got ${outcome.error}`;
      for (const held of before) held.told.over = true;
      const [error] = outcome.value;
      return error && faults === scene.faults && how === "stop" && !anyGone(scene, before)
        ? `expected no errors, got ${error}`
        : undefined;
    },
  );
}

function anyGone(scene: Scene, held: readonly Held[]): boolean {
  return held.some(({ sessionId }) => scene.facts(sessionId).mayBeGone);
}

export function start(scene: Scene, owner: Participant, limit: Limit): Promise<void> {
  const { stops } = owner;
  return scene.call(
    `${owner.name}.start(${said(limit)})`,
    () => owner.client.start(toOptions(limit)),
    (outcome) => {
      if ("value" in outcome && owner.stops === stops) owner.isUp = true;
      return assertError(outcome);
    },
  );
}

/** Nothing excuses a call of the client but a network that it has to live with. */
function surely(scene: Scene, owner: Participant, facts: SessionFacts, limit: Limit): () => boolean {
  const { stops, isUp } = owner;
  return () =>
    limit.kind === "none" && isUp && owner.stops === stops && !facts.mayBeGone && scene.failures.length === 0;
}

function surelyOf(scene: Scene, held: Held, limit: Limit): () => boolean {
  const facts = scene.facts(held.sessionId);
  const wasLeaving = held.leaving;
  const isSure = surely(scene, held.owner, facts, limit);
  return () => isSure() && !wasLeaving && !held.leaving;
}

function assertError<T>(outcome: Outcome<T>): string | undefined {
  if ("value" in outcome || outcome.error instanceof Error) return undefined;
  return `expected an Error, got ${typeof outcome.error}`;
}

function toOptions({ kind, ms }: Limit): CallOptions | undefined {
  if (kind === "none") return undefined;
  return kind === "timeout" ? { timeoutMs: ms } : { signal: AbortSignal.timeout(ms) };
}

function said({ kind, ms }: Limit): string {
  return kind === "none" ? "" : `, ${kind} ${ms}`;
}
