/**
 * What clients asked of a session, in our terms. Settings hold for the whole session; what belongs to one client (its
 * tools, what it can answer) is its attachment. Both hold credentials: they are never logged or stored.
 */
import type { ModelTool } from "../../models/model-provider.ts";
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
  readonly autopilot?: AutopilotSettings;
  /** The client trusts the directory that the session works in, for this session. */
  readonly trustsWorkingDirectory?: boolean;
  readonly model?: string;
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: string;
  /** What the client knows better of the model. */
  readonly modelCapabilities?: ModelCapabilities;
  readonly enableCitations?: boolean;
  readonly provider?: ProviderSource;
  readonly providers?: readonly ProviderSource[];
  readonly models?: readonly ProviderModelSource[];
  readonly gitHubToken?: string;
  /** The GitHub account, when a client set credentials after the session was made. */
  readonly gitHubIdentity?: GitHubIdentity;
  /** The server's own GitHub token is not this session's to use. */
  readonly withoutServerToken?: boolean;
  readonly systemMessage?: unknown;
  /** Directories with more instruction files; relative ones start at the working directory. */
  readonly instructionDirectories?: readonly string[];
  readonly organizationCustomInstructions?: string;
  /** Ids of instruction sources that the model is not to see. */
  readonly disabledInstructionSources?: readonly string[];
  readonly skipCustomInstructions?: boolean;
  readonly enableOnDemandInstructionDiscovery?: boolean;
  /** False keeps everything about git out of what the model is told. */
  readonly enableHostGitOperations?: boolean;
  readonly capi?: { readonly enableWebSocketResponses?: boolean };
  /** Runs the hooks of the repository's `.github/hooks`. */
  readonly enableFileHooks?: boolean;
  /** Directories with more files of hooks; relative ones start at the working directory. */
  readonly hookDirectories?: readonly string[];
  /** Directories with more files of agents; relative ones start at the working directory. */
  readonly agentDirectories?: readonly string[];
  readonly availableTools?: readonly string[];
  readonly excludedTools?: readonly string[];
  readonly defaultAgentExcludedTools?: readonly string[];
  /** Which list wins where both name a tool; default "excluded". */
  readonly toolFilterPrecedence?: "available" | "excluded";
  readonly toolSearch?: { readonly enabled?: boolean; readonly deferThreshold?: number };
  readonly askUserDisabled?: boolean;
  /** Switch to the model "auto" without asking when the user's limit is used up. */
  readonly continueOnAutoMode?: boolean;
  readonly customAgents?: readonly CustomAgentSpec[];
  readonly excludedBuiltinAgents?: readonly string[];
  /** The only built-in agents; undefined for all. */
  readonly includedBuiltinAgents?: readonly string[];
  /** Prompts that clients put in place of agents' own, by the agent's id. */
  readonly agentPrompts?: Readonly<Record<string, string>>;
  /** Keeps the prompt of the selected agent from the model: the application says it itself. */
  readonly suppressCustomAgentPrompt?: boolean;
  /** What the user set for sub-agents. */
  readonly subagents?: SubAgentSettings;
  /** Looks for agents in files. */
  readonly enableConfigDiscovery?: boolean;
  readonly workingDirectory?: string;
  readonly clientName?: string;
  readonly infiniteSessions?: InfiniteSessionSettings;
  /** Directories that tools may use besides the working directory; relative ones start there. */
  readonly additionalDirectories?: readonly string[];
  /** What becomes of output that is too large for the model. */
  readonly largeOutput?: LargeOutputSettings;
  /** How far up its project is looked for; the server's word, and no client's. */
  readonly confinement?: Confinement | undefined;
  /** The policy that the application lays over permissions; never stored. */
  readonly managed?: ManagedPolicy;
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
