/** How clients come to a session: create one, resume one. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { SessionKey } from "../store/event-log.ts";
import type { ClientLink } from "./client-link.ts";
import { clientFacts, clientsChanged } from "./clients.ts";
import { closeInterruptedCompaction } from "./compaction.ts";
import { checkFields, warnOfFields } from "./field-rules.ts";
import { noteReturn } from "./lost-clients.ts";
import { startNextRun } from "./prompts.ts";
import { abortRun, closeInterruptedRun, continueRun, type RunServices, startRun } from "./run.ts";
import type { Session } from "./session.ts";
import { sessionContext } from "./session-context.ts";
import { JOIN_FIELDS } from "./session-fields.ts";
import { newSessionId, type SessionRegistry } from "./session-registry.ts";
import {
  type Attachment,
  hasParticipants,
  mergeSettings,
  type SessionSettings,
  type SettingsParams,
  toAttachment,
  toObserver,
} from "./session-settings.ts";

export interface JoinServices {
  readonly registry: SessionRegistry;
  readonly runs: RunServices;
  readonly version: string;
  readonly defaultWorkingDirectory: string;
  /**
   * Checks what a client asks for before the session is made: the GitHub token, the model.
   * @throws RpcError when it cannot be had.
   */
  readonly checkSettings: (settings: SessionSettings) => Promise<void> | void;
  /** The model of a session whose client named none; undefined when that is found out at the first prompt. */
  readonly defaultModel: (settings: SessionSettings) => string | undefined;
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
  settings.model ??= services.defaultModel(settings);
  await services.checkSettings(settings);
  const cwd = settings.workingDirectory ?? services.defaultWorkingDirectory;
  const context = await sessionContext(settings, cwd);
  const startTime = new Date().toISOString();
  const session = await services.registry.create(key, settings, {
    sessionId: key.sessionId,
    startTime,
    modifiedTime: startTime,
    ...(settings.clientName !== undefined ? { clientName: settings.clientName } : {}),
    context: { cwd, gitRoot: context.gitRoot, repository: context.repository, branch: context.branch },
  });
  session.attachments.set(link, toAttachment(link, params));
  session.append("session.start", {
    sessionId: key.sessionId,
    version: EVENT_FORMAT_VERSION,
    producer: "rightseat",
    copilotVersion: services.version,
    startTime,
    ...modelFields(settings),
    context,
  });
  services.onLifecycle("session.created", key);
  warnOfFields(session, link, unheard);
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
  const key: SessionKey = { tenant, sessionId: String(params.sessionId) };
  const session = await services.registry.open(key);
  if (role === "observer") {
    session.attachments.set(link, toObserver(link, params));
    return joinResult(services, session, params);
  }
  const settings = mergeSettings(session.settings, params);
  settings.model ??= session.state.model ?? services.defaultModel(settings);
  try {
    // Who names no model may come for the history alone, and need not bring the way to one.
    await services.checkSettings(params.model === undefined ? { ...settings, model: undefined } : settings);
  } catch (error) {
    if (session.attachments.size === 0) await services.registry.close(session);
    throw error;
  }
  const wasActive = hasParticipants(session.attachments);
  const continuePendingWork = params.continuePendingWork === true;
  session.settings = settings;
  const before = clientFacts(session);
  const attachment = toAttachment(link, params);
  attachment.interests = session.attachments.get(link)?.interests;
  session.attachments.set(link, attachment);
  noteReturn(session, attachment);
  if (!wasActive && !continuePendingWork) await interrupt(session);
  if (params.disableResume !== true) await logResume(services, session, { wasActive, continuePendingWork });
  warnOfFields(session, link, unheard);
  closeInterruptedCompaction(session);
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
