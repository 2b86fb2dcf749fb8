/**
 * A sub-agent at work: the same agent loop as a session's own run, on a conversation of its own. It ends
 * with its last message; what it did on the way stays in the log, under its id.
 */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import { runAgent } from "../../../agent/agent-loop.ts";
import type { LeftOutKind } from "../../../agent/leave-out.ts";
import { withTime } from "../../../agent/prompt-time.ts";
import type { ActiveModel, ContextCall, RunHost, RunLimits, ToolSet } from "../../../agent/run-host.ts";
import type { RunHooks } from "../../../hooks/run-hooks.ts";
import type { ModelError, ModelUsage } from "../../../models/model-provider.ts";
import type { RetryPolicy } from "../../../models/retry.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { AgentCaller } from "../../open/model-query.ts";
import type { Session } from "../../open/session.ts";
import { userAgentOf } from "../../open/user-agent.ts";
import type { CompactionServices } from "../context/compaction.ts";
import { fitContext, shortenContext } from "../context/fit-context.ts";
import { recordUsage, type UsageServices } from "../context/usage-totals.ts";
import { CredentialRenewal, type RenewalServices } from "../github/renew-credentials.ts";
import { type HookServices, hasHooks, runHooksOf } from "../hooks/session-hooks.ts";
import { askPermission } from "../permissions/ask-permission.ts";
import type { PermissionServices } from "../permissions/permissions.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";
import { hookedAgentOf, promptWithHooks, StopHooks } from "./sub-agent-hooks.ts";

/** What sub-agents need besides the session; made once by the composition root. */
export interface SubAgentServices extends CompactionServices, RenewalServices {
  /** This program and its version, as it is named to model providers. */
  readonly product: string;
  readonly places: UsageServices["places"] & {
    /** When runs are ended although their model would go on. */
    runLimits(tenant: string): RunLimits;
  };
  readonly permissions: PermissionServices;
  readonly hooks: HookServices;
  readonly defaultWorkingDirectory: string;
  /** What the session's model reads in place of output that is too large. Never rejects. */
  readonly fitOutput: (session: Session, text: string) => string | Promise<string>;
  /** @throws RpcError or ModelError when the model cannot be had. */
  readonly resolveAgentModel: (
    session: Session,
    settings: SessionSettings,
    caller: AgentCaller,
  ) => Promise<ActiveModel>;
  /** @throws RpcError `model_not_found` when the session has no way to the model. */
  readonly checkAgentModel: (session: Session, model: string) => Promise<void>;
  readonly agentSystemMessage: (session: Session, agent: AgentDefinition) => Promise<string>;
  readonly agentToolSet: (work: Pick<SubAgentWork, "session" | "scope" | "caller" | "depth">) => ToolSet;
}

export interface SubAgentWork {
  /** The session as the sub-agent sees it; see `createAgentScope`. */
  readonly scope: Session;
  readonly session: Session;
  readonly caller: AgentCaller;
  readonly agent: AgentDefinition;
  /** 1 for one that the session itself started. */
  readonly depth: number;
  readonly prompt: string;
  /** The session's, with the model and effort that this agent is to have. */
  readonly settings: SessionSettings;
  readonly signal: AbortSignal;
  /** Told of each tool call that begins and ends; a line for people. */
  readonly onActivity: (line: string) => void;
}

export interface SubAgentOutcome {
  /** Suspended when the session goes while it works; nothing more is to be said of it. */
  readonly kind: "done" | "failed" | "aborted" | "suspended";
  /** The last message; empty when there was none. */
  readonly response: string;
  /** Why it failed. */
  readonly error?: string;
  readonly model?: string;
  readonly toolCalls: number;
  /** In and out. */
  readonly tokens: number;
}

/** Gives it the prompt and waits until it has answered. Never throws. */
export async function runSubAgent(services: SubAgentServices, work: SubAgentWork): Promise<SubAgentOutcome> {
  const { scope, session } = work;
  const messageId = randomUUID();
  const prompt = await promptWithHooks(services.hooks, work, work.prompt);
  scope.append("user.message", {
    content: work.prompt,
    messageId,
    transformedContent: withTime(prompt),
    delivery: "idle",
    attachments: [],
    source: `agent-${work.caller.parentAgentId ?? session.id}`,
  });
  const before = scope.state.messages.length;
  const host = new SubAgentHost(services, work, messageId);
  const outcome = await runAgent(host);
  const answers = scope.state.messages.slice(before).filter((message) => message.role === "assistant");
  const last = answers.at(-1);
  const counted = { model: host.modelId, toolCalls: host.toolCalls, tokens: host.tokens };
  const response = host.hookedResponse ?? (last?.role === "assistant" ? last.content : "");
  if (outcome === "done" && response !== "") return { kind: "done", response, ...counted };
  if (outcome === "done") return { kind: "failed", response, error: whyNoAnswer(scope), ...counted };
  if (outcome === "failed") return { kind: "failed", response, error: host.error, ...counted };
  return { kind: outcome, response, ...counted };
}

/** A tool call that the user rejected ends a run: the one who gave the task is to know of it. */
function whyNoAnswer(scope: Session): string {
  const last = scope.state.messages.at(-1);
  return last?.role === "tool" ? last.content : "it ended without an answer";
}

class SubAgentHost implements RunHost {
  readonly sessionId: string;
  readonly messageId: string;
  readonly signal: AbortSignal;
  readonly retry: RetryPolicy;
  readonly userAgent: string;
  readonly isAgentInitiated = true;
  modelId: string | undefined;
  error = "it ended without an answer";
  toolCalls = 0;
  leftOutInVain: readonly LeftOutKind[] = [];
  tokens = 0;
  readonly #services: SubAgentServices;
  readonly #work: SubAgentWork;
  readonly #renewal: CredentialRenewal;
  #model: ActiveModel | undefined;
  #system: Promise<string> | undefined;
  #hooks: RunHooks | undefined;
  readonly #stopHooks: StopHooks;

  constructor(services: SubAgentServices, work: SubAgentWork, messageId: string) {
    this.#stopHooks = new StopHooks(services.hooks, work);
    this.#services = services;
    this.#work = work;
    this.sessionId = work.session.id;
    this.messageId = messageId;
    this.signal = work.signal;
    this.retry = services.retry;
    this.userAgent = userAgentOf(services.product, work.session);
    this.#renewal = new CredentialRenewal(services, work.session, work.caller);
  }

  get limits(): RunLimits {
    return this.#services.places.runLimits(this.#work.session.key.tenant);
  }

  get workingDirectory(): string {
    return workingDirectoryOf(this.#services, this.#work.session);
  }

  get streaming(): boolean {
    for (const attachment of this.#work.session.attachments.values())
      if (attachment.streaming && attachment.subAgentStreaming) return true;
    return false;
  }

  fitContext(call: ContextCall) {
    return fitContext(this.#services, this.#work.scope, call, this.signal);
  }

  async shortenContext(call: ContextCall) {
    const isShorter = await shortenContext(this.#services, this.#work.scope, call, this.signal);
    return isShorter ? this.messages() : undefined;
  }

  leftOut: NonNullable<RunHost["leftOut"]> = (kinds, helped) => {
    if (helped) this.#work.scope.record("rightseat.left_out", { kinds });
    this.leftOutInVain = helped ? [] : kinds;
  };

  messages() {
    return this.#work.scope.state.messages;
  }

  pendingToolCalls() {
    return this.#work.scope.state.openToolCalls;
  }

  append = <T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void => {
    // To clients an error, or an abort, is one of the session's: a sub-agent's is told by its own events.
    if (type === "session.error") {
      this.error = (data as SessionEventDataMap["session.error"]).message;
      return;
    }
    if (type === "abort") return;
    if (type === "assistant.message") this.#renewal.callWentWell();
    this.#watch(type, data);
    this.#work.scope.append(type, data);
    if (type === "tool.execution_complete") this.#work.session.run?.place?.look();
  };

  emit: RunHost["emit"] = (type, data) => {
    this.#work.scope.emit(type, data);
  };

  committed() {
    return this.#work.session.committed();
  }

  recordUsage = (model: string, usage: ModelUsage, durationMs: number): void => {
    this.tokens += usage.inputTokens + usage.outputTokens;
    recordUsage(this.#services, this.#work.session, { model, usage, durationMs, aside: true });
  };

  onBug(error: unknown): void {
    this.#services.onBug(error, this.#work.session);
  }

  async resolveModel() {
    const { session, settings, caller } = this.#work;
    const model = await this.#services.resolveAgentModel(session, settings, caller);
    this.modelId = model.id;
    this.#model = model;
    return model;
  }

  canRecover(error: ModelError): boolean {
    return this.#renewal.canTry(this.#model, error);
  }

  recover(): Promise<boolean> {
    return this.#model ? this.#renewal.try(this.#model) : Promise.resolve(false);
  }

  systemMessage(): Promise<string> {
    this.#system ??= this.#services.agentSystemMessage(this.#work.session, this.#work.agent);
    return this.#system;
  }

  /** Those of the session's clients; they are told the agent's id where they would be told the session's. */
  get hooks(): RunHooks | undefined {
    const { session, scope, caller } = this.#work;
    if (!hasHooks(session)) return undefined;
    // Who stops here is not the agent that clients talk to.
    const unused = () => false;
    const agent = hookedAgentOf({ caller, agent: this.#work.agent });
    this.#hooks ??= {
      ...runHooksOf(this.#services.hooks, scope, this.signal, unused, agent),
      keepsGoing: () => this.#stopHooks.keepsGoing(),
    };
    return this.#hooks;
  }

  /** What a hook put in place of the last answer. */
  get hookedResponse(): string | undefined {
    return this.#stopHooks.response;
  }

  tools(): ToolSet {
    return this.#services.agentToolSet(this.#work);
  }

  fitOutput(text: string) {
    return this.#services.fitOutput(this.#work.session, text);
  }

  askPermission: RunHost["askPermission"] = (ask, call) =>
    askPermission(this.#services.permissions, this.#work.scope, ask, call, this.signal);

  /** What it was told meanwhile. */
  takeSteering(): Promise<boolean> {
    const { scope } = this.#work;
    const told = scope.state.queue.splice(0);
    for (const { messageId, prompt, source } of told) {
      scope.append("user.message", {
        content: prompt,
        messageId,
        transformedContent: withTime(prompt),
        delivery: "steering",
        attachments: [],
        ...(source !== undefined ? { source } : {}),
      });
    }
    return Promise.resolve(told.length > 0);
  }

  #watch(type: SessionEventType, data: unknown): void {
    if (type === "tool.execution_start") {
      this.toolCalls += 1;
      this.#work.onActivity(`▸ ${(data as { toolName: string }).toolName}`);
    }
  }
}
