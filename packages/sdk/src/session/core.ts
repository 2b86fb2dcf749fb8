/**
 * What a session consists of behind its public face: its hold on the server, its stream of events, the
 * prompts on their way, the questions it is asked.
 */
import { randomUUID } from "node:crypto";
import {
  ErrorCode,
  type GitHubTokenAcquireRequest,
  type OpenCanvasInstance,
  type RequestContext as PeerRequest,
  type SessionEvent,
  type SessionResumeParams,
} from "@rightseat/protocol";
import { type CallOptions, withLimits } from "../call-options.ts";
import type { PreparedConfig } from "../config/session-params.ts";
import type { Channel } from "../connection/channel.ts";
import type { Link } from "../connection/link.ts";
import { ConnectionError, isConnectionLoss, RemoteError } from "../errors.ts";
import { EventFeed } from "../events/event-feed.ts";
import { EventStream, type EventStreamOptions } from "../events/event-stream.ts";
import { Listeners } from "../events/listeners.ts";
import { Answers } from "../requests/answers.ts";
import { type QuestionContext, questionOf } from "../requests/question-handlers.ts";
import { RepeatedRequests } from "../requests/repeated-requests.ts";
import { answerSessionRequest } from "../requests/session-requests.ts";
import { isRepeatable } from "../rpc.ts";
import type { SessionFsHandler } from "../session-fs.ts";
import type { TraceContext } from "../types/client-options.ts";
import type { SessionEvent as PublicEvent } from "../types/messages.ts";
import type { SessionFields } from "../types/session-config.ts";
import type { SessionCapabilities } from "../types/sessions.ts";
import { Attachment, type JoinRequest, type JoinResult } from "./attachment.ts";
import { SessionProgress } from "./progress.ts";
import { Prompts } from "./prompts.ts";

/** What a session needs of its client. */
export interface SessionHost {
  readonly link: Link;
  readonly callTimeoutMs: number | undefined;
  readonly traceContext: () => TraceContext | undefined | Promise<TraceContext | undefined>;
  readonly onWarning: (message: string, details: Record<string, unknown>) => void;
  /** The session has gone from this client. */
  readonly onGone: (core: SessionCore) => void;
}

/** After so many events the place in the log is asked for anew, to have little to read after a loss. */
const REFRESH_CURSOR_AFTER = 256;

/** Settings that the server keeps in memory only: set again when the session is resumed. */
const KEPT_IN_MEMORY: ReadonlySet<string> = new Set([
  "session.options.update",
  "session.permissions.setApproveAll",
]);

export class SessionCore {
  readonly id: string;
  readonly listeners = new Listeners<PublicEvent>();
  readonly progress = new SessionProgress();
  workspacePath: string | undefined;
  capabilities: SessionCapabilities = {};
  openCanvases: readonly OpenCanvasInstance[] = [];
  readonly #host: SessionHost;
  readonly #config: SessionFields;
  readonly #prepared: PreparedConfig;
  readonly #questions: QuestionContext;
  readonly #feed: EventFeed;
  readonly #answers: Answers;
  readonly #prompts: Prompts;
  readonly #attachment: Attachment;
  /** What the session is resumed with; follows its model. */
  #params: PreparedConfig["params"];
  #settings: Map<string, object> | undefined;
  #streams: Set<EventStream> | undefined;
  #repeated: RepeatedRequests | undefined;
  #files: SessionFsHandler | undefined;
  #refreshingCursor = false;
  /** Told when the session is left. */
  readonly #farewells = new Set<(reason: Error) => void>();

  constructor(id: string, host: SessionHost, config: SessionFields, prepared: PreparedConfig) {
    this.id = id;
    this.#host = host;
    this.#config = config;
    this.#prepared = prepared;
    this.#params = prepared.params;
    this.#feed = new EventFeed({
      deliver: (event) => this.#deliver(event),
      askedAgain: (requestId) => this.#answers.askedAgain(requestId),
    });
    const call = (method: string, params: Record<string, unknown>) =>
      this.#attachment.call(method, { sessionId: id, ...params }, { repeat: true });
    this.#questions = {
      sessionId: id,
      config,
      call,
      onHandlerError: (what, error) => host.onWarning(what, { sessionId: id, error }),
    };
    this.#answers = new Answers({
      send: call,
      onFailure: ({ method, requestId }, error) => this.#onAnswerFailure(method, requestId, error),
    });
    this.#prompts = new Prompts({
      channel: () => this.#attachment.channel,
      onSessionUnknown: (channel) => this.#attachment.forgotten(channel),
    });
    this.#attachment = new Attachment({
      link: host.link,
      sessionId: id,
      feed: this.#feed,
      resumeParams: () => ({ ...this.#params, sessionId: id }) as SessionResumeParams,
      restore: () => [...(this.#settings ?? [])],
      onCatchingUp: () => this.#answers.hold(),
      onCaughtUp: (channel) => this.#noteMissedIdle(channel),
      onAttached: (result) => this.#onAttached(result),
      onLost: (error) => this.#onLost(error),
    });
  }

  get isClosed(): boolean {
    return this.#attachment.isClosed;
  }

  /** Creates or resumes the session on the server, and sets what can only be set then. */
  async join(request: JoinRequest, options: CallOptions | undefined): Promise<void> {
    await this.#limited(request.method, options, (signal) => this.#attachment.join(request, signal));
    if (this.#config.onMcpAuthRequest) {
      const interest = { eventType: "mcp.oauth_required" };
      await this.call("session.eventLog.registerInterest", interest, options);
      this.#keep("session.eventLog.registerInterest", interest);
    }
    if (this.#prepared.options) await this.call("session.options.update", this.#prepared.options, options);
  }

  /** Gets a GitHub token; undefined when it is another session that was asked for one. */
  gitHubToken(request: GitHubTokenAcquireRequest): unknown {
    const { registrationId, host, sessionId, reason } = request;
    if (registrationId !== this.#prepared.gitHubTokenRegistration) return undefined;
    return this.#config.gitHubTokenProvider?.({ host, sessionId: sessionId ?? this.id, reason });
  }

  /** Calls a method of the session; its id is filled in. */
  async call(method: string, params: object = {}, options?: CallOptions): Promise<unknown> {
    const repeat = isRepeatable(method);
    const result = await this.#limited(method, options, (signal) =>
      this.#attachment.call(method, { sessionId: this.id, ...params }, { signal, repeat }),
    );
    if (KEPT_IN_MEMORY.has(method)) this.#keep(method, params);
    return result;
  }

  /** Sends a prompt that has its message id; resolves with it once the server has the prompt for good. */
  async send(prompt: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<string> {
    const tracing = this.#host.traceContext();
    const trace = tracing instanceof Promise ? await tracing : tracing;
    const { closeReason } = this.#attachment;
    if (closeReason) throw closeReason;
    return this.#limited("session.send", options, (signal) => {
      const sent = this.#prompts.send({ ...trace, sessionId: this.id, ...prompt }, signal);
      // While the session is not attached it waits; somebody has to see to it that it will be.
      this.#attachment.ensure().catch((error: Error) => this.#prompts.fail(error));
      return sent;
    });
  }

  openStream(options: EventStreamOptions): EventStream {
    const streams = (this.#streams ??= new Set());
    const stream = new EventStream(
      {
        read: this.#attachment.reader(),
        position: () => this.#feed.position,
        onEnd: (ended) => streams.delete(ended),
      },
      options,
    );
    streams.add(stream);
    if (this.isClosed) stream.end();
    return stream;
  }

  /** Tells when the session is left. Returns the way to stop. */
  onClosed(handler: (reason: Error) => void): () => void {
    this.#farewells.add(handler);
    return () => this.#farewells.delete(handler);
  }

  useFiles(files: SessionFsHandler): void {
    this.#files = files;
  }

  /** An event came over the connection. */
  receive(event: SessionEvent): void {
    if (this.isClosed) return;
    this.#feed.live(event);
    if (this.#feed.sinceCursor >= REFRESH_CURSOR_AFTER) void this.#refreshCursor();
  }

  /** The server asks the application something. */
  answer(method: string, params: unknown, request: PeerRequest): unknown {
    const context = {
      sessionId: this.id,
      config: this.#config,
      prepared: this.#prepared,
      files: this.#files,
    };
    const work = () => answerSessionRequest(context, method, params);
    // A file that is appended to twice is another file.
    if (method.startsWith("sessionFs.")) return work();
    this.#repeated ??= new RepeatedRequests();
    return this.#repeated.answer(method, params, request.signal, work);
  }

  linkUp(channel: Channel): void {
    this.#attachment.linkUp(channel);
  }

  linkDown(reason: Error, final: boolean): void {
    this.#attachment.linkDown(reason, final);
  }

  /** Takes the application off the session; the server keeps the conversation. */
  async leave(options: CallOptions | undefined): Promise<void> {
    const { channel } = this.#attachment;
    // A session that is not attached is left already, as far as the server is concerned.
    if (channel) {
      await this.#limited("session.detach", options, (signal) =>
        detach(channel, this.id, signal).catch((error: unknown) => {
          if (!isConnectionLoss(error)) throw error;
        }),
      );
    }
    this.close();
  }

  /** Lets go of everything without telling the server. */
  close(reason: Error = disconnected(this.id)): void {
    if (this.isClosed) return;
    this.#attachment.close(reason);
    this.#answers.close();
    this.#prompts.fail(reason);
    for (const stream of [...(this.#streams ?? [])]) stream.end();
    this.listeners.clear();
    for (const tell of [...this.#farewells]) tell(reason);
    this.#farewells.clear();
    this.#host.onGone(this);
  }

  #limited<T>(
    what: string,
    options: CallOptions | undefined,
    work: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timeoutMs = options?.timeoutMs ?? this.#host.callTimeoutMs;
    return withLimits(what, timeoutMs === undefined ? options : { ...options, timeoutMs }, work);
  }

  #keep(method: string, params: object): void {
    this.#settings ??= new Map();
    this.#settings.set(method, { ...this.#settings.get(method), ...params });
  }

  #onAttached({ workspacePath, capabilities, openCanvases, acceptsMessageIds }: JoinResult): void {
    this.openCanvases = openCanvases ?? [];
    this.workspacePath = workspacePath ?? this.workspacePath;
    this.capabilities = capabilities ?? {};
    this.#prompts.takesMessageIds = acceptsMessageIds ?? this.#prompts.takesMessageIds;
    this.#answers.release();
    this.#prompts.flush();
  }

  #deliver(event: SessionEvent): void {
    if (!this.progress.note(event)) return;
    this.#follow(event);
    this.listeners.tell(event as PublicEvent);
    if (this.#streams) for (const stream of this.#streams) stream.push(event as PublicEvent);
  }

  /** What the session itself makes of an event. */
  #follow(event: SessionEvent): void {
    const question = questionOf(this.#questions, event);
    if (question) this.#answers.ask(question);
    switch (event.type) {
      case "permission.completed":
      case "elicitation.completed":
      case "command.completed":
      case "mcp.oauth_completed":
        this.#answers.settled({ requestId: event.data.requestId });
        break;
      case "external_tool.completed":
        // Told of this client's own answer too, which is kept until the result is in the log.
        this.#answers.settled({ requestId: event.data.requestId }, { unlessAnswered: true });
        break;
      case "tool.execution_complete":
        this.#answers.settled({ toolCallId: event.data.toolCallId });
        break;
      case "capabilities.changed":
        this.capabilities = { ...this.capabilities, ...event.data } as SessionCapabilities;
        break;
      case "session.canvas.opened":
      case "session.canvas.closed": {
        const { data, type } = event;
        const others = this.openCanvases.filter(({ instanceId }) => instanceId !== data.instanceId);
        this.openCanvases =
          type === "session.canvas.opened" ? [...others, data as OpenCanvasInstance] : others;
        break;
      }
      case "session.model_change": {
        const { newModel, reasoningEffort } = event.data;
        this.#params = { ...this.#params, model: newModel, reasoningEffort: reasoningEffort ?? undefined };
      }
    }
  }

  /** `session.idle` is not logged: one that was told while nobody listened is made up for. */
  async #noteMissedIdle(channel: Channel): Promise<void> {
    if (!this.progress.isRunning) return;
    const result = await channel.request("session.metadata.isProcessing", { sessionId: this.id });
    if ((result as { processing: boolean }).processing || !this.progress.isRunning) return;
    this.#deliver(this.#makeEvent("session.idle", {}));
    this.progress.noteMadeUpIdle();
  }

  async #refreshCursor(): Promise<void> {
    const { channel } = this.#attachment;
    if (this.#refreshingCursor || !channel) return;
    this.#refreshingCursor = true;
    try {
      const result = await channel.request("session.eventLog.tail", { sessionId: this.id });
      this.#feed.setCursor((result as { cursor: string }).cursor);
    } catch {
      // The older place will do.
    } finally {
      this.#refreshingCursor = false;
    }
  }

  #onLost(error: Error): void {
    this.#prompts.fail(error);
    for (const stream of [...(this.#streams ?? [])]) stream.end(error);
    this.progress.reset();
    const message = `the session is not attached any more: ${error.message}`;
    this.#deliver(this.#makeEvent("session.error", { errorType: "connection", message }));
  }

  #onAnswerFailure(method: string, requestId: string, error: Error): void {
    // Refused, or out of reach: nobody waits for the answer any more.
    if (error instanceof RemoteError || error instanceof ConnectionError || this.isClosed) return;
    const details = { sessionId: this.id, method, requestId, error };
    this.#host.onWarning("a question of the server could not be answered", details);
  }

  /** An event of this client's own, in the place of one that could not reach it. */
  #makeEvent(type: "session.idle" | "session.error", data: object): SessionEvent {
    return {
      type,
      data,
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      parentId: this.#feed.position.lastId ?? null,
      ephemeral: true,
    } as unknown as SessionEvent;
  }
}

/** @throws Error when the server says that it could not be done. */
async function detach(channel: Channel, sessionId: string, signal: AbortSignal | undefined): Promise<void> {
  const call = async (method: string) =>
    (await channel.request(method, { sessionId }, signal)) as { success?: boolean; error?: string };
  const result = await call("session.detach").catch((error: unknown) => {
    // Runtimes from before know it by another name.
    if (error instanceof RemoteError && error.code === ErrorCode.methodNotFound)
      return call("session.destroy");
    throw error;
  });
  if (result?.success === false)
    throw new Error(`Failed to disconnect session ${sessionId}: ${result.error ?? "Unknown error"}`);
}

export function disconnected(sessionId: string): Error {
  return new Error(`Session not found: ${sessionId}. It was left by this client; resume it to go on.`);
}
