/**
 * The sub-agents of a session: who works on what, for whom, and what came of it. A task is begun by the
 * tool `task` or by a client; whoever began it waits for it, or is told when it is done.
 *
 * States: running → idle (it has answered, and can be told more) → running …; running → failed or
 * cancelled. The last few idle agents are in the session's state, and what they know in its log: they outlive a sleep
 * of the session and an end of the server. Older ones are completed. All others are known while the session is open.
 */

import { randomUUID } from "node:crypto";
import { createRunController } from "../../../agent/run-controller.ts";
import { RunAborted } from "../../../agent/run-host.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Waiter } from "../../members/client-waits.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import { doBeside } from "../../open/side-work.ts";
import {
  type ConversationState,
  createConversationState,
  type IdleAgent,
} from "../../state/session-state.ts";
import type { ActiveAgents } from "../agents/active-agents.ts";
import { activeAgents } from "../agents/active-agents.ts";
import { AgentSlots } from "./agent-slots.ts";
import {
  type AgentTask,
  createTask,
  displayNameOf,
  idleOf,
  type TaskRequest,
  takeAnswer,
  taskOf,
  toNotice,
} from "./agent-task.ts";
import { notifyModel } from "./notify-model.ts";
import { type RecalledAgent, recallAgents } from "./recall-agents.ts";
import { runSubAgent, type SubAgentOutcome, type SubAgentServices } from "./sub-agent.ts";
import { SubAgentConversation } from "./sub-agent-conversation.ts";

/** What a task has besides what others may see of it. */
interface Work {
  readonly task: AgentTask;
  /** Undefined until it is told more, for one that the log knows of. */
  definition: AgentDefinition | undefined;
  /** In place of the agent's own. */
  readonly reasoningEffort?: string;
  readonly promote: () => void;
  controller: AbortController;
  /** Set while it works. */
  working?: SubAgentConversation;
  /** What it knows; not while the session sleeps, and not once it is over. */
  state: ConversationState | undefined;
  startedMs: number;
}

/** What is needed while it works. */
interface Working {
  readonly definition: AgentDefinition;
  readonly conversation: SubAgentConversation;
  readonly settings: SessionSettings;
}

export const DEFAULT_MAX_CONCURRENCY = 8;
/** Finished tasks that are still listed. */
const MAX_LISTED = 64;
const MAX_ACTIVITY = 20;

export function agentTasksOf(session: Session, services: SubAgentServices): AgentTasks {
  const known = activeAgents.of(session);
  if (known instanceof AgentTasks) return known;
  const made = new AgentTasks(session, services);
  activeAgents.set(session, made);
  session.whenAsleep(() => made.sleep());
  return made;
}

/** With the idle agents that the session's log knows of. @throws StoreError or RpcError when it cannot be read. */
export async function knownAgentTasks(session: Session, services: SubAgentServices): Promise<AgentTasks> {
  const tasks = agentTasksOf(session, services);
  await tasks.recall();
  return tasks;
}

export class AgentTasks implements ActiveAgents {
  readonly #session: Session;
  readonly #services: SubAgentServices;
  /** By id. */
  readonly #work = new Map<string, Work>();
  readonly #slots: AgentSlots;
  #recalling: Promise<void> | undefined;

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
    for (const { task, state } of this.#work.values()) {
      if (task.toolCallId !== toolCallId || task.status !== "running" || task.mode !== "sync") continue;
      const calls = state?.openToolCalls ?? [];
      return calls.length > 0 ? calls.every(isWaiting) : isWaiting({ agentId: task.id });
    }
    return false;
  }

  /** Oldest first. */
  list(): AgentTask[] {
    const tasks = [...this.#work.values()].map(({ task }) => task);
    return tasks.sort((one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt));
  }

  find(id: string): AgentTask | undefined {
    return this.#work.get(id)?.task;
  }

  /** Brings back what is in the log alone: idle agents of before a sleep of the session, or an end of the server. */
  async recall(): Promise<void> {
    await this.#session.wake();
    while (this.#missing().length > 0) {
      this.#recalling ??= this.#readMissing().finally(() => {
        this.#recalling = undefined;
      });
      await this.#recalling;
    }
    this.#forgetOld();
  }

  #missing(): readonly IdleAgent[] {
    return (this.#session.state.idleAgents ?? []).filter(({ agentId }) => {
      const known = this.#work.get(agentId);
      return known === undefined || (known.task.status === "idle" && known.state === undefined);
    });
  }

  async #readMissing(): Promise<void> {
    const ids = this.#missing().map(({ agentId }) => agentId);
    const end = this.#session.beginAside();
    try {
      const recalled = await recallAgents(this.#services.log, this.#session, ids);
      for (const idle of this.#missing()) {
        const agent = recalled.get(idle.agentId);
        if (agent) this.#putBack(idle, agent);
      }
    } finally {
      end();
    }
  }

  #putBack(idle: IdleAgent, recalled: RecalledAgent): void {
    const { agentId, reasoningEffort } = idle;
    const { state } = recalled;
    const known = this.#work.get(agentId);
    if (known) {
      if (known.task.status === "idle") known.state ??= state;
      return;
    }
    const task = taskOf(idle, recalled);
    const controller = createRunController();
    const promote = () => undefined;
    const work = { task, definition: undefined, reasoningEffort, promote, controller, state, startedMs: 0 };
    this.#work.set(agentId, work);
  }

  /** Begins a task; it works once there is a place for it. */
  start(request: TaskRequest): AgentTask {
    const { agent, reasoningEffort } = request;
    let promote: () => void = () => undefined;
    const promoted = new Promise<void>((resolve) => {
      promote = resolve;
    });
    const task = createTask(request, promoted);
    const work: Work = {
      task,
      definition: agent,
      reasoningEffort,
      promote,
      controller: createRunController(),
      state: createConversationState(),
      startedMs: 0,
    };
    this.#work.set(task.id, work);
    this.#begin(work, agent, request.signal);
    return task;
  }

  /**
   * Tells an agent more: in its turn when it is working, otherwise as its next one.
   * @returns why that cannot be; undefined when it was told.
   * @throws StoreError or RpcError when what it knows cannot be read.
   */
  async send(
    id: string,
    message: string,
    from: { toolCallId?: string; agentId?: string } = {},
  ): Promise<string | undefined> {
    await this.recall();
    const work = this.#work.get(id);
    if (!work) return `there is no agent with the id '${id}'`;
    const { task, working } = work;
    if (working) {
      const source = `agent-${from.agentId ?? this.#session.id}`;
      const prompt = { messageId: randomUUID(), prompt: message, steering: true, source };
      working.record("rightseat.prompt_queued", { prompt });
      return undefined;
    }
    if (task.status !== "idle")
      return `the agent '${id}' is ${task.status}, and what it knew is gone: start another`;
    if (!work.definition) {
      const agents = await this.#services.dispatchableAgents(this.#session);
      work.definition = agents.find(({ name }) => name === task.agent.name);
      if (!work.definition)
        return `the agent '${id}' answers as '${task.agent.name}', and the session has no such agent now`;
      // Others may have told it something meanwhile.
      return this.send(id, message, from);
    }
    task.prompt = message;
    task.mode = "background";
    if (from.toolCallId !== undefined) task.toolCallId = from.toolCallId;
    work.controller = createRunController();
    this.#begin(work, work.definition);
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
    this.#end(work, "cancelled");
    this.#changed();
    return true;
  }

  /** What idle agents know is read again when it is needed. */
  sleep(): void {
    for (const work of this.#work.values()) if (work.task.status !== "running") work.state = undefined;
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
    this.#end(work, "completed");
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

  #begin(work: Work, definition: AgentDefinition, signal?: AbortSignal): void {
    const { task, controller } = work;
    task.status = "running";
    task.activeStartedAt = new Date().toISOString();
    task.idleSince = undefined;
    work.startedMs = performance.now();
    const conversation = new SubAgentConversation({
      session: this.#session,
      agentId: task.id,
      agent: definition,
      state: work.state as ConversationState,
      parentToolCallId: task.toolCallId,
    });
    const settings = this.#settingsFor(work, definition);
    work.working = conversation;
    const onAbort = () => {
      if (task.mode === "sync") controller.abort(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    task.done = doBeside(this.#session, controller, () =>
      this.#carryOut(work, { definition, conversation, settings }),
    )
      .catch((error) => this.#services.onBug(error, this.#session))
      .finally(() => signal?.removeEventListener("abort", onAbort))
      .then(() => this.#ended(work));
    this.#changed();
  }

  async #carryOut(work: Work, working: Working): Promise<void> {
    const { task, controller } = work;
    const { definition, conversation, settings } = working;
    const { signal } = controller;
    let outcome: SubAgentOutcome = { kind: "aborted", response: "", toolCalls: 0, tokens: 0 };
    let entered = false;
    this.#tellStart(task, working);
    try {
      await this.#slots.enter(task.depth, signal);
      entered = true;
      outcome = await runSubAgent(this.#services, {
        conversation,
        caller: {
          agentId: task.id,
          parentAgentId: task.parentAgentId,
          requiresModel: this.#requiredModel(definition) !== undefined,
        },
        agent: definition,
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
    work.working = undefined;
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
      takeAnswer(task, outcome.response);
      task.status = "idle";
      task.idleSince = new Date().toISOString();
      this.#session.append("subagent.completed", named, task.id);
      this.#session.record("rightseat.agent_idle", idleOf(work, outcome.response), task.id);
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

  /** After the work beside runs: whoever waits in the session may go on. */
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

  #tellStart(task: AgentTask, { definition, settings }: Working): void {
    this.#session.append(
      "subagent.started",
      {
        toolCallId: task.toolCallId,
        agentName: task.agent.name,
        agentDisplayName: displayNameOf(task),
        agentDescription: definition.source === "builtin" ? task.description : definition.description,
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
  #settingsFor({ task, reasoningEffort }: Work, agent: AgentDefinition): SessionSettings {
    const { model } = task;
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

  /** Ends an agent that had answered: the log has it as well. */
  #end(work: Work, status: "completed" | "cancelled"): void {
    if (work.task.status === "idle") this.#session.record("rightseat.agent_gone", {}, work.task.id);
    this.#letGo(work, status);
  }

  #letGo(work: Work, status: "completed" | "failed" | "cancelled"): void {
    work.task.status = status;
    work.task.idleSince = undefined;
    work.task.completedAt = new Date().toISOString();
    work.state = undefined;
  }

  #forgetOld(): void {
    const resting = [...this.#work.values()].filter(({ task }) => task.status !== "running");
    const kept = new Set(this.#session.state.idleAgents?.map(({ agentId }) => agentId));
    for (const work of resting)
      if (work.task.status === "idle" && !kept.has(work.task.id)) this.#letGo(work, "completed");
    for (const { task } of resting.slice(0, Math.max(0, resting.length - MAX_LISTED)))
      this.#work.delete(task.id);
  }

  #changed(): void {
    this.#session.emit("session.background_tasks_changed", {});
  }
}
