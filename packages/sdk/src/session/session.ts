/** One conversation with an agent. */
import {
  type AutoTier,
  type ContextTier,
  type ModelSwitchAutoTierResult,
  NEWER_SESSION_METHOD_NAMES,
  type OpenCanvasInstance,
  type PublishedMethods,
  type ReasoningSummary,
  SESSION_METHOD_NAMES,
} from "@rightseat/protocol";
import type { CallOptions } from "../call-options.ts";
import type { EventStream, EventStreamOptions } from "../events/event-stream.ts";
import { refuse } from "../factories.ts";
import { createRpc, type SessionRpc } from "../rpc.ts";
import type {
  AssistantMessageEvent,
  MessageOptions,
  SessionEvent,
  SessionEventHandler,
  SessionEventPayload,
  SessionEventType,
  TypedSessionEventHandler,
} from "../types/messages.ts";
import type { ModelCapabilitiesOverride, ReasoningEffort } from "../types/providers.ts";
import type { ElicitationResult, SessionUiApi } from "../types/questions.ts";
import type { ResponseSchema, StandardSchema } from "../types/schemas.ts";
import type { SessionCapabilities } from "../types/sessions.ts";
import type { SessionCore } from "./core.ts";
import type { SessionHold } from "./hold.ts";
import { parseAnswer, toMessage, typedSchemaOf, withTypedSchema } from "./message.ts";
import { sendAndWait } from "./send-and-wait.ts";
import { createUi } from "./ui.ts";

/**
 * A session of a client, made by `createSession` or `resumeSession`. It outlives connections: when one is
 * lost, the session is resumed on the next, calls wait, and events go on where they stopped.
 */
export class CopilotSession {
  readonly #core: SessionCore;
  readonly #hold: SessionHold;
  #rpc: SessionRpc | undefined;

  /** @internal Sessions are made by a client. */
  constructor(core: SessionCore, hold: SessionHold) {
    this.#core = core;
    this.#hold = hold;
  }

  /** The id for `resumeSession`. */
  get sessionId(): string {
    return this.#core.id;
  }

  /** Where the server keeps the session's files (plan, checkpoints), on its own machine. */
  get workspacePath(): string | undefined {
    return this.#core.workspacePath;
  }

  /** Abilities of the session now; they change as clients come and go. */
  get capabilities(): SessionCapabilities {
    return this.#core.capabilities;
  }

  /** Canvases that are shown now. */
  get openCanvases(): OpenCanvasInstance[] {
    return [...this.#core.openCanvases];
  }

  /**
   * Every method of the published contract that is about a session, for example
   * `session.rpc.model.switchTo({ modelId })`. A server refuses methods that it does not have by name.
   */
  get rpc(): SessionRpc {
    // Put together here: at the top of the file the names would stay in every bundle.
    this.#rpc ??= createRpc<SessionRpc>(
      [...SESSION_METHOD_NAMES, ...NEWER_SESSION_METHOD_NAMES],
      "session.",
      (method, params, options) => this.#call(method, params, options),
    );
    return this.#rpc;
  }

  /** @throws Error always: agent factories are for extensions of the Copilot CLI. */
  get factory(): never {
    return refuse("session.factory");
  }

  /** @throws Error always: dynamic workflows are for extensions of the Copilot CLI. */
  get workflow(): never {
    return refuse("session.workflow");
  }

  /** Asks the user through whichever client can show a form. */
  get ui(): SessionUiApi {
    return createUi(async (params) => {
      if (!this.capabilities.ui?.elicitation) {
        throw new Error(
          "Elicitation is not supported by the host. Check session.capabilities.ui?.elicitation before calling UI methods.",
        );
      }
      return (await this.#call("session.ui.elicitation", params)) as ElicitationResult;
    });
  }

  /**
   * Sends a prompt; resolves with its message id once the server has it for good. The answer comes as
   * events. A connection that is lost meanwhile is made again, and the prompt is carried out once.
   */
  async send(prompt: string | MessageOptions, options?: CallOptions): Promise<string> {
    this.#assertOpen();
    const message = toMessage(prompt);
    return this.#core.send(message instanceof Promise ? await message : message, options);
  }

  /**
   * Sends a prompt and waits until the session is idle again. Resolves with the model's last message, or
   * nothing when it said none. Giving up the wait does not end the work: see `abort`.
   *
   * @param limits milliseconds to wait (default 60,000), or the limits of a call
   * @throws Error of a `session.error`; a `TimeoutError`; the signal's reason
   */
  sendAndWait(
    prompt: string | MessageOptions,
    limits?: number | CallOptions,
  ): Promise<AssistantMessageEvent | undefined>;
  /**
   * Asks for an answer of a schema's form, and resolves with what the schema makes of it.
   *
   * @throws Error also for a run that was aborted, and an answer that is no JSON or does not fit; its `cause` says why
   */
  sendAndWait<T>(
    prompt: string | MessageOptions,
    responseSchema: ResponseSchema<T> | StandardSchema<T>,
    limits?: number | CallOptions,
  ): Promise<T>;
  async sendAndWait(
    prompt: string | MessageOptions,
    schemaOrLimits?: number | CallOptions | ResponseSchema | StandardSchema,
    limits?: number | CallOptions,
  ): Promise<unknown> {
    const schema = typedSchemaOf(schemaOrLimits);
    if (!schema) return this.#sendAndWait(prompt, (schemaOrLimits as number | CallOptions) ?? limits);
    const answer = await this.#sendAndWait(withTypedSchema(prompt, schema), limits);
    return parseAnswer(schema, answer);
  }

  async #sendAndWait(
    prompt: string | MessageOptions,
    limits?: number | CallOptions,
  ): Promise<AssistantMessageEvent | undefined> {
    const { timeoutMs, signal } = typeof limits === "number" ? { timeoutMs: limits } : (limits ?? {});
    this.#assertOpen();
    const ownId = typeof prompt !== "string" && prompt.messageId !== undefined;
    const made = toMessage(prompt);
    const message = made instanceof Promise ? await made : made;
    const wantsForm = typeof prompt !== "string" && prompt.responseSchema !== undefined;
    return sendAndWait(this.#core, this.#hold, { message, ownId, wantsForm, timeoutMs, signal });
  }

  /** Tells events of one type. Returns the way to stop. */
  on<K extends SessionEventType>(eventType: K, handler: TypedSessionEventHandler<K>): () => void;
  /** Tells all events. Returns the way to stop. */
  on(handler: SessionEventHandler): () => void;
  on<K extends SessionEventType>(
    typeOrHandler: K | SessionEventHandler,
    handler?: TypedSessionEventHandler<K>,
  ): () => void {
    const { listeners } = this.#hold;
    if (typeof typeOrHandler === "function") return listeners.add(undefined, typeOrHandler);
    return listeners.add(typeOrHandler, handler as SessionEventHandler);
  }

  /**
   * Events for `for await`; ends when the session is left. A reader that is slow gets every durable event
   * all the same, from the server's log; only so many wait in memory. With `types`, the events are of those.
   */
  events<K extends SessionEventType = SessionEventType>(
    options: EventStreamOptions<K> = {},
  ): EventStream<SessionEventPayload<K>> {
    return this.#core.openStream(this.#hold, options) as unknown as EventStream<SessionEventPayload<K>>;
  }

  /** Every durable event of the session, from its beginning. */
  async getEvents(options?: CallOptions): Promise<SessionEvent[]> {
    const result = await this.#call("session.getMessages", {}, options);
    return (result as { events: SessionEvent[] }).events;
  }

  /** The same as `getEvents`, by its older name. */
  getMessages(options?: CallOptions): Promise<SessionEvent[]> {
    return this.getEvents(options);
  }

  /** Ends the turn that is under way; the session goes on. */
  async abort(options?: CallOptions): Promise<void> {
    await this.#call("session.abort", {}, options);
  }

  /** Goes on with another model, from the next message on. */
  async setModel(
    model: string,
    options: {
      reasoningEffort?: ReasoningEffort;
      reasoningSummary?: ReasoningSummary;
      contextTier?: ContextTier;
      modelCapabilities?: ModelCapabilitiesOverride;
      autoTier?: AutoTier | null;
    } = {},
    limits?: CallOptions,
  ): Promise<void> {
    const params: Omit<PublishedMethods["session.model.switchTo"]["params"], "sessionId"> = {
      modelId: model,
      ...(options as object),
    };
    await this.#call("session.model.switchTo", params, limits);
  }

  /** Which kind of model is chosen while the model is `auto`; null for the provider's own choice. Rightseat refuses it. */
  async setAutoTier(autoTier: AutoTier | null, limits?: CallOptions): Promise<ModelSwitchAutoTierResult> {
    const result = await this.#call("session.model.switchAutoTier", { autoTier }, limits);
    return result as ModelSwitchAutoTierResult;
  }

  /** Writes into the session's events; `ephemeral` tells it without keeping it. */
  async log(
    message: string,
    options: { level?: "info" | "warning" | "error"; ephemeral?: boolean } = {},
    limits?: CallOptions,
  ): Promise<void> {
    await this.#call("session.log", { message, ...options }, limits);
  }

  /** Leaves the session; the server keeps the conversation, and `resumeSession` goes on with it. */
  disconnect(options?: CallOptions): Promise<void> {
    return this.#core.leave(this.#hold, options);
  }

  /** The same as `disconnect`, by its older name. */
  destroy(options?: CallOptions): Promise<void> {
    return this.disconnect(options);
  }

  /** The same as `disconnect`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  async #call(method: string, params: object = {}, options?: CallOptions): Promise<unknown> {
    this.#assertOpen();
    return this.#core.call(method, params, options);
  }

  /** @throws Error once this object was disconnected, whatever others there are of the session. */
  #assertOpen(): void {
    if (this.#hold.closeReason) throw this.#hold.closeReason;
  }
}
