/**
 * How a client gets into a session that others may be in, or on their way into: what it asks for is checked, and
 * takes effect together with what the others brought meanwhile.
 */

import type { ManagedPolicy } from "../permissions/managed-policy.ts";
import { type AgentServices, assertAgentModel, requireAgent } from "../session/abilities/agents/agents.ts";
import type { GivenToken } from "../session/abilities/github/github-token.ts";
import { gitHubTokenLease } from "../session/abilities/github/github-token-lease.ts";
import { fileHooksStart, hasFileHooks } from "../session/abilities/hooks/session-hooks.ts";
import { joinedPolicy } from "../session/abilities/permissions/managed-settings.ts";
import { checkTools } from "../session/abilities/tools/check-tools.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import type { AgentDefinition } from "../session/members/agent-definition.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import { gitHubTokenPatch, patched, patchOf, type SettingsPatch } from "../session/members/said-settings.ts";
import {
  type Attachment,
  hasParticipants,
  type SessionSettings,
  type SettingsParams,
  toAttachment,
} from "../session/members/session-settings.ts";
import { applyChecked } from "../session/open/change-session.ts";
import { clientFacts } from "../session/open/clients.ts";
import type { Session } from "../session/open/session.ts";
import type { SessionKey } from "../store/session-key.ts";
import type { SessionRegistry } from "./session-registry.ts";

export interface EnterServices {
  readonly registry: SessionRegistry;
  readonly agents: AgentServices;
  readonly defaultWorkingDirectory: string;
  readonly places: Places;
  /**
   * Checks what a client asks for before the session is made: the GitHub token, the model.
   * @throws RpcError when it cannot be had.
   */
  readonly checkSettings: (settings: SessionSettings) => Promise<void> | void;
  /** The model of a session whose client named none; undefined when that is found out at the first prompt. */
  readonly defaultModel: (settings: SessionSettings) => string | undefined;
  /** Names of the server's own tools. */
  readonly builtInTools: ReadonlySet<string>;
}

interface Newcomer {
  readonly link: ClientLink;
  readonly params: SettingsParams;
  readonly brought: ManagedPolicy | undefined;
  readonly token: GivenToken | undefined;
  /** Aborts when the client goes, or gives up. */
  readonly signal: AbortSignal;
}

export interface Entered {
  readonly session: Session;
  readonly agent: AgentDefinition | undefined;
  readonly attachment: Attachment;
  /** What the clients amounted to without the newcomer. */
  readonly before: ReturnType<typeof clientFacts>;
  /** Whether another client took part already. */
  readonly wasActive: boolean;
  /** Whether the newcomer itself was attached already. */
  readonly wasAttached: boolean;
}

/**
 * Opens the session, checks what the newcomer asks of it, and attaches the newcomer. The checks take their time:
 * what others bring or change meanwhile is kept, and checked together with what the newcomer brings.
 * @throws RpcError when the newcomer asks for what cannot be had, and the signal's reason when it went or gave up
 *   during the checks; the session is as it was.
 */
export async function enterSession(
  services: EnterServices,
  key: SessionKey,
  newcomer: Newcomer,
): Promise<Entered> {
  const session = await services.registry.open(key);
  let entered: Entered | undefined;
  let agent: AgentDefinition | undefined;
  session.newcomers += 1;
  try {
    await applyChecked(
      session,
      async (current) => {
        const wanted = patched(current, joiningPatch(services, session, newcomer));
        agent = await checkNewcomer(services, session, wanted, newcomer);
      },
      () => {
        assertWanted(newcomer.signal);
        if (!session.closing) entered = attachNewcomer(services, session, newcomer, agent);
      },
    );
  } catch (error) {
    // Others that are on their way in, and what runs, need it as it is; a client that is cut off comes back.
    const isNeeded = session.attachments.size > 0 || session.newcomers > 1 || session.run !== undefined;
    if (!isNeeded && !newcomer.signal.aborted) await services.registry.close(session);
    throw error;
  } finally {
    session.newcomers -= 1;
  }
  if (entered) return entered;
  // It was let go during the checks: it is opened anew.
  await session.closed;
  return enterSession(services, key, newcomer);
}

/** @throws the signal's reason: nobody would take a client off that is put on after it has gone. */
export function assertWanted(signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
}

/** @returns the agent that is to answer, when the newcomer names one. @throws RpcError when something cannot be had. */
async function checkNewcomer(
  services: EnterServices,
  session: Session,
  settings: SessionSettings,
  { params }: Newcomer,
): Promise<AgentDefinition | undefined> {
  checkTools("session.resume", settings, params.tools, services.builtInTools);
  // A client that names no model may come for the history alone, and need not bring the way to one.
  await services.checkSettings(params.model === undefined ? { ...settings, model: undefined } : settings);
  const cwd = workingDirectoryOf(services, { settings });
  const reach = services.places.reachOf(session.key);
  await services.places.checkSettings(reach, settings, cwd);
  return agentAskedFor(services, settings, cwd, params);
}

function attachNewcomer(
  services: EnterServices,
  session: Session,
  newcomer: Newcomer,
  agent: AgentDefinition | undefined,
): Entered {
  const { link, params, token } = newcomer;
  const wasActive = hasParticipants(session.attachments);
  session.say(joiningPatch(services, session, newcomer), link);
  if (token) gitHubTokenLease.set(session, { expiresAtMs: token.expiresAtMs });
  else if (params.gitHubToken !== undefined) gitHubTokenLease.set(session, undefined);
  const before = clientFacts(session);
  if (hasFileHooks(session.settings) && !wasActive) fileHooksStart.set(session, "resume");
  const attachment = toAttachment(link, params, { sessionId: session.id, as: "resume" });
  const previous = session.attachments.get(link);
  attachment.interests = previous?.interests;
  session.attachments.set(link, attachment);
  return { session, agent, attachment, before, wasActive, wasAttached: previous !== undefined };
}

/** What the newcomer says of the settings that hold now. */
function joiningPatch(
  services: EnterServices,
  { settings: current, attachments }: Session,
  { link, params, brought, token }: Newcomer,
): SettingsPatch {
  const others = [...attachments].some(([other, { observer }]) => other !== link && !observer);
  const managed = others ? joinedPolicy(current.managed, brought) : brought;
  const said = { ...patchOf(current, params), ...tokenPatch(token), managed: managed ?? null };
  if ((said.model ?? current.model) !== undefined) return said;
  const model = services.defaultModel(patched(current, said));
  return model === undefined ? said : { ...said, model };
}

/** @throws RpcError when there is no agent of the name, or it requires another model. */
export async function agentAskedFor(
  services: EnterServices,
  settings: SessionSettings,
  workingDirectory: string,
  { agent }: SettingsParams,
): Promise<AgentDefinition | undefined> {
  if (typeof agent !== "string") return undefined;
  const asked = await requireAgent({ settings, workingDirectory }, services.agents, agent, "agent");
  assertAgentModel(asked, settings.model);
  return asked;
}

/** What a token that a client gave when it was asked says of the settings. */
export function tokenPatch(given: GivenToken | undefined): SettingsPatch {
  return given ? gitHubTokenPatch(given.token) : {};
}
