/**
 * What clients asked of a session when they created or resumed it, in our terms. Session-wide
 * settings live here; what belongs to one client (its tools, what it can answer) is its attachment.
 * Holds credentials: never logged, stored or serialised.
 */
import type { ModelTool } from "../../models/model-provider.ts";
import { tidyProvider } from "../../models/provider-address.ts";
import type { ModelCapabilities, ProviderModelSource, ProviderSource } from "../../models/provider-source.ts";
import type { ManagedPolicy } from "../../permissions/managed-policy.ts";
import { ClientHooks } from "./client-hooks.ts";
import type { ClientLink } from "./client-link.ts";
import type { Confinement } from "./confinement.ts";
import type { GitHubIdentity } from "./github-identity.ts";

export interface CustomAgentSpec {
  readonly name: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly prompt?: string;
  readonly model?: string;
  /** Whether another model may answer where this one cannot be had; default "preferred". */
  readonly modelPolicy?: "preferred" | "required";
  readonly reasoningEffort?: string;
  readonly tools?: readonly string[] | null;
  /** Whether a model may hand it a task by itself; default true. */
  readonly infer?: boolean;
}

/** How a session goes on past the model's window; thresholds are shares of it, 0 to 1. */
export interface InfiniteSessionSettings {
  readonly enabled?: boolean;
  readonly backgroundCompactionThreshold?: number;
  readonly bufferExhaustionThreshold?: number;
}

export interface SubAgentEntry {
  readonly model?: string;
  readonly modelPolicy?: "preferred" | "required";
  readonly effortLevel?: string;
}

/** `SubagentSettings` of api.schema.json, as far as it is read. */
export interface SubAgentSettings {
  readonly agents?: Readonly<Record<string, SubAgentEntry>>;
  readonly disabledSubagents?: readonly string[];
  /** Sub-agents at work at a time, of one level. */
  readonly maxConcurrency?: number;
  /** Levels of sub-agents below the session. */
  readonly maxDepth?: number;
}

/** How a session on autopilot goes on by itself. */
export interface AutopilotSettings {
  /** Default true. */
  readonly continuationEnabled?: boolean;
  /** How often in a row, without a tool being called; default 5. */
  readonly maxContinues?: number;
}

export interface SessionSettings {
  autopilot?: AutopilotSettings;
  /** The client trusts the directory that the session works in, for this session. */
  trustsWorkingDirectory?: boolean;
  model?: string;
  reasoningEffort?: string;
  reasoningSummary?: string;
  /** What the client knows better of the model. */
  modelCapabilities?: ModelCapabilities;
  enableCitations?: boolean;
  provider?: ProviderSource;
  providers?: readonly ProviderSource[];
  models?: readonly ProviderModelSource[];
  gitHubToken?: string;
  /** Who that is, where a client installed credentials after the session was made. */
  gitHubIdentity?: GitHubIdentity;
  /** The server's own GitHub token is not this session's to use. */
  withoutServerToken?: boolean;
  systemMessage?: unknown;
  /** Directories with more instruction files; relative ones start at the working directory. */
  instructionDirectories?: readonly string[];
  organizationCustomInstructions?: string;
  /** Ids of instruction sources that the model is not to see. */
  disabledInstructionSources?: readonly string[];
  skipCustomInstructions?: boolean;
  enableOnDemandInstructionDiscovery?: boolean;
  /** False keeps everything about git out of what the model is told. */
  enableHostGitOperations?: boolean;
  capi?: { readonly enableWebSocketResponses?: boolean };
  /** Runs the hooks of the repository's `.github/hooks`. */
  enableFileHooks?: boolean;
  /** Directories with more files of hooks; relative ones start at the working directory. */
  hookDirectories?: readonly string[];
  /** Directories with more files of agents; relative ones start at the working directory. */
  agentDirectories?: readonly string[];
  availableTools?: readonly string[];
  excludedTools?: readonly string[];
  defaultAgentExcludedTools?: readonly string[];
  /** Which list wins where both name a tool; default "excluded". */
  toolFilterPrecedence?: "available" | "excluded";
  toolSearch?: { readonly enabled?: boolean; readonly deferThreshold?: number };
  askUserDisabled?: boolean;
  /** Switch to the model "auto" without asking when the user's limit is used up. */
  continueOnAutoMode?: boolean;
  customAgents?: readonly CustomAgentSpec[];
  excludedBuiltinAgents?: readonly string[];
  /** Of the built-in agents only these; undefined for all. */
  includedBuiltinAgents?: readonly string[];
  /** Prompts that clients put in place of agents' own, by the agent's id. */
  agentPrompts?: Readonly<Record<string, string>>;
  /** Keeps the prompt of the selected agent from the model: the application says it itself. */
  suppressCustomAgentPrompt?: boolean;
  /** What the user set for sub-agents. */
  subagents?: SubAgentSettings;
  /** Looks for agents in files. */
  enableConfigDiscovery?: boolean;
  workingDirectory?: string;
  clientName?: string;
  infiniteSessions?: InfiniteSessionSettings;
  /** Directories that tools may use besides the working directory; relative ones start there. */
  additionalDirectories?: readonly string[];
  /** What becomes of output that is too large for the model. */
  largeOutput?: LargeOutputSettings;
  /** How far up its project is looked for; the server's word, and no client's. */
  confinement?: Confinement | undefined;
  /** The policy that the application lays over permissions; never stored. */
  managed?: ManagedPolicy;
}

export interface LargeOutputSettings {
  /** False cuts it instead of keeping it in a file. */
  readonly enabled?: boolean;
  readonly maxSizeBytes?: number;
  readonly outputDir?: string;
}

/** A command that a client carries out itself; its name without the slash. */
export interface ClientCommand {
  readonly name: string;
  readonly description: string;
}

/** A tool that a client runs itself. */
export interface CustomToolSpec extends ModelTool {
  readonly skipPermission: boolean;
  readonly isTerminal: boolean;
  readonly overridesBuiltInTool: boolean;
  /** Must be offered to the model from the start, tool search or not. */
  readonly neverDeferred: boolean;
}

/** One client at one session: what it brought and what it can be asked. */
export interface Attachment {
  readonly link: ClientLink;
  /** Looks on: brings nothing, can be asked nothing, and the session does not count on it. */
  readonly observer: boolean;
  readonly tools: ReadonlyMap<string, CustomToolSpec>;
  /** Wants deltas. */
  readonly streaming: boolean;
  /** Wants those of sub-agents, too. */
  readonly subAgentStreaming: boolean;
  readonly answersPermissions: boolean;
  /** Answers `userInput.request`. */
  readonly answersUserInput: boolean;
  /** Answers `elicitation.requested` events. */
  readonly answersElicitation: boolean;
  /** Answers `exitPlanMode.request`. */
  readonly answersExitPlanMode: boolean;
  /** Answers `autoModeSwitch.request`. */
  readonly answersAutoModeSwitch: boolean;
  /** By which the client's provider of GitHub tokens is called. */
  readonly gitHubTokenProvider?: string;
  readonly commands?: readonly ClientCommand[];
  /** Wants nothing of the queue begun for now. */
  holdsQueue?: boolean;
  /** What it is told once it can have begun to listen (`told-at-joining.ts`). */
  held?: (() => void)[];
  /** Request ids of questions that it was not shown, since others are asked them. */
  unshown?: Set<string>;
  /** Types of events that the client said it watches and acts on, by the handle it was given. */
  interests?: Map<string, string>;
  /** Rewrites sections of the system message when asked. */
  readonly transformsSystemMessage: boolean;
  /** Only of a client that has some. */
  readonly hooks?: ClientHooks;
}

/** A client whose connection ended without a word; see lost-clients.ts. */
export interface LostClient {
  readonly attachment: Attachment;
  /** When it was lost; milliseconds of a monotonic clock. */
  readonly atMs: number;
}

/** Fields of `session.create` and `session.resume` that settings are read from. */
export type SettingsParams = Readonly<Record<string, unknown>>;

/** Takes over every setting that the parameters name; those they leave out stay as they are. */
export function mergeSettings(settings: SessionSettings, params: SettingsParams): SessionSettings {
  const merged: SessionSettings = { ...settings };
  for (const key of DIRECT_KEYS) {
    if (params[key] !== undefined && params[key] !== null)
      (merged as Record<string, unknown>)[key] = params[key];
  }
  if (merged.provider !== settings.provider && merged.provider)
    merged.provider = tidyProvider(merged.provider);
  if (merged.providers !== settings.providers) merged.providers = merged.providers?.map(tidyProvider);
  const defaultAgent = params.defaultAgent as { excludedTools?: readonly string[] } | undefined | null;
  if (params.modelCapabilitiesOverrides)
    merged.modelCapabilities = params.modelCapabilitiesOverrides as ModelCapabilities;
  // What was known of one model says nothing of another.
  else if (merged.model !== settings.model && !params.modelCapabilities) merged.modelCapabilities = undefined;
  if (params.autopilot)
    merged.autopilot = { ...settings.autopilot, ...(params.autopilot as AutopilotSettings) };
  if (params.trustWorkingDirectory === true || params.trustWorkingDirectory === "session")
    merged.trustsWorkingDirectory = true;
  if (params.includedBuiltinAgents === null) merged.includedBuiltinAgents = undefined;
  if (typeof params.gitHubToken === "string") {
    merged.gitHubToken = params.gitHubToken.trim();
    merged.gitHubIdentity = undefined;
    merged.withoutServerToken = undefined;
  }
  if (defaultAgent?.excludedTools) merged.defaultAgentExcludedTools = defaultAgent.excludedTools;
  return merged;
}

const DIRECT_KEYS = [
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

export function toAttachment(
  link: ClientLink,
  params: SettingsParams,
  joined?: { readonly sessionId: string; readonly as: "new" | "resume" },
): Attachment {
  return {
    link,
    observer: false,
    tools: toTools(params.tools),
    streaming: params.streaming === true,
    subAgentStreaming: params.includeSubAgentStreamingEvents !== false,
    answersPermissions: params.requestPermission !== false,
    answersUserInput: params.requestUserInput === true,
    answersElicitation: params.requestElicitation === true,
    answersExitPlanMode: params.requestExitPlanMode === true,
    answersAutoModeSwitch: params.requestAutoModeSwitch === true,
    ...(typeof params.gitHubTokenProviderRegistrationId === "string"
      ? { gitHubTokenProvider: params.gitHubTokenProviderRegistrationId }
      : {}),
    ...commandsOf(params.commands),
    transformsSystemMessage: asksForTransform(params.systemMessage),
    ...(params.hooks === true && joined ? { hooks: new ClientHooks(link, joined.sessionId, joined.as) } : {}),
  };
}

const NO_TOOLS: ReadonlyMap<string, CustomToolSpec> = new Map();

/** By name; of two with the same name the later one counts. */
export function toTools(declared: unknown): ReadonlyMap<string, CustomToolSpec> {
  const given = (declared ?? []) as readonly Record<string, unknown>[];
  if (given.length === 0) return NO_TOOLS;
  const tools = new Map<string, CustomToolSpec>();
  for (const tool of given) {
    const spec = internTool(tool);
    tools.set(spec.name, spec);
  }
  return tools;
}

function commandsOf(declared: unknown): { commands?: readonly ClientCommand[] } {
  if (!Array.isArray(declared) || declared.length === 0) return {};
  const commands = declared.map((command: { name?: unknown; description?: unknown }) => ({
    name: String(command?.name ?? "").replace(/^\//, ""),
    description: typeof command?.description === "string" ? command.description : "",
  }));
  return { commands: commands.filter((command) => command.name !== "") };
}

/** Somebody who may only look: of what it asks for, it gets the events. */
export function toObserver(link: ClientLink, params: SettingsParams): Attachment {
  return {
    ...toAttachment(link, { streaming: params.streaming, requestPermission: false }),
    observer: true,
  };
}

/** Whether anybody is attached who takes part. */
export function hasParticipants(attachments: ReadonlyMap<ClientLink, Attachment>): boolean {
  for (const attachment of attachments.values()) if (!attachment.observer) return true;
  return false;
}

function asksForTransform(systemMessage: unknown): boolean {
  const { sections } = (systemMessage ?? {}) as { sections?: Record<string, { action?: unknown } | null> };
  return Object.values(sections ?? {}).some((section) => section?.action === "transform");
}

/**
 * Applications declare the same tools in every session; one copy of each declaration serves all.
 * Weakly held, so that a declaration goes when the last session that uses it does.
 */
const interned = new Map<string, WeakRef<CustomToolSpec>>();
const forgotten = new FinalizationRegistry<string>((json) => {
  if (interned.get(json)?.deref() === undefined) interned.delete(json);
});

function internTool(tool: Record<string, unknown>): CustomToolSpec {
  const json = JSON.stringify(tool);
  const known = interned.get(json)?.deref();
  if (known) return known;
  const spec: CustomToolSpec = {
    name: String(tool.name),
    description: typeof tool.description === "string" ? tool.description : "",
    parameters: (tool.parameters as Record<string, unknown> | null | undefined) ?? {
      type: "object",
      properties: {},
    },
    skipPermission: tool.skipPermission === true,
    isTerminal: tool.isTerminal === true,
    overridesBuiltInTool: tool.overridesBuiltInTool === true,
    neverDeferred: tool.defer === "never",
  };
  interned.set(json, new WeakRef(spec));
  forgotten.register(spec, json);
  return spec;
}
