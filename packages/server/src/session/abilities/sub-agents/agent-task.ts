/** One task of a sub-agent, as others may see it: what it is made of, and what of it is in the log while it is idle. */
import { randomBytes, randomUUID } from "node:crypto";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { PrivateRecordMap } from "../../state/private-records.ts";
import type { ConversationState, IdleAgent } from "../../state/session-state.ts";
import { lastAnswerOf, type RecalledAgent } from "./recall-agents.ts";

export type TaskStatus = "running" | "idle" | "completed" | "failed" | "cancelled";

export interface AgentTask {
  readonly id: string;
  readonly agent: IdleAgent["agent"];
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

/** @param promoted as in `AgentTask`. */
export function createTask(request: TaskRequest, promoted: Promise<void>): AgentTask {
  const { agent, name, description, depth, parentAgentId, model } = request;
  return {
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
}

/** An idle agent as the log knows it. */
export function taskOf(idle: IdleAgent, { prompt, answers }: RecalledAgent): AgentTask {
  const { agentId, reasoningEffort: _, ...facts } = idle;
  const task: AgentTask = {
    ...facts,
    id: agentId,
    prompt,
    status: "idle",
    answers: [],
    forgottenAnswers: 0,
    activity: [],
    done: Promise.resolve(),
    promoted: Promise.resolve(),
  };
  for (const answer of answers) takeAnswer(task, answer);
  return task;
}

const MAX_ANSWERS = 20;

export function takeAnswer(task: AgentTask, answer: string): void {
  task.answers.push(answer);
  if (task.answers.length <= MAX_ANSWERS) return;
  task.answers.shift();
  task.forgottenAnswers += 1;
}

interface Answered {
  readonly task: AgentTask;
  readonly reasoningEffort?: string;
  readonly state: ConversationState | undefined;
}

/** What the log is told of an agent that has answered. */
export function idleOf(
  { task, reasoningEffort, state }: Answered,
  response: string,
): PrivateRecordMap["rightseat.agent_idle"] {
  const { name, displayName, source } = task.agent;
  return {
    agent: { name, displayName, source },
    name: task.name,
    description: task.description,
    depth: task.depth,
    parentAgentId: task.parentAgentId,
    toolCallId: task.toolCallId,
    mode: task.mode,
    model: task.model,
    reasoningEffort,
    resolvedModel: task.resolvedModel,
    startedAt: task.startedAt,
    idleSince: task.idleSince ?? "",
    activeMs: task.activeMs,
    ...(state && lastAnswerOf(state) !== response ? { answer: response } : {}),
  };
}

export function displayNameOf(task: AgentTask): string {
  return task.agent.source === "builtin" ? task.name : task.agent.displayName;
}

/** What the model is told when an agent that it does not wait for has ended. Recorded conversations hold the first sentence. */
export function toNotice({ id, name, agent, status }: AgentTask): string {
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
