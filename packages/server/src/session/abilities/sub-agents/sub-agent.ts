/**
 * A sub-agent at work: the same agent loop as a session's own run, on a conversation of its own. It ends
 * with its last message; what it did on the way stays in the log, under its id.
 */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import { runAgent } from "../../../agent/agent-loop.ts";
import type { LeftOutKind } from "../../../agent/leave-out.ts";
import { withTime } from "../../../agent/prompt-time.ts";
import type { ActiveModel, RunHost, ToolSet } from "../../../agent/run-host.ts";
import type { RunHooks } from "../../../hooks/run-hooks.ts";
import type { ModelUsage } from "../../../models/model-provider.ts";
import type { EventLog } from "../../../store/event-log.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Conversation } from "../../open/conversation.ts";
import type { AgentCaller } from "../../open/model-query.ts";
import type { Session } from "../../open/session.ts";
import { recordUsage } from "../context/usage-totals.ts";
import { type HookServices, hasHooks, runHooksOf } from "../hooks/session-hooks.ts";
import { ConversationHost, type LoopServices } from "../loop/conversation-host.ts";
import { hookedAgentOf, promptWithHooks, StopHooks } from "./sub-agent-hooks.ts";

/** What sub-agents need besides the session; made once by the composition root. */
export interface SubAgentServices extends LoopServices {
  readonly log: Pick<EventLog, "read">;
  /** The agents that the session may hand tasks to, as they are defined now. Never rejects. */
  readonly dispatchableAgents: (session: Session) => Promise<readonly AgentDefinition[]>;
  readonly hooks: HookServices;
  /** @throws RpcError or ModelError when the model cannot be had. */
  readonly resolveAgentModel: (
    session: Session,
    settings: SessionSettings,
    caller: AgentCaller,
  ) => Promise<ActiveModel>;
  /** @throws RpcError `model_not_found` when the session has no way to the model. */
  readonly checkAgentModel: (session: Session, model: string) => Promise<void>;
  readonly agentSystemMessage: (session: Session, agent: AgentDefinition) => Promise<string>;
  /** @param services what further agents are started with. */
  readonly agentToolSet: (
    services: SubAgentServices,
    work: Pick<SubAgentWork, "conversation" | "caller" | "depth">,
  ) => ToolSet;
}

export interface SubAgentWork {
  readonly conversation: Conversation;
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
  const { conversation } = work;
  const messageId = randomUUID();
  const prompt = await promptWithHooks(services.hooks, work, work.prompt);
  conversation.append("user.message", {
    content: work.prompt,
    messageId,
    transformedContent: withTime(prompt),
    delivery: "idle",
    attachments: [],
    source: `agent-${work.caller.parentAgentId ?? conversation.session.id}`,
  });
  const before = conversation.state.messages.length;
  const host = new SubAgentHost(services, work, messageId);
  const outcome = await runAgent(host);
  const answers = conversation.state.messages.slice(before).filter((message) => message.role === "assistant");
  const last = answers.at(-1);
  const counted = { model: host.modelId, toolCalls: host.toolCalls, tokens: host.tokens };
  const response = host.hookedResponse ?? (last?.role === "assistant" ? last.content : "");
  if (outcome === "done" && response !== "") return { kind: "done", response, ...counted };
  if (outcome === "done") return { kind: "failed", response, error: whyNoAnswer(conversation), ...counted };
  if (outcome === "failed") return { kind: "failed", response, error: host.error, ...counted };
  return { kind: outcome, response, ...counted };
}

/** A tool call that the user rejected ends a run: the one who gave the task is to know of it. */
function whyNoAnswer({ state }: Conversation): string {
  const last = state.messages.at(-1);
  return last?.role === "tool" ? last.content : "it ended without an answer";
}

class SubAgentHost extends ConversationHost implements RunHost {
  readonly isAgentInitiated = true;
  modelId: string | undefined;
  error = "it ended without an answer";
  toolCalls = 0;
  leftOutInVain: readonly LeftOutKind[] = [];
  tokens = 0;
  readonly #services: SubAgentServices;
  readonly #work: SubAgentWork;
  #system: Promise<string> | undefined;
  #hooks: RunHooks | undefined;
  readonly #stopHooks: StopHooks;

  constructor(services: SubAgentServices, work: SubAgentWork, messageId: string) {
    super(services, { ...work, messageId, waiter: work.caller });
    this.#stopHooks = new StopHooks(services.hooks, work);
    this.#services = services;
    this.#work = work;
  }

  get streaming(): boolean {
    for (const attachment of this.conversation.session.attachments.values())
      if (attachment.streaming && attachment.subAgentStreaming) return true;
    return false;
  }

  leftOut(kinds: readonly LeftOutKind[], helped: boolean): void {
    if (helped) this.conversation.record("rightseat.left_out", { kinds });
    this.leftOutInVain = helped ? [] : kinds;
  }

  override append<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void {
    // To clients an error, or an abort, is one of the session's: a sub-agent's is told by its own events.
    if (type === "session.error") {
      this.error = (data as SessionEventDataMap["session.error"]).message;
      return;
    }
    if (type === "abort") return;
    this.#watch(type, data);
    super.append(type, data);
  }

  recordUsage(model: string, usage: ModelUsage, durationMs: number): void {
    this.tokens += usage.inputTokens + usage.outputTokens;
    recordUsage(this.#services, this.conversation.session, { model, usage, durationMs, aside: true });
  }

  async resolveModel(): Promise<ActiveModel> {
    const { settings, caller } = this.#work;
    const model = await this.#services.resolveAgentModel(this.conversation.session, settings, caller);
    this.modelId = model.id;
    this.model = model;
    return model;
  }

  systemMessage(): Promise<string> {
    this.#system ??= this.#services.agentSystemMessage(this.conversation.session, this.#work.agent);
    return this.#system;
  }

  /** Those of the session's clients; they are told the agent's id where they would be told the session's. */
  get hooks(): RunHooks | undefined {
    if (!hasHooks(this.conversation.session)) return undefined;
    // The agent that stops here is not the one that clients talk to.
    const unused = () => false;
    const agent = hookedAgentOf(this.#work);
    this.#hooks ??= {
      ...runHooksOf(this.#services.hooks, this.conversation, this.signal, unused, agent),
      keepsGoing: () => this.#stopHooks.keepsGoing(),
    };
    return this.#hooks;
  }

  /** What a hook put in place of the last answer. */
  get hookedResponse(): string | undefined {
    return this.#stopHooks.response;
  }

  tools(): ToolSet {
    return this.#services.agentToolSet(this.#services, this.#work);
  }

  /** What it was told meanwhile. */
  takeSteering(): Promise<boolean> {
    const told = [...this.conversation.state.queue];
    for (const { messageId, prompt, source } of told) {
      this.conversation.append("user.message", {
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
