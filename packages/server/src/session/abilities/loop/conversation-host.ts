/**
 * What the agent loop is given of a conversation, whoever's it is. The run of a session (`runs/run.ts`) and a sub-agent
 * (`sub-agents/sub-agent.ts`) add what differs: who steers, which hooks are asked, how the system message is made, and
 * what usage is counted for.
 */
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import type {
  ActiveModel,
  ContextCall,
  PendingToolCall,
  RunHost,
  RunLimits,
} from "../../../agent/run-host.ts";
import type { ModelError, ModelMessage } from "../../../models/model-provider.ts";
import type { RetryPolicy } from "../../../models/retry.ts";
import type { PermissionAsk } from "../../../tools/tool.ts";
import type { Waiter } from "../../members/client-waits.ts";
import type { Conversation } from "../../open/conversation.ts";
import type { Session } from "../../open/session.ts";
import { userAgentOf } from "../../open/user-agent.ts";
import type { CompactionServices } from "../context/compaction.ts";
import { fitContext, shortenContext } from "../context/fit-context.ts";
import type { UsageServices } from "../context/usage-totals.ts";
import { CredentialRenewal, type RenewalServices } from "../github/renew-credentials.ts";
import { askPermission } from "../permissions/ask-permission.ts";
import type { PermissionServices } from "../permissions/permissions.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";

export interface LoopServices extends CompactionServices, RenewalServices {
  /** This program and its version, as it is named to model providers. */
  readonly product: string;
  readonly places: UsageServices["places"] & {
    /** When runs are ended although their model would go on. */
    runLimits(tenant: string): RunLimits;
  };
  readonly permissions: PermissionServices;
  readonly defaultWorkingDirectory: string;
  /** What the session's model reads in place of output that is too large. Never rejects. */
  readonly fitOutput: (session: Session, text: string) => string | Promise<string>;
}

export interface LoopWork<C extends Conversation> {
  readonly conversation: C;
  /** The message that began the run. */
  readonly messageId: string;
  /** Aborts the run. */
  readonly signal: AbortSignal;
  /** What goes on when a client has answered between two tool calls. */
  readonly waiter: Waiter;
}

export abstract class ConversationHost<C extends Conversation = Conversation>
  implements
    Omit<
      RunHost,
      "streaming" | "hooks" | "recordUsage" | "resolveModel" | "systemMessage" | "tools" | "takeSteering"
    >
{
  readonly sessionId: string;
  readonly messageId: string;
  readonly signal: AbortSignal;
  readonly retry: RetryPolicy;
  protected readonly conversation: C;
  /** Set with the first call. */
  protected model: ActiveModel | undefined;
  protected readonly renewal: CredentialRenewal;
  readonly #services: LoopServices;

  constructor(services: LoopServices, { conversation, messageId, signal, waiter }: LoopWork<C>) {
    const { session } = conversation;
    this.#services = services;
    this.conversation = conversation;
    this.sessionId = session.id;
    this.messageId = messageId;
    this.signal = signal;
    this.retry = services.retry;
    this.renewal = new CredentialRenewal(services, session, waiter);
  }

  get limits(): RunLimits {
    return this.#services.places.runLimits(this.conversation.session.key.tenant);
  }

  get userAgent(): string {
    return userAgentOf(this.#services.product, this.conversation.session);
  }

  get workingDirectory(): string {
    return workingDirectoryOf(this.#services, this.conversation.session);
  }

  fitContext(call: ContextCall): Promise<readonly ModelMessage[]> {
    return fitContext(this.#services, this.conversation, call, this.signal);
  }

  async shortenContext(call: ContextCall): Promise<readonly ModelMessage[] | undefined> {
    const isShorter = await shortenContext(this.#services, this.conversation, call, this.signal);
    return isShorter ? this.messages() : undefined;
  }

  messages(): readonly ModelMessage[] {
    return this.conversation.state.messages;
  }

  pendingToolCalls(): readonly PendingToolCall[] {
    return this.conversation.state.openToolCalls;
  }

  append<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void {
    const { session } = this.conversation;
    if (type === "assistant.message") this.renewal.callWentWell();
    // What a tool did to the session's files is kept before its result is: nobody goes on from a result without them.
    if (type === "tool.execution_complete") session.holdWhile(session.files.checkIn(session.lease));
    this.conversation.append(type, data);
    if (type === "tool.execution_complete") session.run?.place?.look();
  }

  emit<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void {
    this.conversation.emit(type, data);
  }

  committed(): Promise<void> {
    return this.conversation.session.committed();
  }

  onBug(error: unknown): void {
    this.#services.onBug(error, this.conversation.session);
  }

  fitOutput(text: string): string | Promise<string> {
    return this.#services.fitOutput(this.conversation.session, text);
  }

  askPermission(ask: PermissionAsk, call: PendingToolCall) {
    return askPermission(this.#services.permissions, this.conversation, ask, call, this.signal);
  }

  canRecover(error: ModelError): boolean {
    return this.renewal.canTry(this.model, error);
  }

  recover(_error: ModelError): Promise<boolean> {
    return this.model ? this.renewal.try(this.model) : Promise.resolve(false);
  }
}
