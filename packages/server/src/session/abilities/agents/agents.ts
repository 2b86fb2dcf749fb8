/** The agents that a session may answer as, or hand tasks to: its application's, those of files, built-in ones. */

import { resolve } from "node:path";
import { RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import { BUILT_IN_AGENTS } from "../../../agent/built-in-agents.ts";
import type { AgentQuery, FileAgent, FileAgents } from "../../../discovery/agents.ts";
import type { Discovery } from "../../../discovery/discovery-cache.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import { sessionContext } from "../workspace/session-context.ts";
import { withinRoot } from "../workspace/within-root.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";

export interface AgentServices {
  readonly loadAgents: Discovery<AgentQuery, FileAgents>;
  /** Where the user's own agents are. */
  readonly home: string;
  readonly defaultWorkingDirectory: string;
}

export interface SessionAgents {
  /** Without the built-in ones. Ids are unique; the application's go first. */
  readonly agents: readonly AgentDefinition[];
  /** Files that define none, and why. */
  readonly errors: readonly string[];
}

/** The agents of a session's own, as they were seen last. */
export const ownAgents = new Slot<readonly AgentDefinition[]>();

/** Files are looked at only when the session's application wants them to be. Never rejects. */
export async function agentsOf(session: Session, services: AgentServices): Promise<SessionAgents> {
  for (;;) {
    const { settings } = session;
    const found = await agentsFor(settings, workingDirectoryOf(services, session), services);
    // Other settings may have brought other agents meanwhile.
    if (session.settings !== settings) continue;
    ownAgents.set(session, found.agents.length > 0 ? found.agents : undefined);
    return found;
  }
}

async function agentsFor(
  settings: SessionSettings,
  workingDirectory: string,
  services: AgentServices,
): Promise<SessionAgents> {
  const own = (settings.customAgents ?? []).map((spec) => fromSpec(spec, settings.agentPrompts));
  if (!hasFileAgents(settings)) return { agents: own, errors: [] };
  const { agentDirectories = [], confinement } = settings;
  const directories = await withinRoot(
    confinement,
    agentDirectories.map((directory) => resolve(workingDirectory, directory)),
  );
  const mayDiscover = (await withinRoot(confinement, [workingDirectory])).length > 0;
  const discovered =
    settings.enableConfigDiscovery && mayDiscover
      ? {
          workingDirectory,
          gitRoot: (await sessionContext(settings, workingDirectory)).gitRoot,
          home: services.home,
        }
      : {};
  const files = await services.loadAgents({ ...discovered, directories });
  const taken = new Set(own.flatMap(({ id, name }) => [id, name]));
  const found = files.agents
    .filter((agent) => !taken.has(agent.id) && !taken.has(agent.name))
    .map((agent) => fromFile(agent, settings.agentPrompts));
  return { agents: [...own, ...found], errors: files.errors };
}

/** Whether any are looked for in files. */
export function hasFileAgents({ enableConfigDiscovery, agentDirectories }: SessionSettings): boolean {
  return enableConfigDiscovery === true || (agentDirectories?.length ?? 0) > 0;
}

function fromFile(agent: FileAgent, prompts?: SessionSettings["agentPrompts"]): AgentDefinition {
  return { ...agent, displayName: agent.name, prompt: prompts?.[agent.id] ?? agent.prompt };
}

function fromSpec(
  spec: NonNullable<SessionSettings["customAgents"]>[number],
  prompts: SessionSettings["agentPrompts"],
): AgentDefinition {
  return {
    id: spec.name,
    name: spec.name,
    displayName: spec.displayName ?? spec.name,
    description: spec.description ?? "",
    prompt: prompts?.[spec.name] ?? spec.prompt ?? "",
    source: "application",
    ...(spec.tools && !spec.tools.includes("*") ? { tools: spec.tools } : {}),
    ...(spec.model !== undefined ? { model: spec.model } : {}),
    ...(spec.model !== undefined && spec.modelPolicy === "required" ? { requiresModel: true as const } : {}),
    ...(spec.reasoningEffort !== undefined ? { reasoningEffort: spec.reasoningEffort } : {}),
    infer: spec.infer !== false,
    userInvocable: true,
  };
}

/** Those that the session does not leave out, and that no agent of its own has the name of. */
export function builtInAgentsOf(
  settings: SessionSettings,
  own: readonly AgentDefinition[],
): readonly AgentDefinition[] {
  const { excludedBuiltinAgents, includedBuiltinAgents, agentPrompts } = settings;
  return BUILT_IN_AGENTS.filter(
    ({ name }) =>
      excludedBuiltinAgents?.includes(name) !== true &&
      includedBuiltinAgents?.includes(name) !== false &&
      !own.some((agent) => agent.id === name || agent.name === name),
  ).map((agent) => ({
    ...agent,
    id: agent.name,
    prompt: agentPrompts?.[agent.name] ?? agent.prompt,
    source: "builtin",
    infer: true,
    userInvocable: false,
  }));
}

/** By name or id; the session's own go before the built-in ones. */
export async function findAgent(
  session: Session,
  services: AgentServices,
  name: string,
): Promise<AgentDefinition | undefined> {
  return pick(session.settings, await agentsOf(session, services), name);
}

function pick(
  settings: SessionSettings,
  { agents }: SessionAgents,
  name: string,
): AgentDefinition | undefined {
  const all = [...agents, ...builtInAgentsOf(settings, agents)];
  return all.find((agent) => agent.name === name) ?? all.find((agent) => agent.id === name);
}

/**
 * The agent that a client names for a session with these settings.
 * @param path how the parameter is called, for the error.
 * @throws RpcError `invalid_params` when there is none of that name.
 */
export async function requireAgent(
  place: { readonly settings: SessionSettings; readonly workingDirectory: string },
  services: AgentServices,
  name: string,
  path: string,
): Promise<AgentDefinition> {
  const found = await agentsFor(place.settings, place.workingDirectory, services);
  const agent = pick(place.settings, found, name);
  if (agent) return agent;
  const known = found.agents.map((one) => one.name).join(", ") || "it has none";
  throw new RpcError(
    "invalid_params",
    `${path}: expected the name of one of the session's agents (${known}), got '${name}'`,
    { path },
  );
}

/**
 * An agent answers on the session's model when the session answers as it; one that requires its own does not.
 * @throws RpcError `not_supported` when the session has another model than the agent requires.
 */
export function assertAgentModel(agent: AgentDefinition | undefined, model: string | undefined): void {
  if (!agent?.requiresModel || agent.model === model) return;
  throw new RpcError(
    "not_supported",
    `The agent '${agent.name}' requires the model '${agent.model}', and the session has '${model ?? "none yet"}'; switch the session to that model, or hand the agent a task`,
    { agent: agent.name, model: agent.model },
  );
}

/** From now on the session answers as this agent. */
export function selectAgent(session: Session, agent: AgentDefinition): void {
  session.agent = agent;
  session.append("subagent.selected", {
    agentName: agent.name,
    agentDisplayName: agent.displayName,
    tools: agent.tools ? [...agent.tools] : null,
  });
}

/** From now on the session answers as itself. */
export function deselectAgent(session: Session): void {
  session.agent = undefined;
  if (session.state.selectedAgent !== undefined) session.append("subagent.deselected", {});
}

/** Finds the agent that the log says was selected, as it is defined now. Never rejects. */
export async function restoreAgent(session: Session, services: AgentServices): Promise<void> {
  for (;;) {
    const { selectedAgent } = session.state;
    const agent = selectedAgent === undefined ? undefined : await findAgent(session, services, selectedAgent);
    // Another client may have selected another agent meanwhile.
    if (session.state.selectedAgent !== selectedAgent) continue;
    session.agent = agent;
    return;
  }
}

/** Tells clients which agents there are now; those of a session without any are not worth an event. */
export function tellAgents(session: Session, { agents, errors }: SessionAgents): void {
  if (agents.length === 0 && errors.length === 0) return;
  session.emit("session.custom_agents_updated", {
    agents: agents.map(toUpdatedAgent),
    warnings: [],
    errors: [...errors],
  });
}

function toUpdatedAgent(
  agent: AgentDefinition,
): SessionEventDataMap["session.custom_agents_updated"]["agents"][number] {
  return {
    id: agent.id,
    name: agent.name,
    displayName: agent.displayName,
    description: agent.description,
    source: agent.source === "application" ? "user" : agent.source,
    tools: agent.tools ? [...agent.tools] : null,
    userInvocable: agent.userInvocable,
    disableModelInvocation: !agent.infer,
    ...(agent.model !== undefined ? { model: agent.model } : {}),
  };
}

/** An agent as methods give it; `AgentInfo` of api.schema.json. */
export function toAgentInfo(agent: AgentDefinition, withPrompt = false) {
  return {
    name: agent.name,
    id: agent.id,
    displayName: agent.displayName,
    description: agent.description,
    ...(agent.source === "application" ? {} : { source: agent.source }),
    ...(agent.path !== undefined ? { path: agent.path } : {}),
    userInvocable: agent.userInvocable,
    disableModelInvocation: !agent.infer,
    ...(agent.tools ? { tools: agent.tools } : {}),
    ...(agent.model !== undefined ? { model: agent.model } : {}),
    ...(withPrompt ? { prompt: agent.prompt } : {}),
  };
}

/** An agent that no session has yet. */
export function toFileAgentInfo(agent: FileAgent) {
  return toAgentInfo(fromFile(agent), true);
}
