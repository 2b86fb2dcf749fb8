/** How clients come to a session: create one, resume one. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { SessionKey } from "../store/event-log.ts";
import type { AgentDefinition } from "./agents/agent-definition.ts";
import {
  type AgentServices,
  agentsOf,
  requireAgent,
  restoreAgent,
  selectAgent,
  tellAgents,
} from "./agents/agents.ts";
import type { ClientLink } from "./clients/client-link.ts";
import { clientFacts, clientsChanged } from "./clients/clients.ts";
import { noteReturn } from "./clients/lost-clients.ts";
import { closeInterruptedCompaction } from "./context/compaction.ts";
import { setSessionLimits } from "./context/session-limits.ts";
import { askForGitHubToken } from "./github/github-token.ts";
import type { GitHubTokenLease } from "./github/github-token-lease.ts";
import { joinedPolicy, managedPolicyOf, tellManagedSettings } from "./permissions/managed-settings.ts";
import { startNextRun } from "./prompts/prompts.ts";
import {
  abortRun,
  closeInterruptedAgents,
  closeInterruptedRun,
  continueRun,
  type RunServices,
  startRun,
} from "./run.ts";
import type { Session } from "./session.ts";
import { newSessionId, type SessionRegistry } from "./session-registry.ts";
import { checkFields, warnOfFields } from "./settings/field-rules.ts";
import { JOIN_FIELDS } from "./settings/session-fields.ts";
import {
  type Attachment,
  hasParticipants,
  mergeSettings,
  type SessionSettings,
  type SettingsParams,
  toAttachment,
  toObserver,
} from "./settings/session-settings.ts";
import { checkTools, tellUnknownTools } from "./tools/check-tools.ts";
import { sessionContext } from "./workspace/session-context.ts";

export interface JoinServices {
  readonly registry: SessionRegistry;
  readonly runs: RunServices;
  readonly agents: AgentServices;
  readonly version: string;
  readonly defaultWorkingDirectory: string;
  /** GitHub's address for people. */
  readonly gitHubHost: string;
  /**
   * Checks what a client asks for before the session is made: the GitHub token, the model.
   * @throws RpcError when it cannot be had.
   */
  readonly checkSettings: (settings: SessionSettings) => Promise<void> | void;
  /** The model of a session whose client named none; undefined when that is found out at the first prompt. */
  readonly defaultModel: (settings: SessionSettings) => string | undefined;
  /** Names of the server's own tools. */
  readonly builtInTools: ReadonlySet<string>;
  readonly onLifecycle: (type: "session.created" | "session.updated", key: SessionKey) => void;
}

export interface JoinResult {
  readonly sessionId: string;
  readonly startTime: string;
  readonly isRemote: boolean;
  readonly mode: string;
  readonly workspacePath?: string;
  readonly capabilities: { readonly ui: { readonly elicitation: boolean } };
  /** For `session.eventLog.read`: what the client is told is what lies behind it. */
  readonly eventCursor: string;
  /** `session.send` takes a `messageId`, and each once. */
  readonly acceptsMessageIds: true;
}

const EVENT_FORMAT_VERSION = 1;

export async function createSession(
  services: JoinServices,
  tenant: string,
  link: ClientLink,
  params: SettingsParams,
): Promise<JoinResult> {
  const unheard = checkFields("session.create", params, JOIN_FIELDS);
  const key: SessionKey = {
    tenant,
    sessionId: typeof params.sessionId === "string" ? params.sessionId : newSessionId(),
  };
  const settings = mergeSettings({}, params);
  settings.managed = managedPolicyOf(params);
  const lease = await takeToken(services, link, key.sessionId, settings, params);
  settings.model ??= services.defaultModel(settings);
  checkTools("session.create", settings, params.tools, services.builtInTools);
  await services.checkSettings(settings);
  const cwd = settings.workingDirectory ?? services.defaultWorkingDirectory;
  const agent = await agentAskedFor(services, settings, cwd, params);
  const context = await sessionContext(settings, cwd);
  const startTime = new Date().toISOString();
  const summary = {
    sessionId: key.sessionId,
    startTime,
    modifiedTime: startTime,
    ...(settings.clientName !== undefined ? { clientName: settings.clientName } : {}),
    context: { cwd, gitRoot: context.gitRoot, repository: context.repository, branch: context.branch },
  };
  const session = await services.registry.create(key, settings, summary, (session) => {
    session.gitHubTokenLease = lease;
    session.attachments.set(link, toAttachment(link, params, { sessionId: session.id, as: "new" }));
    if (settings.enableFileHooks) session.fileHooksStart = "new";
    tellManagedSettings(session, params);
    session.append("session.start", {
      sessionId: key.sessionId,
      version: EVENT_FORMAT_VERSION,
      producer: "rightseat",
      copilotVersion: services.version,
      startTime,
      ...modelFields(settings),
      ...(params.sessionLimits ? { sessionLimits: params.sessionLimits } : {}),
      context,
    });
  });
  trackFiles(services, session, params);
  services.onLifecycle("session.created", key);
  warnOfFields(session, link, unheard);
  await joinAgents(services, session, agent);
  tellUnknownTools(session, link, params, services.builtInTools);
  await session.committed();
  return joinResult(services, session, params);
}

/** @param role an observer is shown what happens from now on, and changes nothing. */
export async function resumeSession(
  services: JoinServices,
  tenant: string,
  link: ClientLink,
  params: SettingsParams,
  role: "participant" | "observer" = "participant",
): Promise<JoinResult> {
  const unheard = checkFields("session.resume", params, JOIN_FIELDS);
  const brought = managedPolicyOf(params);
  const key: SessionKey = { tenant, sessionId: String(params.sessionId) };
  const session = await services.registry.open(key);
  if (role === "observer") {
    session.attachments.set(link, toObserver(link, params));
    return joinResult(services, session, params);
  }
  const others = [...session.attachments].some(([other, { observer }]) => other !== link && !observer);
  const managed = others ? joinedPolicy(session.settings.managed, brought) : brought;
  const settings = mergeSettings(session.settings, params);
  settings.managed = managed;
  let agent: AgentDefinition | undefined;
  let lease: GitHubTokenLease | undefined;
  try {
    lease = await takeToken(services, link, key.sessionId, settings, params);
    settings.model ??= session.state.model ?? services.defaultModel(settings);
    settings.reasoningEffort ??= session.state.reasoningEffort;
    checkTools("session.resume", settings, params.tools, services.builtInTools);
    // Who names no model may come for the history alone, and need not bring the way to one.
    await services.checkSettings(params.model === undefined ? { ...settings, model: undefined } : settings);
    const cwd =
      settings.workingDirectory ?? session.state.workingDirectory ?? services.defaultWorkingDirectory;
    agent = await agentAskedFor(services, settings, cwd, params);
  } catch (error) {
    if (session.attachments.size === 0) await services.registry.close(session);
    throw error;
  }
  const wasActive = hasParticipants(session.attachments);
  const continuePendingWork = params.continuePendingWork === true;
  session.settings = settings;
  if (lease || params.gitHubToken !== undefined) session.gitHubTokenLease = lease;
  const before = clientFacts(session);
  if (settings.enableFileHooks && !wasActive) session.fileHooksStart = "resume";
  const attachment = toAttachment(link, params, { sessionId: session.id, as: "resume" });
  attachment.interests = session.attachments.get(link)?.interests;
  session.attachments.set(link, attachment);
  tellManagedSettings(session, params);
  noteReturn(session, attachment);
  if (!wasActive && !continuePendingWork) await interrupt(session);
  if (params.disableResume !== true) await logResume(services, session, { wasActive, continuePendingWork });
  warnOfFields(session, link, unheard);
  tellUnknownTools(session, link, params, services.builtInTools);
  closeInterruptedCompaction(session);
  closeInterruptedAgents(session);
  await joinAgents(services, session, agent);
  trackFiles(services, session, params);
  if (params.sessionLimits) setSessionLimits(session, params.sessionLimits);
  if (continuePendingWork || wasActive) showOpenQuestions(session, attachment, wasActive);
  clientsChanged(session, before);
  if (session.run === undefined && session.state.running) {
    if (continuePendingWork) continueRun(services.runs, session);
    else if (!wasActive) closeInterruptedRun(session);
  }
  // Prompts that were acknowledged before a crash are run now that somebody is there.
  startNextRun(session, (next, prompt) => startRun(services.runs, next, prompt));
  await session.committed();
  return joinResult(services, session, params);
}

/** @throws RpcError `invalid_params` when there is no agent of the name. */
async function agentAskedFor(
  services: JoinServices,
  settings: SessionSettings,
  workingDirectory: string,
  { agent }: SettingsParams,
): Promise<AgentDefinition | undefined> {
  if (typeof agent !== "string") return undefined;
  return requireAgent({ settings, workingDirectory }, services.agents, agent, "agent");
}

/** Tells of the session's agents, and takes up the one that is to answer. */
async function joinAgents(
  services: JoinServices,
  session: Session,
  asked: AgentDefinition | undefined,
): Promise<void> {
  const { customAgents, enableConfigDiscovery } = session.settings;
  const { selectedAgent } = session.state;
  if (asked && asked.name !== selectedAgent) selectAgent(session, asked);
  else if (selectedAgent !== undefined) await restoreAgent(session, services.agents);
  if (customAgents?.length || enableConfigDiscovery)
    tellAgents(session, await agentsOf(session, services.agents));
}

/** Of a client that gives tokens when it is asked, the first one is asked for at once. */
async function takeToken(
  services: JoinServices,
  link: ClientLink,
  sessionId: string,
  settings: SessionSettings,
  params: SettingsParams,
): Promise<GitHubTokenLease | undefined> {
  const registrationId = params.gitHubTokenProviderRegistrationId;
  if (typeof registrationId !== "string") return undefined;
  const host = services.gitHubHost;
  const given = await askForGitHubToken(link, { registrationId, host, sessionId, reason: "initial" });
  settings.gitHubToken = given.token;
  settings.gitHubIdentity = undefined;
  settings.withoutServerToken = undefined;
  return { expiresAtMs: given.expiresAtMs };
}

/** Changes of files are tracked from the first turn on, or not at all. */
function trackFiles(services: JoinServices, session: Session, params: SettingsParams): void {
  const { tracksFiles, userRequests } = session.state;
  if (params.enableFileChangeTracking !== true || tracksFiles || userRequests > 0) return;
  if (services.registry.log.workspacePath(session.key) === undefined) return;
  session.record("rightseat.file_tracking", {});
}

/** Nobody is attached and the newcomer does not want the work that waits for a client: it ends here. */
async function interrupt(session: Session): Promise<void> {
  if (session.questions.size > 0) await abortRun(session);
}

async function logResume(
  services: JoinServices,
  session: Session,
  how: { wasActive: boolean; continuePendingWork: boolean },
): Promise<void> {
  const { settings, state } = session;
  const cwd = settings.workingDirectory ?? state.workingDirectory ?? services.defaultWorkingDirectory;
  const context = await sessionContext(settings, cwd);
  const data: SessionEventDataMap["session.resume"] = {
    resumeTime: new Date().toISOString(),
    eventCount: state.publicEvents,
    ...modelFields(settings),
    context,
    alreadyInUse: how.wasActive,
    sessionWasActive: how.wasActive,
    continuePendingWork: how.continuePendingWork,
  };
  session.append("session.resume", data);
}

/**
 * Questions that wait are shown to the newcomer. A tool call that another client is busy with is not:
 * it would be carried out twice.
 */
function showOpenQuestions(session: Session, newcomer: Attachment, wasActive: boolean): void {
  for (const question of session.questions.list()) {
    const { toolName, concerns } = question;
    if (concerns && !concerns(newcomer)) continue;
    // Not in the log yet: the newcomer is told it in its turn, like everybody.
    if (session.willTell(question.event)) continue;
    const taken = wasActive && toolName !== undefined && othersOffer(session, newcomer, toolName);
    if (!taken) newcomer.link.publish(question.event);
  }
}

function othersOffer(session: Session, newcomer: Attachment, toolName: string): boolean {
  for (const attachment of session.attachments.values()) {
    if (attachment !== newcomer && attachment.tools.has(toolName)) return true;
  }
  return false;
}

function joinResult(services: JoinServices, session: Session, params: SettingsParams): JoinResult {
  const infinite = (params.infiniteSessions as { enabled?: boolean } | null | undefined)?.enabled !== false;
  const workspacePath = infinite ? services.registry.log.workspacePath(session.key) : undefined;
  return {
    sessionId: session.id,
    startTime: session.state.startTime,
    isRemote: false,
    mode: session.state.mode,
    ...(workspacePath !== undefined ? { workspacePath } : {}),
    capabilities: { ui: { elicitation: clientFacts(session).elicitation } },
    eventCursor: String(session.end),
    acceptsMessageIds: true,
  };
}

function modelFields(settings: SessionSettings): { selectedModel?: string; reasoningEffort?: string } {
  return {
    ...(settings.model !== undefined ? { selectedModel: settings.model } : {}),
    ...(settings.reasoningEffort !== undefined ? { reasoningEffort: settings.reasoningEffort } : {}),
  };
}
