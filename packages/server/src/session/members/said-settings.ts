/**
 * A session's settings, computed: what is given by its log and its server, and over it what was said, newest last. Everything that is said
 * is a patch: a plain value that names the settings it is about and nothing else. It can be sent to another owner of the
 * session and said again there, and it cannot undo what others say of other settings meanwhile.
 * Patches hold credentials: they are never logged or stored.
 */
import { tidyProvider } from "../../models/provider-address.ts";
import type { AutopilotSettings, SessionSettings, SettingsParams } from "./session-settings.ts";

/** Settings that change; null says that one is not set, whatever the log knows of it. */
export type SettingsPatch = {
  readonly [Name in Exclude<keyof SessionSettings, "confinement">]?: SessionSettings[Name] | null;
};

/** What holds where nobody says anything: what the log knows, and the server's word on the tenant. */
export type GivenSettings = Pick<SessionSettings, (typeof GIVEN)[number]>;

const GIVEN = ["confinement", "model", "reasoningEffort", "workingDirectory"] as const;

export interface Said {
  /** Grows with each that is said in the session. */
  readonly order: number;
  /** The id of the client that said it; undefined for what the session itself came to. */
  readonly by: string | undefined;
  readonly patch: SettingsPatch;
}

export function settingsOf(given: GivenSettings, said: readonly Said[]): SessionSettings {
  const settings: Record<string, unknown> = {};
  for (const name of GIVEN) if (given[name] !== undefined) settings[name] = given[name];
  for (const { patch } of said) apply(settings, patch);
  return settings;
}

/** Written out, since sessions whose values have one shape share it. */
export function givenSettings(
  confinement: GivenSettings["confinement"],
  { model, reasoningEffort, workingDirectory }: Omit<GivenSettings, "confinement">,
): GivenSettings {
  return { confinement, model, reasoningEffort, workingDirectory };
}

/** The settings with a patch over them. */
export function patched(settings: Readonly<SessionSettings>, patch: SettingsPatch): SessionSettings {
  const changed: Record<string, unknown> = { ...settings };
  apply(changed, patch);
  return changed;
}

/**
 * What was said, with one more. Earlier ones keep only what it does not replace, so that however often clients come
 * back there are never more of them than settings.
 */
export function withSaid(
  said: readonly Said[],
  patch: SettingsPatch,
  by: string | undefined,
): readonly Said[] {
  const kept: Said[] = [];
  for (const earlier of said) {
    const names = Object.keys(earlier.patch).filter((name) => !Object.hasOwn(patch, name));
    if (names.length === Object.keys(earlier.patch).length) kept.push(earlier);
    else if (names.length > 0) kept.push({ ...earlier, patch: only(earlier.patch, names) });
  }
  if (Object.keys(patch).length > 0) kept.push({ order: (said.at(-1)?.order ?? 0) + 1, by, patch });
  return kept;
}

function apply(settings: Record<string, unknown>, patch: SettingsPatch): void {
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete settings[name];
    else if (value !== undefined) settings[name] = value;
  }
}

function only(patch: SettingsPatch, names: readonly string[]): SettingsPatch {
  return Object.fromEntries(names.map((name) => [name, patch[name as keyof SettingsPatch]]));
}

/** Parameters that are settings as they are. */
const DIRECT_NAMES = [
  "model",
  "reasoningEffort",
  "reasoningSummary",
  "modelCapabilities",
  "enableCitations",
  "provider",
  "providers",
  "models",
  "gitHubToken",
  "systemMessage",
  "instructionDirectories",
  "organizationCustomInstructions",
  "disabledInstructionSources",
  "skipCustomInstructions",
  "enableOnDemandInstructionDiscovery",
  "enableHostGitOperations",
  "enableFileHooks",
  "hookDirectories",
  "agentDirectories",
  "capi",
  "availableTools",
  "excludedTools",
  "toolFilterPrecedence",
  "toolSearch",
  "askUserDisabled",
  "continueOnAutoMode",
  "customAgents",
  "excludedBuiltinAgents",
  "includedBuiltinAgents",
  "enableConfigDiscovery",
  "suppressCustomAgentPrompt",
  "workingDirectory",
  "additionalDirectories",
  "largeOutput",
  "clientName",
  "infiniteSessions",
] as const satisfies readonly (keyof SessionSettings)[];

/**
 * What parameters of `session.create`, `session.resume` and `session.options.update` say of the settings that hold now.
 * A parameter that is left out, or null, says nothing.
 */
export function patchOf(settings: Readonly<SessionSettings>, params: SettingsParams): SettingsPatch {
  const patch: { -readonly [Name in keyof SettingsPatch]: SettingsPatch[Name] } = {};
  for (const name of DIRECT_NAMES) {
    if (params[name] !== undefined && params[name] !== null)
      (patch as Record<string, unknown>)[name] = params[name];
  }
  if (patch.provider) patch.provider = tidyProvider(patch.provider);
  if (patch.providers) patch.providers = patch.providers.map(tidyProvider);
  if (params.modelCapabilitiesOverrides)
    patch.modelCapabilities = params.modelCapabilitiesOverrides as NonNullable<
      typeof patch.modelCapabilities
    >;
  // What was known of one model says nothing of another.
  else if (patch.model !== undefined && patch.model !== settings.model && !params.modelCapabilities)
    patch.modelCapabilities = null;
  if (params.autopilot)
    patch.autopilot = { ...settings.autopilot, ...(params.autopilot as AutopilotSettings) };
  if (params.trustWorkingDirectory === true || params.trustWorkingDirectory === "session")
    patch.trustsWorkingDirectory = true;
  if (params.includedBuiltinAgents === null) patch.includedBuiltinAgents = null;
  if (typeof params.gitHubToken === "string") Object.assign(patch, gitHubTokenPatch(params.gitHubToken));
  const defaultAgent = params.defaultAgent as { excludedTools?: readonly string[] } | undefined | null;
  if (defaultAgent?.excludedTools) patch.defaultAgentExcludedTools = defaultAgent.excludedTools;
  return patch;
}

/** Another GitHub token: whose it is has to be found out anew. */
export function gitHubTokenPatch(token: string): SettingsPatch {
  return { gitHubToken: token.trim(), gitHubIdentity: null, withoutServerToken: null };
}
