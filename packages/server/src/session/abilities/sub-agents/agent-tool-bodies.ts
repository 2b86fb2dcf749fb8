/** What the agent tools do; loaded when a model first calls one of them. */
import type { ToolContext, ToolResult } from "../../../tools/tool.ts";
import {
  optionalBoolean,
  optionalChoice,
  optionalNumber,
  optionalText,
  requiredText,
  toArguments,
} from "../../../tools/tool-arguments.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Session } from "../../open/session.ts";
import type { AgentTask } from "./agent-task.ts";
import { type AgentTasks, agentTasksOf, knownAgentTasks } from "./agent-tasks.ts";
import type { SubAgentServices } from "./sub-agent.ts";

/** The user of the tools: the session itself, or a sub-agent of it. */
export interface AgentToolUser {
  readonly session: Session;
  /** 0 for the session itself. */
  readonly depth: number;
  readonly agentId?: string;
}

export function agentToolBodies(services: SubAgentServices, user: AgentToolUser) {
  const tasks = () => knownAgentTasks(user.session, services);
  return {
    read: async (args: unknown, context: ToolContext) => readAgent(await tasks(), args, context),
    list: async (args: unknown, _context: ToolContext) => listAgents(await tasks(), args),
    write: async (args: unknown, context: ToolContext) => writeAgent(await tasks(), user, args, context),
    start: (agents: readonly AgentDefinition[], args: unknown, context: ToolContext) =>
      startTask(services, user, agents, args, context),
  };
}

async function startTask(
  services: SubAgentServices,
  user: AgentToolUser,
  agents: readonly AgentDefinition[],
  args: unknown,
  context: ToolContext,
): Promise<ToolResult> {
  const given = toArguments(args);
  const type = requiredText(given, "agent_type");
  const prompt = requiredText(given, "prompt");
  const agent = agents.find(({ name, id }) => name === type || id === type);
  if (!agent) {
    const known = agents.map(({ name }) => name).join(", ");
    return failure(`There is no agent '${type}'. Those that there are: ${known}.`, "unknown_agent");
  }
  const model = optionalText(given, "model") || undefined;
  if (model !== undefined) await services.checkAgentModel(user.session, model);
  const mode = optionalChoice(given, "mode", ["sync", "background"]) ?? "sync";
  const task = agentTasksOf(user.session, services).start({
    agent,
    name: optionalText(given, "name") || agent.name,
    description: optionalText(given, "description") || agent.name,
    prompt,
    mode,
    toolCallId: context.toolCallId,
    depth: user.depth + 1,
    parentAgentId: user.agentId,
    model,
    reasoningEffort: optionalText(given, "reasoning_effort") || undefined,
    signal: context.signal,
  });
  if (mode === "background") return success(startedText(task));
  await Promise.race([task.done, task.promoted]);
  context.signal.throwIfAborted();
  if (task.status === "running") return success(startedText(task));
  if (task.status === "failed") return failure(`The agent failed: ${task.error}`, "agent_failed");
  if (task.status === "cancelled") return failure("The agent was cancelled.", "cancelled");
  return success(task.answers.at(-1) ?? "");
}

/** The wording is what recorded conversations hold. */
function startedText({ id }: AgentTask): string {
  return `Agent started in background with agent_id: ${id}. You'll be notified when it completes. Tell the user you're waiting and end your response, or continue unrelated work until notified.`;
}

const DEFAULT_WAIT_SECONDS = 30;
const MAX_WAIT_SECONDS = 180;

async function readAgent(tasks: AgentTasks, args: unknown, { signal }: ToolContext): Promise<ToolResult> {
  const given = toArguments(args);
  const task = tasks.find(requiredText(given, "agent_id"));
  if (!task) return unknownAgent(tasks);
  const range = { min: 0, max: MAX_WAIT_SECONDS };
  const seconds = optionalNumber(given, "timeout", range) ?? DEFAULT_WAIT_SECONDS;
  if (optionalBoolean(given, "wait") && task.status === "running") {
    await waitFor(task, seconds * 1000, signal);
    signal.throwIfAborted();
  }
  const since = optionalNumber(given, "since_turn", { min: 0, max: Number.MAX_SAFE_INTEGER });
  return success(describe(task, since));
}

function waitFor(task: AgentTask, maxMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, maxMs);
    signal.addEventListener("abort", end, { once: true });
    void task.done.then(end);
  });
}

/** The shape of the first line is what recorded conversations hold. */
function describe(task: AgentTask, since: number | undefined): string {
  const { status, answers, forgottenAnswers } = task;
  const turns = forgottenAnswers + answers.length;
  const shown = status === "idle" ? "completed" : status;
  const how = { running: "is running", completed: "completed", failed: "failed", cancelled: "was cancelled" };
  const head = `Agent ${how[shown]}. agent_id: ${task.id}, agent_type: ${task.agent.name}, status: ${shown}, description: ${task.description}, elapsed: ${elapsedSeconds(task)}s, total_turns: ${turns}`;
  const first = Math.max(since ?? turns - 1, forgottenAnswers);
  const wanted = answers.slice(Math.max(0, first - forgottenAnswers));
  const texts =
    since === undefined ? wanted : wanted.map((answer, index) => `[Turn ${first + index}]\n${answer}`);
  return [head, ...texts, ...(task.error === undefined ? [] : [task.error])].join("\n\n");
}

function elapsedSeconds({ activeMs, activeStartedAt }: AgentTask): number {
  const now = activeStartedAt === undefined ? 0 : Date.now() - Date.parse(activeStartedAt);
  return Math.round((activeMs + Math.max(0, now)) / 1000);
}

function listAgents(tasks: AgentTasks, args: unknown): ToolResult {
  const all = optionalBoolean(toArguments(args), "include_completed") ?? true;
  const listed = tasks.list().filter(({ status }) => all || status === "running" || status === "idle");
  if (listed.length === 0) return success("There are no agents.");
  return success(
    listed
      .map(
        (task) =>
          `- agent_id: ${task.id}, agent_type: ${task.agent.name}, status: ${task.status}, description: ${task.description}, elapsed: ${elapsedSeconds(task)}s`,
      )
      .join("\n"),
  );
}

async function writeAgent(
  tasks: AgentTasks,
  user: AgentToolUser,
  args: unknown,
  context: ToolContext,
): Promise<ToolResult> {
  const given = toArguments(args);
  const id = requiredText(given, "agent_id");
  const from = { toolCallId: context.toolCallId, agentId: user.agentId };
  const refused = await tasks.send(id, requiredText(given, "message"), from);
  if (refused !== undefined) return failure(`The message was not sent: ${refused}.`, "not_sent");
  return success("The message was sent. You are told when the agent has answered.");
}

function unknownAgent(tasks: AgentTasks): ToolResult {
  const ids = tasks.list().map(({ id }) => id);
  const known = ids.length > 0 ? ids.join(", ") : "none";
  return failure(
    `There is no such agent. Ids that there are: ${known}. Agents that have failed, or were at work, do not outlive the server.`,
    "unknown_agent",
  );
}

function success(text: string): ToolResult {
  return { resultType: "success", text };
}

function failure(text: string, code: string): ToolResult {
  return { resultType: "failure", text, error: { message: text, code } };
}
