/**
 * The run of one prompt: begins it, gives the agent loop what it needs of the session, ends it, and
 * begins the next one that waits.
 */

import { randomUUID } from "node:crypto";
import { cutText, RpcError } from "@rightseat/protocol";
import { type RunOutcome, runAgent } from "../../agent/agent-loop.ts";
import type { LeftOutKind } from "../../agent/leave-out.ts";
import { createRunController } from "../../agent/run-controller.ts";
import {
  type AbortReason,
  type ActiveModel,
  type ContextCall,
  RunAborted,
  type RunHost,
  type RunLimits,
  RunSuspended,
  type ToolSet,
} from "../../agent/run-host.ts";
import type { RunHooks } from "../../hooks/run-hooks.ts";
import type { ModelError, ModelMessage, ModelUsage } from "../../models/model-provider.ts";
import { activeAgents } from "../abilities/agents/active-agents.ts";
import { assertAgentModel } from "../abilities/agents/agents.ts";
import type { QueuedCommandEnd } from "../abilities/commands/command-types.ts";
import { keepLeftOut, leftOutInVain } from "../abilities/context/left-out.ts";
import type { ModelCallServices } from "../abilities/context/manual-compaction.ts";
import { admitModelCall, limitsStatus } from "../abilities/context/session-limits.ts";
import { recordUsage } from "../abilities/context/usage-totals.ts";
import { promptHooksOf } from "../abilities/hooks/prompt-hooks.ts";
import { hasHooks, runHooksOf } from "../abilities/hooks/session-hooks.ts";
import { ConversationHost } from "../abilities/loop/conversation-host.ts";
import { mayOfferAutoMode, offerAutoMode } from "../abilities/questions/auto-mode.ts";
import type { SubAgentServices } from "../abilities/sub-agents/sub-agent.ts";
import { closeInterruptedRun } from "../abilities/tools/interrupted.ts";
import { workingDirectoryOf } from "../abilities/workspace/working-directory.ts";
import type { Session, SessionSignal } from "../open/session.ts";
import type { QueuedPrompt } from "../state/session-state.ts";
import { nudgeAutopilot, tellAutopilotStopped } from "./autopilot.ts";
import { notIdle, type RunEnd, tellIdle } from "./idle.ts";
import { tellRunBegan, tellRunEnded } from "./prompt-wait.ts";
import { type RequestHeaders, takeRequestHeaders } from "./request-headers.ts";
import { type Places, RunPlace } from "./run-place.ts";
import { logUserMessage, type UserMessageOptions } from "./user-message.ts";
import { isHeld } from "./waiting.ts";

export type { AbortReason };

export interface RunPlaces extends Places {
  tokensUsed(tenant: string, tokens: number): void;
  /** When runs are ended although their model would go on. */
  runLimits(tenant: string): RunLimits;
}

/** What runs need besides the session, and besides what its sub-agents need; made once by the composition root. */
export interface RunServices extends SubAgentServices, ModelCallServices {
  /** Sees what has changed around the session since its last run. Never rejects. */
  readonly lookAround: (session: Session) => Promise<unknown>;
  /** Carries out a queued command; resolves always, soon after the signal. */
  readonly runCommand: (session: Session, command: string, signal: AbortSignal) => Promise<QueuedCommandEnd>;
  readonly places: RunPlaces;
  /** A run ended and nothing waits: a moment to write a checkpoint. */
  readonly onIdle: (session: Session) => void;
}

/**
 * Begins the run of a prompt, or carries out a command. A user message is logged in this tick, unless
 * it has attachments, or somebody has hooks.
 */
export function startRun(services: RunServices, session: Session, prompt: QueuedPrompt): void {
  if (session.state.running) closeInterruptedRun(session);
  if (prompt.kind === "command") {
    startCommand(services, session, prompt);
    return;
  }
  const queued = session.state.queue.some((waiting) => waiting.messageId === prompt.messageId);
  // Attachments take a while to render, and hooks to answer; until then the record that it waits holds it.
  if ((prompt.attachments || hasHooks(session)) && !queued)
    session.record("rightseat.prompt_queued", { prompt, first: true });
  const requestHeaders = takeRequestHeaders(session, prompt.messageId);
  tellRunBegan(session, prompt);
  begin(services, session, prompt.messageId, async (controller) => {
    const options = {
      delivery: queued ? "queued" : "idle",
      workingDirectory: workingDirectoryOf(services, session),
      reach: services.permissions.placeOf(session).reach,
    } as const;
    const hooks = promptHooksOf(services.hooks, session, controller.signal, "run");
    if (hooks) await hooks.start(prompt.prompt);
    // Without attachments and hooks nothing is waited for: the message is logged before anybody else has a turn.
    const taken = prompt.attachments ? await partsTaken(services, session) : NO_PARTS;
    const begun = logUserMessage(session, prompt, { ...options, ...taken, hooks });
    if (begun !== true && !(await begun)) return undefined;
    if (prompt.kind !== "notification") nameAfterFirstPrompt(session, prompt);
    return { firstTurn: 0, requestHeaders, controller };
  });
}

/** Begins the run of the prompt that waits longest, if any. */
export function startNextRun(services: RunServices, session: Session): boolean {
  const next = session.state.queue[0];
  if (!next || session.run !== undefined || session.closing || isHeld(session)) return false;
  session.emit("pending_messages.modified", {});
  startRun(services, session, next);
  return true;
}

/** Does what follows from what happened in the session; at once when it is awake. */
export function followSignal(services: RunServices, session: Session, signal: SessionSignal): void {
  const follow = () => {
    if (signal === "prompt-waits") startNextRun(services, session);
    else if (session.run === undefined && !session.closing) becomeIdle(services, session, { aborted: true });
  };
  const waking = session.wake();
  if (waking) waking.then(follow).catch((error) => services.onBug(error, session));
  else follow();
}

/** Goes on with a run that a crash or a lost client cut off. */
export function continueRun(services: RunServices, session: Session): void {
  const { running } = session.state;
  if (!running || session.run) return;
  begin(services, session, running.messageId, async (controller) => ({
    firstTurn: running.turn,
    controller,
  }));
}

/** A log that cannot be written was told already, and is no bug. */
function failed(services: RunServices, session: Session): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof RpcError && error.reason === "storage_unavailable"))
      services.onBug(error, session);
  };
}

interface Begun {
  readonly firstTurn: number;
  readonly requestHeaders?: RequestHeaders;
  readonly controller: AbortController;
}

function begin(
  services: RunServices,
  session: Session,
  messageId: string,
  prepare: (controller: AbortController) => Promise<Begun | undefined>,
): void {
  const controller = createRunController();
  notIdle(session);
  // Files are looked at in the meantime: the user's message and the turn that follows are one write.
  session.holdWhile(services.lookAround(session));
  const prepared = prepare(controller);
  const place = new RunPlace(services.places, session, controller.signal);
  const done = carryOut(services, session, { messageId, place, prepared }).catch(failed(services, session));
  session.run = { messageId, controller, done, place };
  session.announcements.announce("run-begun", { key: session.key, messageId });
}

interface Beginning {
  readonly messageId: string;
  readonly place: RunPlace;
  readonly prepared: Promise<Begun | undefined>;
}

async function carryOut(
  services: RunServices,
  session: Session,
  { messageId, place, prepared }: Beginning,
): Promise<void> {
  let outcome: RunOutcome | "blocked" = "failed";
  let taskComplete = false;
  const begunMs = performance.now();
  try {
    const begun = await prepared;
    if (begun) {
      const entering = place.enter();
      if (entering) await entering;
      const host = new SessionRunHost(services, session, messageId, begun);
      outcome = await runAgent(host, begun.firstTurn);
    } else outcome = "blocked";
  } catch (error) {
    if (error instanceof RunSuspended) outcome = "suspended";
    else failed(services, session)(error);
  }
  try {
    // A suspended run stays open in the log, to be gone on with.
    if (outcome !== "suspended" && outcome !== "blocked")
      session.record("rightseat.run_ended", { messageId, outcome });
    await session.committed();
  } finally {
    taskComplete = session.run?.taskComplete === true;
    session.run = undefined;
    place.leave();
    const durationMs = performance.now() - begunMs;
    session.announcements.announce("run-ended", { key: session.key, messageId, outcome, durationMs });
  }
  tellRunEnded(session, messageId, outcome);
  if (outcome === "suspended") return;
  // For those who wait, a prompt that was blocked is dealt with.
  const ended = outcome === "blocked" ? "done" : outcome;
  tellAutopilotStopped(session, { messageId, outcome: ended, taskComplete });
  if (startNextRun(services, session)) return;
  becomeIdle(services, session, { aborted: outcome === "aborted", failed: outcome === "failed" });
}

/** It stays in the queue until it is done: after a crash it is carried out again. */
function startCommand(services: RunServices, session: Session, command: QueuedPrompt): void {
  const controller = createRunController();
  notIdle(session);
  tellRunBegan(session, command);
  const done = carryOutCommand(services, session, command, controller.signal).catch(
    failed(services, session),
  );
  session.run = { messageId: command.messageId, controller, done };
}

async function carryOutCommand(
  services: RunServices,
  session: Session,
  command: QueuedPrompt,
  signal: AbortSignal,
): Promise<void> {
  let end: QueuedCommandEnd = {};
  try {
    // Acknowledged before it has effects.
    await session.committed();
    end = await services.runCommand(session, command.prompt, signal);
    if (signal.reason instanceof RunSuspended) return;
    session.record("rightseat.command_ended", { messageId: command.messageId });
    if (end.prompt) {
      const prompt: QueuedPrompt = { messageId: randomUUID(), steering: false, ...end.prompt };
      session.record("rightseat.prompt_queued", { prompt, first: true });
    }
    await session.committed();
  } finally {
    session.run = undefined;
  }
  session.emit("pending_messages.modified", {});
  if (!end.stopsQueue && startNextRun(services, session)) return;
  becomeIdle(services, session, { aborted: signal.aborted });
}

function becomeIdle(services: RunServices, session: Session, end: RunEnd): void {
  tellIdle(session, end);
  if (!activeAgents.of(session)?.working) services.onIdle(session);
}

const NO_PARTS = { supportsVision: false, supportsDocuments: false };

/** What the session's model takes besides text; when it cannot be told, the model call will say why. */
async function partsTaken(services: RunServices, session: Session): Promise<typeof NO_PARTS> {
  const model = await services.resolveModel(session, session.settings).catch(() => undefined);
  return {
    supportsVision: model?.supportsVision ?? false,
    supportsDocuments: model?.provider.name === "anthropic",
  };
}

const TITLE_LENGTH = 60;

/** Until somebody names it, a session is called after its first prompt. */
function nameAfterFirstPrompt(session: Session, prompt: QueuedPrompt): void {
  if (session.state.title !== undefined || session.state.name !== undefined) return;
  const line = (prompt.displayPrompt ?? prompt.prompt).trim().replace(/\s+/g, " ");
  if (line === "") return;
  const title = line.length > TITLE_LENGTH ? `${cutText(line, TITLE_LENGTH - 1)}…` : line;
  session.record("rightseat.title_set", { title });
  session.emit("session.title_changed", { title });
}

const REST = "Your answer was cut off because it became too long. Write the rest, from where it ends on.";

class SessionRunHost extends ConversationHost<Session> implements RunHost {
  readonly requestHeaders?: RequestHeaders;
  readonly #services: RunServices;
  #sent: readonly ModelMessage[] | undefined;
  #hooks: RunHooks | undefined;

  constructor(services: RunServices, session: Session, messageId: string, begun: Begun) {
    const { signal } = begun.controller;
    super(services, { conversation: session, messageId, signal, waiter: "run" });
    this.#services = services;
    this.requestHeaders = begun.requestHeaders;
  }

  get #session(): Session {
    return this.conversation;
  }

  get citations(): boolean {
    return this.#session.settings.enableCitations === true;
  }

  get responseFormat() {
    return this.#session.state.running?.responseFormat;
  }

  get leftOutInVain() {
    return leftOutInVain.of(this.#session);
  }

  leftOut(kinds: readonly LeftOutKind[], helped: boolean): void {
    keepLeftOut(this.#session, kinds, helped);
  }

  get streaming(): boolean {
    for (const attachment of this.#session.attachments.values()) if (attachment.streaming) return true;
    return false;
  }

  override async fitContext(call: ContextCall) {
    // A call that was promoted has ended, and the run that waited for it goes on.
    const place = this.#session.run?.place?.enter();
    if (place) await place;
    this.signal.throwIfAborted();
    await admitModelCall(this.#session, this.signal);
    return this.#toSend(await super.fitContext(call));
  }

  override async shortenContext(call: ContextCall) {
    const shorter = await super.shortenContext(call);
    return shorter && this.#toSend(shorter);
  }

  /** What is told behind the conversation is for this call alone, and not in the log. */
  #toSend(messages: readonly ModelMessage[]): readonly ModelMessage[] {
    this.#sent = messages;
    const status = limitsStatus(this.#session);
    return status ? [...messages, status] : messages;
  }

  recordUsage(model: string, usage: ModelUsage, durationMs: number): void {
    // A compaction that ended during the call left a context that nobody has counted.
    const aside = this.#sent !== this.#session.state.messages;
    recordUsage(this.#services, this.#session, { model, usage, durationMs, aside });
  }

  async resolveModel(): Promise<ActiveModel> {
    assertAgentModel(this.#session.agent, this.#session.settings.model);
    this.model = await this.#services.resolveModel(this.#session, this.#session.settings, "run");
    return this.model;
  }

  askForRest(): boolean {
    this.#session.record("rightseat.context_added", { content: REST });
    return true;
  }

  nudge(): boolean {
    return nudgeAutopilot(this.#session);
  }

  override canRecover(error: ModelError): boolean {
    if (this.model === undefined) return false;
    return mayOfferAutoMode(this.#session, this.model, error) || super.canRecover(error);
  }

  override recover(error: ModelError): Promise<boolean> {
    if (super.canRecover(error)) return super.recover(error);
    return offerAutoMode(this.#session, error, this.signal);
  }

  async systemMessage(): Promise<string> {
    const { text, sha256, warnings } = await this.#services.systemMessage(this.#session, {
      waiter: "run",
      signal: this.signal,
    });
    if (sha256 !== this.#session.state.systemMessageHash) {
      for (const { type, message } of warnings)
        this.#session.append("session.warning", {
          warningType: type,
          message,
          originatingMessageId: this.messageId,
        });
      this.#session.append("system.message", {
        role: "system",
        content: text,
        metadata: { variables: { sha256 } },
      });
    }
    return text;
  }

  tools(): ToolSet {
    return this.#services.toolSet(this.#session);
  }

  get hooks(): RunHooks | undefined {
    if (!hasHooks(this.#session)) return undefined;
    this.#hooks ??= runHooksOf(this.#services.hooks, this.#session, this.signal, (prompt) =>
      // A correction belongs to the prompt that it corrects the answer of.
      this.#logPrompt({ ...prompt, responseFormat: this.responseFormat }, "queued"),
    );
    return this.#hooks;
  }

  async takeSteering(): Promise<boolean> {
    const steering = this.#session.state.queue.filter((prompt) => prompt.steering);
    let taken = false;
    for (const prompt of steering) taken = (await this.#logPrompt(prompt, "steering")) || taken;
    if (steering.length > 0) this.#session.emit("pending_messages.modified", {});
    return taken;
  }

  async #logPrompt(prompt: QueuedPrompt, delivery: UserMessageOptions["delivery"]): Promise<boolean> {
    return logUserMessage(this.#session, prompt, {
      delivery,
      workingDirectory: this.workingDirectory,
      reach: this.#services.permissions.placeOf(this.#session).reach,
      ...(prompt.attachments ? await partsTaken(this.#services, this.#session) : NO_PARTS),
      hooks: promptHooksOf(this.#services.hooks, this.#session, this.signal, "run"),
    });
  }
}

/** Ends the run in progress, if there is one, and all sub-agents; resolves when the session is idle, or has begun the next. */
export async function abortRun(session: Session, reason: AbortReason = "user_initiated"): Promise<void> {
  const { run } = session;
  run?.controller.abort(new RunAborted(reason));
  await Promise.all([run?.done, activeAgents.of(session)?.cancelAll()]);
}
