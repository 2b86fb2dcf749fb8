/** How clients come to a session: create one, resume one. */

import type { SessionEventDataMap } from "@rightseat/protocol";
import {
  agentsOf,
  hasFileAgents,
  restoreAgent,
  selectAgent,
  tellAgents,
} from "../session/abilities/agents/agents.ts";
import { closeInterruptedCompaction } from "../session/abilities/context/compaction.ts";
import { setSessionLimits } from "../session/abilities/context/session-limits.ts";
import { askForGitHubToken, type GivenToken } from "../session/abilities/github/github-token.ts";
import { gitHubTokenLease } from "../session/abilities/github/github-token-lease.ts";
import { fileHooksStart, hasFileHooks } from "../session/abilities/hooks/session-hooks.ts";
import { managedPolicyOf, tellManagedSettings } from "../session/abilities/permissions/managed-settings.ts";
import { setMode, trustFolder } from "../session/abilities/permissions/permission-settings.ts";
import { primaryDirectoryOf } from "../session/abilities/permissions/permissions.ts";
import { checkTools, tellUnknownTools, unknownTools } from "../session/abilities/tools/check-tools.ts";
import { closeInterruptedAgents, closeInterruptedRun } from "../session/abilities/tools/interrupted.ts";
import { sessionContext } from "../session/abilities/workspace/session-context.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import type { AgentDefinition } from "../session/members/agent-definition.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import { checkFields } from "../session/members/field-rules.ts";
import {
  patched,
  patchOf,
  type SettingsPatch,
  settingsOf,
  withSaid,
} from "../session/members/said-settings.ts";
import { JOIN_FIELDS } from "../session/members/session-fields.ts";
import {
  type SessionSettings,
  type SettingsParams,
  toAttachment,
  toObserver,
} from "../session/members/session-settings.ts";
import { checkName, renameSession } from "../session/open/change-session.ts";
import { clientFacts, clientsChanged } from "../session/open/clients.ts";
import { noteReturn } from "../session/open/lost-clients.ts";
import type { Session } from "../session/open/session.ts";
import { showOpenQuestions, tellAtJoining } from "../session/open/told-at-joining.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { abortRun, continueRun, type RunServices, startNextRun } from "../session/runs/run.ts";
import type { SessionKey } from "../store/session-key.ts";
import {
  agentAskedFor,
  assertWanted,
  type Entered,
  type EnterServices,
  enterSession,
  tokenPatch,
} from "./enter-session.ts";
import { newSessionId } from "./session-registry.ts";

export interface JoinServices extends EnterServices {
  readonly runs: RunServices;
  readonly version: string;
  /** New sessions begin with all permissions allowed, where their policy does not forbid it. */
  readonly allowAll: boolean;
  /** Has instruction files looked at before they are used again. */
  readonly forgetInstructions: () => void;
  /** GitHub's address for people. */
  readonly gitHubHost: string;
  /** Options of the server itself that have no effect: one line for each. */
  readonly withoutEffect: readonly string[];
  /** A client asked for what has no effect here: one line for each option. */
  readonly onWithoutEffect: (session: Session, options: readonly string[]) => void;
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
  if (typeof params.name === "string") checkName("session.create", params.name);
  if (params.refreshCustomInstructions === true) services.forgetInstructions();
  const managed = managedPolicyOf(params);
  const token = await takeToken(services, link, key.sessionId, params);
  const patch = await creatingPatch(services, tenant, {
    ...patchOf({}, params),
    managed,
    ...tokenPatch(token),
  });
  const confinement = services.places.confinementOf(tenant);
  const settings = settingsOf({ confinement }, withSaid([], patch, link.id));
  checkTools("session.create", settings, params.tools, services.builtInTools);
  await services.checkSettings(settings);
  const cwd = workingDirectoryOf(services, { settings });
  const reach = services.places.reachOf(key);
  await services.places.checkSettings(reach, settings, cwd);
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
  const session = await services.registry.create(key, summary, (session) => {
    session.say(patch, link);
    gitHubTokenLease.set(session, token && { expiresAtMs: token.expiresAtMs });
    session.attachments.set(link, toAttachment(link, params, { sessionId: session.id, as: "new" }));
    if (hasFileHooks(settings)) fileHooksStart.set(session, "new");
    tellManagedSettings(session);
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
  trackFiles(session, params);
  if (services.allowAll) setMode(session, "allow-all");
  if (typeof params.name === "string") {
    renameSession(session, params.name);
    session.updateSummary();
  }
  await trustAsAsked(services, session, params);
  session.announcements.announce("session-made", { key });
  await joinAgents(services, session, agent);
  tellOfOptions(services, session, link, params, unheard);
  await session.committed();
  return joinResult(session, params);
}

/** What the client that makes a session says of its settings, with what the server chooses where it says nothing. */
async function creatingPatch(
  services: JoinServices,
  tenant: string,
  said: SettingsPatch,
): Promise<SettingsPatch> {
  const model = said.model ?? services.defaultModel(patched({}, said));
  const workingDirectory = said.workingDirectory ?? (await services.places.defaultDirectory(tenant));
  return { ...said, ...(model === undefined ? {} : { model }), workingDirectory };
}

/** A client that wants to go on with a session. */
export interface Resumer {
  readonly tenant: string;
  readonly link: ClientLink;
  /** An observer is shown what happens from now on, and changes nothing. */
  readonly role: "participant" | "observer";
  /** Aborts when the client goes, or gives up. */
  readonly signal: AbortSignal;
}

/** A client that gives up, or is refused, is attached afterwards if it was before; one that is gone is not. */
export async function resumeSession(
  services: JoinServices,
  { tenant, link, role, signal }: Resumer,
  params: SettingsParams,
): Promise<JoinResult> {
  const unheard = checkFields("session.resume", params, JOIN_FIELDS);
  const key: SessionKey = { tenant, sessionId: String(params.sessionId) };
  if (role === "observer") {
    const session = await services.registry.open(key);
    assertWanted(signal);
    session.attachments.set(link, toObserver(link, params));
    return joinResult(session, params);
  }
  const brought = managedPolicyOf(params);
  const token = await takeToken(services, link, key.sessionId, params);
  const entered = await enterSession(services, key, { link, params, brought, token, signal });
  try {
    const result = await settleIn(services, entered, link, params, unheard);
    assertWanted(signal);
    return result;
  } catch (error) {
    const { session, attachment, wasAttached } = entered;
    // Another request of the client may have attached it since.
    const isMine = session.attachments.get(link) === attachment;
    if (isMine && !wasAttached) services.registry.detach(session, link, "lost");
    throw error;
  }
}

/** What follows from a client that has been attached. */
async function settleIn(
  services: JoinServices,
  { session, agent, attachment, before, wasActive }: Entered,
  link: ClientLink,
  params: SettingsParams,
  unheard: readonly string[],
): Promise<JoinResult> {
  const continuePendingWork = params.continuePendingWork === true;
  tellManagedSettings(session);
  noteReturn(session, attachment);
  if (!wasActive && !continuePendingWork) await interrupt(session);
  if (params.disableResume !== true) await logResume(services, session, { wasActive, continuePendingWork });
  tellOfOptions(services, session, link, params, unheard);
  closeInterruptedCompaction(session);
  closeInterruptedAgents(session);
  await joinAgents(services, session, agent);
  trackFiles(session, params);
  await trustAsAsked(services, session, params);
  if (params.sessionLimits) setSessionLimits(session, params.sessionLimits);
  if (continuePendingWork || wasActive)
    showOpenQuestions(session, attachment, { wasActive, continuePendingWork });
  clientsChanged(session, before);
  if (session.run === undefined && session.state.running) {
    if (continuePendingWork) continueRun(services.runs, session);
    else if (!wasActive) closeInterruptedRun(session);
  }
  // Prompts that were acknowledged before a crash are run now that somebody is there.
  startNextRun(services.runs, session);
  await session.committed();
  return joinResult(session, params);
}

/** Says, to the client and in the log, what it asked for that has no effect. */
function tellOfOptions(
  services: JoinServices,
  session: Session,
  link: ClientLink,
  params: SettingsParams,
  unheard: readonly string[],
): void {
  const lines = [...unheard, ...services.withoutEffect];
  if (lines.length > 0) {
    services.onWithoutEffect(session, lines);
    tellAtJoining(session, link, () => warnOfFields(session, link, lines));
  }
  const unknown = unknownTools(session, params, services.builtInTools);
  if (unknown.length > 0) tellAtJoining(session, link, () => tellUnknownTools(session, link, unknown));
}

/** Tells of the session's agents, and takes up the one that is to answer. */
async function joinAgents(
  services: JoinServices,
  session: Session,
  asked: AgentDefinition | undefined,
): Promise<void> {
  const { customAgents } = session.settings;
  const { selectedAgent } = session.state;
  if (asked && asked.name !== selectedAgent) selectAgent(session, asked);
  else if (selectedAgent !== undefined) await restoreAgent(session, services.agents);
  if (customAgents?.length || hasFileAgents(session.settings))
    tellAgents(session, await agentsOf(session, services.agents));
}

/** A directory that is trusted for the user stays trusted when the session is gone. */
async function trustAsAsked(services: JoinServices, session: Session, params: SettingsParams): Promise<void> {
  if (params.trustWorkingDirectory !== "user") return;
  await trustFolder(
    services.runs.permissions,
    session,
    primaryDirectoryOf(services.runs.permissions, session),
  );
}

/** Asks a client that gives tokens for its first one; undefined for all other clients. */
async function takeToken(
  services: JoinServices,
  link: ClientLink,
  sessionId: string,
  params: SettingsParams,
): Promise<GivenToken | undefined> {
  const registrationId = params.gitHubTokenProviderRegistrationId;
  if (typeof registrationId !== "string") return undefined;
  const host = services.gitHubHost;
  return askForGitHubToken(link, { registrationId, host, sessionId, reason: "initial" });
}

/** Changes of files are tracked from the first turn on, or not at all. */
function trackFiles(session: Session, params: SettingsParams): void {
  const { tracksFiles, userRequests } = session.state;
  if (params.enableFileChangeTracking !== true || tracksFiles || userRequests > 0) return;
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
  const cwd = workingDirectoryOf(services, session);
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

function joinResult(session: Session, params: SettingsParams): JoinResult {
  const infinite = (params.infiniteSessions as { enabled?: boolean } | null | undefined)?.enabled !== false;
  const workspacePath = infinite ? session.directory : undefined;
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
