/** Methods on what a session's sub-agents work on: `session.tasks.*`, their settings, and fleets. */
import { RpcError, type TaskAgentInfo, type TaskShellInfo } from "@rightseat/protocol";
import { submitBeside } from "../session/abilities/hooks/prompt-hooks.ts";
import { type AgentTask, displayNameOf } from "../session/abilities/sub-agents/agent-task.ts";
import { type AgentTasks, knownAgentTasks } from "../session/abilities/sub-agents/agent-tasks.ts";
import { dispatchableAgents } from "../session/abilities/sub-agents/agent-tools.ts";
import { fleetPrompt } from "../session/abilities/sub-agents/fleet-prompt.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { SUBAGENT_FIELDS } from "../session/members/nested-fields.ts";
import { FLEET_FIELDS } from "../session/members/prompt-fields.ts";
import type { Session } from "../session/open/session.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { acceptPrompt } from "../session/runs/accept-prompt.ts";
import type { ShellTask, ShellTasks } from "../tools/shell-task.ts";
import { type Methods, type Scope, withSession } from "./method.ts";
import type { Services } from "./services.ts";

/** How long a reader of output may wait for more. */
const MAX_READ_WAIT_MS = 30_000;

export function sessionTaskMethods(services: Services) {
  const ofSession = withSession(services);
  const ofTasks = <P extends { sessionId: string }, R>(
    act: (tasks: AgentTasks, params: P, scope: Scope, session: Session) => R | Promise<R>,
  ) =>
    ofSession(async (session, params: P, scope) =>
      act(await knownAgentTasks(session, services.runs), params, scope, session),
    );
  return {
    "session.tasks.list": ofTasks(async (tasks, _params, _scope, session) => ({
      tasks: [
        ...tasks.list().map(toTaskInfo),
        ...(await services.shellTasksOf(session)).list().map(toShellInfo),
      ],
    })),
    "session.tasks.readOutput": ofSession(async (session, params, scope) => {
      const shells = await services.shellTasksOf(session);
      const task = shells.find(params.id);
      if (!task)
        throw new RpcError(
          "invalid_params",
          `id: expected the id of a command that runs in the background, as session.tasks.list has them, got '${params.id}'`,
          { path: "id" },
        );
      const waitMs = Math.min(Math.max(params.waitMs ?? 0, 0), MAX_READ_WAIT_MS);
      const { text, cursor, isLast } = await task.read(params.cursor ?? undefined, waitMs, scope.signal);
      return {
        text,
        cursor,
        ...(isLast ? { exit: exitOf(await services.shellTasksOf(session), task) } : {}),
      };
    }),
    "session.tasks.startAgent": ofTasks(async (tasks, params, scope, session) => {
      const agents = dispatchableAgents(session);
      const agent = agents.find(({ name, id }) => name === params.agentType || id === params.agentType);
      if (!agent) {
        const known = agents.map(({ name }) => name).join(", ");
        throw new RpcError(
          "invalid_params",
          `session.tasks.startAgent: agentType: expected one of ${known || "no agents"}, got '${params.agentType}'`,
          { path: "agentType" },
        );
      }
      if (params.model !== undefined) await services.runs.checkAgentModel(session, params.model);
      const { name, model } = params;
      const prompt = await submitBeside(services.runs.hooks, session, params.prompt, scope.signal);
      const description = params.description ?? name;
      const task = tasks.start({ agent, name, description, prompt, model, mode: "background", depth: 1 });
      await session.committed();
      return { agentId: task.id };
    }),
    // What there is to know is known at once.
    "session.tasks.refresh": ofSession(() => ({})),
    "session.tasks.waitForPending": ofTasks(async (tasks, _params, scope, session) => {
      while (tasks.working > 0 && !scope.signal.aborted) {
        await Promise.all(tasks.list().map(({ done }) => done));
        // Its end may have begun a run, which may begin others.
        await session.run?.done;
      }
      return {};
    }),
    "session.tasks.getProgress": ofTasks(async (tasks, params, _scope, session) => {
      const task = tasks.find(params.id);
      const shell = task ? undefined : (await services.shellTasksOf(session)).find(params.id);
      if (shell) return { progress: { type: "shell", recentOutput: shell.recentOutput, pid: shell.pid } };
      return { progress: task ? { type: "agent", recentActivity: [...task.activity] } : null };
    }),
    "session.tasks.getCurrentPromotable": ofTasks((tasks) => withTask(tasks.promotable())),
    "session.tasks.promoteToBackground": ofTasks((tasks, params) => ({
      promoted: tasks.promote(params.id),
    })),
    "session.tasks.promoteCurrentToBackground": ofTasks((tasks) => {
      const task = tasks.promotable();
      return withTask(task && tasks.promote(task.id) ? task : undefined);
    }),
    "session.tasks.cancel": ofTasks(async (tasks, params, _scope, session) => ({
      cancelled:
        tasks.cancel(params.id) ||
        ((await (await services.shellTasksOf(session)).find(params.id)?.cancel()) ?? false),
    })),
    "session.cancelAllBackgroundAgents": ofTasks((tasks) => {
      const working = tasks
        .list()
        .filter(({ status, mode }) => status === "running" && mode === "background");
      for (const { id } of working) tasks.cancel(id);
      return working.length;
    }),
    "session.tasks.remove": ofTasks((tasks, params) => ({
      removed: tasks.remove(params.id),
    })),
    "session.tasks.sendMessage": ofTasks(async (tasks, params, scope, session) => {
      const message = await submitBeside(services.runs.hooks, session, params.message, scope.signal);
      const error = await tasks.send(params.id, message, { agentId: params.fromAgentId });
      return error === undefined ? { sent: true } : { sent: false, error };
    }),
    "session.tools.updateSubagentSettings": ofSession((session, params, scope) => {
      const unheard = checkFields("session.tools.updateSubagentSettings", params, SUBAGENT_FIELDS);
      session.say({ subagents: params.subagents ?? null }, scope.link);
      warnOfFields(session, scope.link, unheard);
      return {};
    }),
    "session.tools.getSubagentSettings": ofSession((session) => ({
      subagents: session.settings.subagents ?? null,
    })),
    "session.fleet.start": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.fleet.start", params, FLEET_FIELDS);
      const prompt = {
        prompt: fleetPrompt(params.prompt),
        ...(params.prompt !== undefined ? { displayPrompt: params.prompt } : {}),
        attachments: params.attachments,
      };
      warnOfFields(session, scope.link, unheard);
      await acceptPrompt(services.runs, session, prompt);
      if (params.wait) await session.run?.done;
      return { started: true };
    }),
  } satisfies Methods;
}

function withTask(task: AgentTask | undefined) {
  return task ? { task: toTaskInfo(task) } : {};
}

/** `TaskShellInfo` of api.schema.json. */
function toShellInfo({
  id,
  command,
  description,
  startedAt,
  completedAt,
  status,
  pid,
}: ShellTask): TaskShellInfo {
  return {
    type: "shell",
    id,
    description,
    status,
    startedAt,
    command,
    attachmentMode: "detached",
    executionMode: "background",
    canPromoteToBackground: false,
    pid,
    ...(completedAt !== undefined ? { completedAt } : {}),
  };
}

function exitOf(shells: ShellTasks, before: ShellTask) {
  // It may have ended while it was read.
  const { status, exitCode } = shells.find(before.id) ?? before;
  return { status, ...(exitCode !== undefined ? { exitCode } : {}) };
}

/** `TaskAgentInfo` of api.schema.json. */
function toTaskInfo(task: AgentTask): TaskAgentInfo {
  const { answers, status, error, model, resolvedModel, activeStartedAt, completedAt, idleSince } = task;
  const last = answers.at(-1);
  return {
    type: "agent",
    id: task.id,
    toolCallId: task.toolCallId,
    displayName: displayNameOf(task),
    description: task.description,
    status,
    startedAt: task.startedAt,
    agentType: task.agent.name,
    prompt: task.prompt,
    executionMode: task.mode,
    canPromoteToBackground: status === "running" && task.mode === "sync",
    activeTimeMs: task.activeMs,
    ...(activeStartedAt !== undefined ? { activeStartedAt } : {}),
    ...(completedAt !== undefined ? { completedAt } : {}),
    ...(idleSince !== undefined ? { idleSince } : {}),
    ...(error !== undefined ? { error } : {}),
    ...(last !== undefined ? { latestResponse: last, result: last } : {}),
    ...(model !== undefined ? { model } : {}),
    ...(resolvedModel !== undefined ? { resolvedModel } : {}),
  };
}
