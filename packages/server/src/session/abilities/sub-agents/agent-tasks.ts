/**
 * The sub-agents of a session: who works on what, for whom, and what came of it. A task is begun by the
 * tool `task` or by a client; whoever began it waits for it, or is told when it is done.
 *
 * States: running → idle (it has answered, and can be told more) → running …; running → failed or
 * cancelled. The conversations of the last few idle agents are kept; older ones are completed.
 */

import { randomBytes, randomUUID } from "node:crypto";
import { createRunController } from "../../../agent/run-controller.ts";
import { RunAborted } from "../../../agent/run-host.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Waiter } from "../../members/client-waits.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import { runErrand } from "../../open/errands.ts";
import type { Session } from "../../open/session.ts";
import type { ActiveAgents } from "../agents/active-agents.ts";
import { activeAgents } from "../agents/active-agents.ts";
import { AgentSlots } from "./agent-slots.ts";
import { notifyModel } from "./notify-model.ts";
import { runSubAgent, type SubAgentOutcome, type SubAgentServices } from "./sub-agent.ts";
import { SubAgentConversation } from "./sub-agent-conversation.ts";

export type TaskStatus = "running" | "idle" | "completed" | "failed" | "cancelled";

export interface AgentTask {
  readonly id: string;
  readonly agent: AgentDefinition;
  /** For people and models; several tasks may have the same. */
  readonly name: string;
  readonly description: string;
  readonly depth: number;
  /** The sub-agent that began it; the session itself when left out. */
  readonly parentAgentId?: string;
  readonly model?: string;
  readonly startedAt: string;
  /** The call that it works for now. */
  toolCallId: string;
  mode: "sync" | "background";
  /** What it was told last. */
  prompt: string;
  status: TaskStatus;
  /** Its answers, oldest first; bounded. */
  readonly answers: string[];
  /** Answers that were let go of before those. */
  forgottenAnswers: number;
  resolvedModel?: string;
  error?: string;
  activeMs: number;
  activeStartedAt?: string;
  idleSince?: string;
  completedAt?: string;
  /** Lines for people on what it did last; bounded. */
  readonly activity: { readonly message: string; readonly timestamp: string }[];
  /** Settles when it has answered, failed or ended. */
  done: Promise<void>;
  /** Settles when whoever waits for it is to wait no longer. */
  readonly promoted: Promise<void>;
}

export interface TaskRequest {
  readonly agent: AgentDefinition;
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  readonly mode: "sync" | "background";
  /** Default: one of its own. */
  readonly toolCallId?: string;
  readonly depth: number;
  readonly parentAgentId?: string;
  /** In place of the agent's own. */
  readonly model?: string;
  readonly reasoningEffort?: string;
  /** Ends the work of one that is waited for. */
  readonly signal?: AbortSignal;
}

/** What a task has besides what others may see of it. */
interface Work {
  readonly task: AgentTask;
  readonly settings: SessionSettings;
  readonly promote: () => void;
  controller: AbortController;
  /** Undefined once it is over. */
  conversation: SubAgentConversation | undefined;
  startedMs: number;
}

export const DEFAULT_MAX_CONCURRENCY = 8;
/** Finished tasks that are still listed. */
const MAX_LISTED = 64;
/** Idle agents whose conversations are kept. */
const MAX_KEPT = 8;
const MAX_ANSWERS = 20;
const MAX_ACTIVITY = 20;

export function agentTasksOf(session: Session, services: SubAgentServices): AgentTasks {
  const known = activeAgents.of(session);
  if (known instanceof AgentTasks) return known;
  const made = new AgentTasks(session, services);
  activeAgents.set(session, made);
  return made;
}

export class AgentTasks implements ActiveAgents {
  readonly #session: Session;
  readonly #services: SubAgentServices;
  /** Oldest first. */
  readonly #work = new Map<string, Work>();
  readonly #slots: AgentSlots;

  constructor(session: Session, services: SubAgentServices) {
    this.#session = session;
    this.#services = services;
    this.#slots = new AgentSlots(() => session.settings.subagents?.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY);
  }

  get working(): number {
    let working = 0;
    for (const { task } of this.#work.values()) if (task.status === "running") working += 1;
    return working;
  }

  isWaiting(toolCallId: string, isWaiting: (waiter: Waiter) => boolean): boolean {
    for (const { task, conversation } of this.#work.values()) {
      if (task.toolCallId !== toolCallId || task.status !== "running" || task.mode !== "sync") continue;
      const calls = conversation?.state.openToolCalls ?? [];
      return calls.length > 0 ? calls.every(isWaiting) : isWaiting({ agentId: task.id });
    }
    return false;
  }

  list(): AgentTask[] {
    return [...this.#work.values()].map(({ task }) => task);
  }

  find(id: string): AgentTask | undefined {
    return this.#work.get(id)?.task;
  }

  /** Begins a task; it works once there is a place for it. */
  start(request: TaskRequest): AgentTask {
    const { agent, name, description, depth, parentAgentId, model } = request;
    let promote: () => void = () => undefined;
    const promoted = new Promise<void>((resolve) => {
      promote = resolve;
    });
    const task: AgentTask = {
      id: newAgentId(name),
      agent,
      name,
      description,
      depth,
      parentAgentId,
      model,
      startedAt: new Date().toISOString(),
      toolCallId: request.toolCallId ?? randomUUID(),
      mode: request.mode,
      prompt: request.prompt,
      status: "running",
      answers: [],
      forgottenAnswers: 0,
      activeMs: 0,
      activity: [],
      done: Promise.resolve(),
      promoted,
    };
    const conversation = new SubAgentConversation({
      session: this.#session,
      agentId: task.id,
      agent,
      parentToolCallId: () => task.toolCallId,
    });
    const settings = this.#settingsFor(request);
    const controller = createRunController();
    const work: Work = { task, settings, promote, controller, conversation, startedMs: 0 };
    this.#work.set(task.id, work);
    this.#begin(work, request.signal);
    return task;
  }

  /**
   * Tells an agent more: in its turn when it is working, otherwise as its next one.
   * @returns why that cannot be; undefined when it was told.
   */
  send(
    id: string,
    message: string,
    from: { toolCallId?: string; agentId?: string } = {},
  ): string | undefined {
    const work = this.#work.get(id);
    if (!work) return `there is no agent with the id '${id}'`;
    const { task, conversation } = work;
    if (!conversation) return `the agent '${id}' is ${task.status}, and what it knew is gone: start another`;
    if (task.status === "running") {
      const source = `agent-${from.agentId ?? this.#session.id}`;
      const prompt = { messageId: randomUUID(), prompt: message, steering: true, source };
      conversation.record("rightseat.prompt_queued", { prompt });
      return undefined;
    }
    task.prompt = message;
    task.mode = "background";
    if (from.toolCallId !== undefined) task.toolCallId = from.toolCallId;
    work.controller = createRunController();
    this.#begin(work);
    return undefined;
  }

  /** False when it is not working and has nothing left that could be ended. */
  cancel(id: string): boolean {
    const work = this.#work.get(id);
    if (work?.task.status === "running") {
      work.controller.abort(new RunAborted("user_initiated"));
      return true;
    }
    if (work?.task.status !== "idle") return false;
    this.#letGo(work, "cancelled");
    this.#changed();
    return true;
  }

  async cancelAll(): Promise<void> {
    const working = [...this.#work.values()].filter(({ task }) => task.status === "running");
    for (const { controller } of working) controller.abort(new RunAborted("user_initiated"));
    await Promise.all(working.map(({ task }) => task.done));
  }

  /** Takes a task that is not working off the list. */
  remove(id: string): boolean {
    const work = this.#work.get(id);
    if (!work || work.task.status === "running") return false;
    this.#letGo(work, "completed");
    this.#work.delete(id);
    this.#changed();
    return true;
  }

  /** The task that somebody waits for, and need not. */
  promotable(): AgentTask | undefined {
    return this.list().findLast((task) => task.status === "running" && task.mode === "sync");
  }

  /** Whoever waits for the task waits no longer; it goes on, and its end is told like others'. */
  promote(id: string): boolean {
    const work = this.#work.get(id);
    if (work?.task.status !== "running" || work.task.mode !== "sync") return false;
    work.task.mode = "background";
    work.promote();
    this.#changed();
    return true;
  }

  #begin(work: Work, signal?: AbortSignal): void {
    const { task, controller } = work;
    task.status = "running";
    task.activeStartedAt = new Date().toISOString();
    task.idleSince = undefined;
    work.startedMs = performance.now();
    const onAbort = () => {
      if (task.mode === "sync") controller.abort(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    task.done = runErrand(this.#session, controller, () => this.#carryOut(work))
      .catch((error) => this.#services.onBug(error, this.#session))
      .finally(() => signal?.removeEventListener("abort", onAbort))
      .then(() => this.#ended(work));
    this.#changed();
  }

  async #carryOut(work: Work): Promise<void> {
    const { task, controller, settings } = work;
    const conversation = work.conversation as SubAgentConversation;
    const { signal } = controller;
    let outcome: SubAgentOutcome = { kind: "aborted", response: "", toolCalls: 0, tokens: 0 };
    let entered = false;
    this.#tellStart(work);
    try {
      await this.#slots.enter(task.depth, signal);
      entered = true;
      outcome = await runSubAgent(this.#services, {
        conversation,
        caller: {
          agentId: task.id,
          parentAgentId: task.parentAgentId,
          requiresModel: this.#requiredModel(task.agent) !== undefined,
        },
        agent: task.agent,
        depth: task.depth,
        prompt: task.prompt,
        settings,
        signal,
        onActivity: (message) => this.#note(task, message),
      });
    } catch (error) {
      if (!signal.aborted) outcome = { ...outcome, kind: "failed", error: (error as Error).message };
    } finally {
      if (entered) this.#slots.leave(task.depth);
    }
    this.#settle(work, outcome);
  }

  #settle(work: Work, outcome: SubAgentOutcome): void {
    const { task } = work;
    const durationMs = Math.round(performance.now() - work.startedMs);
    task.activeMs += durationMs;
    task.activeStartedAt = undefined;
    task.resolvedModel = outcome.model ?? task.resolvedModel;
    const named = {
      toolCallId: task.toolCallId,
      agentName: task.agent.name,
      agentDisplayName: displayNameOf(task),
      ...(outcome.model !== undefined ? { model: outcome.model } : {}),
      totalToolCalls: outcome.toolCalls,
      totalTokens: outcome.tokens,
      durationMs,
    };
    if (outcome.kind === "done") {
      task.answers.push(outcome.response);
      if (task.answers.length > MAX_ANSWERS) {
        task.answers.shift();
        task.forgottenAnswers += 1;
      }
      task.status = "idle";
      task.idleSince = new Date().toISOString();
      this.#session.append("subagent.completed", named, task.id);
    } else if (outcome.kind === "failed") {
      task.error = outcome.error ?? "it failed";
      this.#letGo(work, "failed");
      this.#session.append("subagent.failed", { ...named, error: task.error }, task.id);
    } else {
      this.#letGo(work, "cancelled");
      // A session that is suspended says nothing more; whoever resumes it finds the agent cut off.
      if (outcome.kind === "aborted")
        this.#session.append("subagent.completed", { ...named, cancelled: true }, task.id);
    }
  }

  /** After the errand: whoever waits in the session may go on. */
  #ended({ task }: Work): void {
    this.#forgetOld();
    this.#changed();
    if (this.#session.closing || task.mode !== "background") return;
    if (task.status === "idle" || task.status === "failed") {
      notifyModel(this.#session, {
        text: toNotice(task),
        kind: {
          type: "agent_completed",
          agentId: task.id,
          displayName: displayNameOf(task),
          agentType: task.agent.name,
          status: task.status === "failed" ? "failed" : "completed",
          description: task.description,
        },
      });
    } else this.#session.signal("agent-ended");
  }

  #tellStart({ task, settings }: Work): void {
    this.#session.append(
      "subagent.started",
      {
        toolCallId: task.toolCallId,
        agentName: task.agent.name,
        agentDisplayName: displayNameOf(task),
        agentDescription: task.agent.source === "builtin" ? task.description : task.agent.description,
        ...(settings.model !== undefined ? { model: settings.model } : {}),
        ...(task.parentAgentId !== undefined ? { parentId: task.parentAgentId } : {}),
        resumable: false,
        agentType: task.agent.name,
        executionMode: task.mode,
      },
      task.id,
    );
  }

  /**
   * Model and effort: what the call says, then what the user set for the agent, then the agent's own, then
   * the session's. A model that is required wins over the call's.
   */
  #settingsFor({ agent, model, reasoningEffort }: TaskRequest): SessionSettings {
    const { settings } = this.#session;
    const set = settings.subagents?.agents?.[agent.name];
    const chosen = this.#requiredModel(agent) ?? model ?? set?.model ?? agent.model ?? settings.model;
    const isParents = chosen === settings.model;
    return {
      ...settings,
      model: chosen,
      modelCapabilities: isParents ? settings.modelCapabilities : undefined,
      reasoningEffort:
        reasoningEffort ??
        set?.effortLevel ??
        agent.reasoningEffort ??
        (isParents ? settings.reasoningEffort : undefined),
    };
  }

  #requiredModel(agent: AgentDefinition): string | undefined {
    const set = this.#session.settings.subagents?.agents?.[agent.name];
    if (set?.modelPolicy === "required" && set.model !== undefined) return set.model;
    return agent.requiresModel ? agent.model : undefined;
  }

  #note(task: AgentTask, message: string): void {
    task.activity.push({ message, timestamp: new Date().toISOString() });
    if (task.activity.length > MAX_ACTIVITY) task.activity.shift();
    this.#changed();
  }

  #letGo(work: Work, status: "completed" | "failed" | "cancelled"): void {
    work.task.status = status;
    work.task.idleSince = undefined;
    work.task.completedAt = new Date().toISOString();
    work.conversation = undefined;
  }

  #forgetOld(): void {
    const resting = [...this.#work.values()].filter(({ task }) => task.status !== "running");
    const kept = resting.filter(({ conversation }) => conversation !== undefined);
    for (const work of kept.slice(0, Math.max(0, kept.length - MAX_KEPT))) this.#letGo(work, "completed");
    for (const { task } of resting.slice(0, Math.max(0, resting.length - MAX_LISTED)))
      this.#work.delete(task.id);
  }

  #changed(): void {
    this.#session.emit("session.background_tasks_changed", {});
  }
}

export function displayNameOf(task: AgentTask): string {
  return task.agent.source === "builtin" ? task.name : task.agent.displayName;
}

/** What the model is told when an agent that it does not wait for has ended. Recorded conversations hold the first sentence. */
function toNotice({ id, name, agent, status }: AgentTask): string {
  if (status === "failed") {
    return `Agent "${name}" (${agent.name}) has failed. Use read_agent with agent_id "${id}" to see why.`;
  }
  return `Agent "${name}" (${agent.name}) has completed successfully. Use read_agent with agent_id "${id}" to retrieve the full results.`;
}

/** Readable, and never the same twice: events of the log carry it. */
function newAgentId(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return `${slug || "agent"}-${randomBytes(4).toString("hex")}`;
}
