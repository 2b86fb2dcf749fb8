/** Methods on what a session's sub-agents work on: `session.tasks.*`, their settings, and fleets. */
import { RpcError } from "@rightseat/protocol";
import { submitBeside } from "../session/abilities/hooks/prompt-hooks.ts";
import { type AgentTask, agentTasksOf, displayNameOf } from "../session/abilities/sub-agents/agent-tasks.ts";
import { dispatchableAgents } from "../session/abilities/sub-agents/agent-tools.ts";
import { fleetPrompt } from "../session/abilities/sub-agents/fleet-prompt.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { SUBAGENT_FIELDS } from "../session/members/nested-fields.ts";
import { FLEET_FIELDS } from "../session/members/prompt-fields.ts";
import type { SubAgentSettings } from "../session/members/session-settings.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { acceptPrompt } from "../session/runs/accept-prompt.ts";
import type { ShellTask, ShellTasks } from "../tools/shell-task.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}
interface ByTask extends ById {
  id: string;
}

/** How long a reader of output may wait for more. */
const MAX_READ_WAIT_MS = 30_000;

export function sessionTaskMethods(services: Services): Methods {
  const open = async (params: ById, scope: Scope) => {
    const session = await sessionOf(services, scope, params);
    return { session, tasks: agentTasksOf(session, services.runs) };
  };
  const shellsOf = async (params: ById, scope: Scope) =>
    services.shellTasksOf(await sessionOf(services, scope, params));
  return {
    "session.tasks.list": async (params: ById, scope: Scope) => ({
      tasks: [
        ...(await open(params, scope)).tasks.list().map(toTaskInfo),
        ...(await shellsOf(params, scope)).list().map(toShellInfo),
      ],
    }),
    "session.tasks.readOutput": async (
      params: ByTask & { cursor?: string | null; waitMs?: number | null },
      scope: Scope,
    ) => {
      const task = (await shellsOf(params, scope)).find(params.id);
      if (!task)
        throw new RpcError(
          "invalid_params",
          `id: expected the id of a command that runs in the background, as session.tasks.list has them, got '${params.id}'`,
          { path: "id" },
        );
      const waitMs = Math.min(Math.max(params.waitMs ?? 0, 0), MAX_READ_WAIT_MS);
      const { text, cursor, isLast } = await task.read(params.cursor ?? undefined, waitMs, scope.signal);
      return { text, cursor, ...(isLast ? { exit: exitOf(await shellsOf(params, scope), task) } : {}) };
    },
    "session.tasks.startAgent": async (
      params: ById & {
        agentType: string;
        prompt: string;
        name: string;
        description?: string;
        model?: string;
      },
      scope: Scope,
    ) => {
      const { session, tasks } = await open(params, scope);
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
    },
    // What there is to know is known at once.
    "session.tasks.refresh": async (params: ById, scope: Scope) => {
      await open(params, scope);
      return {};
    },
    "session.tasks.waitForPending": async (params: ById, scope: Scope) => {
      const { session, tasks } = await open(params, scope);
      while (tasks.working > 0 && !scope.signal.aborted) {
        await Promise.all(tasks.list().map(({ done }) => done));
        // Its end may have begun a run, which may begin others.
        await session.run?.done;
      }
      return {};
    },
    "session.tasks.getProgress": async (params: ByTask, scope: Scope) => {
      const task = (await open(params, scope)).tasks.find(params.id);
      const shell = task ? undefined : (await shellsOf(params, scope)).find(params.id);
      if (shell) return { progress: { type: "shell", recentOutput: shell.recentOutput, pid: shell.pid } };
      return { progress: task ? { type: "agent", recentActivity: [...task.activity] } : null };
    },
    "session.tasks.getCurrentPromotable": async (params: ById, scope: Scope) =>
      withTask((await open(params, scope)).tasks.promotable()),
    "session.tasks.promoteToBackground": async (params: ByTask, scope: Scope) => ({
      promoted: (await open(params, scope)).tasks.promote(params.id),
    }),
    "session.tasks.promoteCurrentToBackground": async (params: ById, scope: Scope) => {
      const { tasks } = await open(params, scope);
      const task = tasks.promotable();
      return withTask(task && tasks.promote(task.id) ? task : undefined);
    },
    "session.tasks.cancel": async (params: ByTask, scope: Scope) => ({
      cancelled:
        (await open(params, scope)).tasks.cancel(params.id) ||
        ((await (await shellsOf(params, scope)).find(params.id)?.cancel()) ?? false),
    }),
    "session.cancelAllBackgroundAgents": async (params: ById, scope: Scope) => {
      const { tasks } = await open(params, scope);
      const working = tasks
        .list()
        .filter(({ status, mode }) => status === "running" && mode === "background");
      for (const { id } of working) tasks.cancel(id);
      return working.length;
    },
    "session.tasks.remove": async (params: ByTask, scope: Scope) => ({
      removed: (await open(params, scope)).tasks.remove(params.id),
    }),
    "session.tasks.sendMessage": async (
      params: ByTask & { message: string; fromAgentId?: string },
      scope: Scope,
    ) => {
      const { session, tasks } = await open(params, scope);
      const message = await submitBeside(services.runs.hooks, session, params.message, scope.signal);
      const error = tasks.send(params.id, message, { agentId: params.fromAgentId });
      return error === undefined ? { sent: true } : { sent: false, error };
    },
    "session.tools.updateSubagentSettings": async (
      params: ById & { subagents: SubAgentSettings | null },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const unheard = checkFields("session.tools.updateSubagentSettings", params, SUBAGENT_FIELDS);
      session.changeSettings((settings) => ({ ...settings, subagents: params.subagents ?? undefined }));
      warnOfFields(session, scope.link, unheard);
      return {};
    },
    "session.tools.getSubagentSettings": async (params: ById, scope: Scope) => ({
      subagents: (await sessionOf(services, scope, params)).settings.subagents ?? null,
    }),
    "session.fleet.start": async (
      params: ById & { prompt?: string; attachments?: unknown[]; wait?: boolean },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
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
    },
  };
}

function withTask(task: AgentTask | undefined) {
  return task ? { task: toTaskInfo(task) } : {};
}

/** `TaskShellInfo` of api.schema.json. */
function toShellInfo({ id, command, description, startedAt, completedAt, status, pid }: ShellTask) {
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
function toTaskInfo(task: AgentTask) {
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
