/**
 * What a session consists of behind its public face: its hold on the server, its stream of events, the
 * prompts on their way, the questions it is asked. A client has one for each session that is open; the session
 * objects of the application share it. The configuration of the one that joined last applies, and the one
 * before it again when that one is left.
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
import { type CallOptions, orAborted, withLimits } from "../call-options.ts";
import type { Callbacks } from "../callbacks.ts";
import type { Channel } from "../connection/channel.ts";
import type { Link } from "../connection/link.ts";
import { ConnectionError, RemoteError, toError } from "../errors.ts";
import { EventFeed } from "../events/event-feed.ts";
import { EventStream, type EventStreamOptions } from "../events/event-stream.ts";
import type { ReadPage } from "../events/log-reader.ts";
import { Answers } from "../requests/answers.ts";
import { type QuestionContext, questionOf } from "../requests/question-handlers.ts";
import { RepeatedRequests } from "../requests/repeated-requests.ts";
import { answerSessionRequest } from "../requests/session-requests.ts";
import { isRepeatable } from "../rpc.ts";
import type { TraceContext } from "../types/client-options.ts";
import type { SessionEvent as PublicEvent } from "../types/messages.ts";
import type { SessionCapabilities } from "../types/sessions.ts";
import { Attachment, type GivenUpJoin, type JoinRequest, type JoinResult } from "./attachment.ts";
import type { SessionHold } from "./hold.ts";
import { SessionProgress } from "./progress.ts";
import { Prompts } from "./prompts.ts";

/** What a session needs of its client. */
export interface SessionHost {
  readonly link: Link;
  readonly callTimeoutMs: number | undefined;
  readonly traceContext: () => TraceContext | undefined | Promise<TraceContext | undefined>;
  readonly callbacks: Callbacks;
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
  readonly progress = new SessionProgress();
  workspacePath: string | undefined;
  capabilities: SessionCapabilities = {};
  openCanvases: readonly OpenCanvasInstance[] = [];
  readonly #host: SessionHost;
  /** The application's objects of this session, the one that joined last at the end. */
  #holds: readonly SessionHold[];
  #wasJoined = false;
  /** Objects that are about to join: the session is not left meanwhile. */
  #joining = 0;
  /** Resolves when the session has been left, or could not be. */
  #leaving: Promise<void> | undefined;
  readonly #questions: QuestionContext;
  readonly #feed: EventFeed;
  readonly #answers: Answers;
  readonly #prompts: Prompts;
  readonly #attachment: Attachment;
  #settings: Map<string, object> | undefined;
  #repeated: RepeatedRequests | undefined;
  #refreshingCursor = false;
  /** Those who follow all events, whatever becomes of the application's objects. */
  readonly #watchers = new Set<(event: PublicEvent) => void>();

  constructor(id: string, host: SessionHost, hold: SessionHold) {
    this.id = id;
    this.#host = host;
    this.#holds = [hold];
    this.#feed = new EventFeed({
      deliver: (event) => this.#deliver(event),
      askedAgain: (requestId) => this.#answers.askedAgain(requestId),
    });
    const call = (method: string, params: Record<string, unknown>) =>
      this.#attachment.call(method, { sessionId: id, ...params }, { repeat: true });
    const config = () => this.#current.config;
    this.#questions = {
      sessionId: id,
      get config() {
        return config();
      },
      call,
      onHandlerError: (what, error) => this.#warn(what, { error }),
    };
    this.#answers = new Answers({
      send: call,
      onFailure: ({ method, requestId }, error) => this.#onAnswerFailure(method, requestId, error),
    });
    this.#prompts = new Prompts({
      channel: () => this.#attachment.channel,
      onSessionUnknown: (channel) => this.#attachment.forgotten(channel),
      giveUpAfterMs: host.link.giveUpAfterMs,
    });
    this.#attachment = new Attachment({
      link: host.link,
      sessionId: id,
      feed: this.#feed,
      resumeParams: () => ({ ...this.#current.params, sessionId: id }) as SessionResumeParams,
      restore: () => [...(this.#settings ?? [])],
      onCatchingUp: () => this.#answers.hold(),
      onCaughtUp: (channel) => this.#noteMissedIdle(channel),
      onAttached: (result) => this.#onAttached(result),
      onLost: (error) => this.#onLost(error),
    });
  }

  /** Whether the server has created or resumed the session for this client. */
  get wasJoined(): boolean {
    return this.#wasJoined;
  }

  get isClosed(): boolean {
    return this.#attachment.isClosed;
  }

  /** The one whose configuration applies. */
  get #current(): SessionHold {
    return this.#holds.at(-1) as SessionHold;
  }

  /**
   * Creates or resumes the session on the server for its first object, and sets what can only be set then.
   * @param onGivenUp is told of a request that is under way when the call is given up
   */
  async join(
    request: JoinRequest,
    options: CallOptions | undefined,
    onGivenUp: (join: GivenUpJoin) => void,
  ): Promise<void> {
    await this.#limited(request.method, options, async (signal) => {
      await this.#attachment.join(request, signal, onGivenUp);
      this.#wasJoined = true;
      await this.#setUp(this.#current, signal);
      // The client was stopped in this very moment.
      const { closeReason } = this.#attachment;
      if (closeReason) throw closeReason;
    });
  }

  /** Resumes the session for one more object, whose configuration applies from then on. */
  async rejoin(params: object, hold: SessionHold, options: CallOptions | undefined): Promise<void> {
    this.#joining += 1;
    try {
      await this.#limited("session.resume", options, async (signal) => {
        const take = () => {
          this.#holds = [...this.#holds.filter(({ closeReason }) => !closeReason), hold];
        };
        await this.#attachment.rejoin(params, take, signal);
        try {
          await this.#setUp(hold, signal);
        } catch (error) {
          this.#letGo(hold, toError(error));
          throw error;
        }
      });
    } finally {
      this.#joining -= 1;
      // All others left meanwhile.
      if (this.#joining === 0 && this.#holds.every(({ closeReason }) => closeReason))
        this.leaveAll(undefined).catch(() => this.close());
    }
  }

  async #setUp({ config, prepared }: SessionHold, signal: AbortSignal | undefined): Promise<void> {
    const limits = { signal, timeoutMs: Number.POSITIVE_INFINITY };
    if (config.onMcpAuthRequest) {
      const interest = { eventType: "mcp.oauth_required" };
      await this.call("session.eventLog.registerInterest", interest, limits);
      this.#keep("session.eventLog.registerInterest", interest);
    }
    if (prepared.options) await this.call("session.options.update", prepared.options, limits);
  }

  /** Gets a GitHub token; undefined when it is another session that was asked for one. */
  gitHubToken(request: GitHubTokenAcquireRequest): unknown {
    const { registrationId, host, sessionId, reason } = request;
    const hold = this.#holds.find(({ prepared }) => prepared.gitHubTokenRegistration === registrationId);
    return hold?.config.gitHubTokenProvider?.({ host, sessionId: sessionId ?? this.id, reason });
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
  send(prompt: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<string> {
    return this.#limited("session.send", options, async (signal) => {
      const tracing = this.#host.traceContext();
      const trace = tracing instanceof Promise ? await orAborted(tracing, signal) : tracing;
      const { closeReason } = this.#attachment;
      if (closeReason) throw closeReason;
      const sent = this.#prompts.send({ ...trace, sessionId: this.id, ...prompt }, signal);
      // While the session is not attached it waits; somebody has to see to it that it will be.
      this.#attachment.ensure().catch((error: Error) => this.#prompts.fail(error));
      return sent;
    });
  }

  /** Whether a prompt that has no turn yet may get one: it waits, or the session is at work and tells when it is done. */
  async mayBegin(messageId: string): Promise<boolean> {
    const { items } = (await this.call("session.queue.pendingItems")) as { items: { id: string }[] };
    if (items.some(({ id }) => id === messageId)) return true;
    return ((await this.call("session.metadata.isProcessing")) as { processing: boolean }).processing;
  }

  /** Resolves when every event has been delivered that was told until now. @throws as `call`. */
  async told(): Promise<void> {
    while (!this.#attachment.channel || this.#feed.isHolding) {
      await this.#attachment.ensure();
      await this.#feed.released();
    }
  }

  /** Reads the log, on whichever connection there is. */
  reader(filter?: { readonly types?: readonly string[] }): ReadPage {
    return this.#attachment.reader(undefined, filter);
  }

  openStream(hold: SessionHold, options: EventStreamOptions): EventStream {
    const stream = new EventStream(
      {
        read: this.reader(),
        position: () => this.#feed.position,
        onEnd: (ended) => hold.streams.delete(ended),
      },
      options,
    );
    hold.streams.add(stream);
    if (hold.closeReason) stream.end();
    return stream;
  }

  /** Tells all events, whatever becomes of the application's objects. Must not throw. Returns the way to stop. */
  watch(watcher: (event: PublicEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** An event came over the connection. */
  receive(event: SessionEvent): void {
    if (this.isClosed) return;
    this.#feed.live(event);
    if (this.#feed.sinceCursor >= REFRESH_CURSOR_AFTER) void this.#refreshCursor();
  }

  /** The server asks the application something. */
  answer(method: string, params: unknown, request: PeerRequest): unknown {
    const { config, prepared, files } = this.#current;
    const warn = (what: string, error: unknown) => this.#warn(what, { error });
    const context = { sessionId: this.id, config, prepared, files, warn };
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

  /** Takes one of the application's objects off the session; the server keeps the conversation. */
  leave(hold: SessionHold, options: CallOptions | undefined): Promise<void> {
    return this.#limited("session.detach", options, async (signal) => {
      // Another call's limits are its own: what it gives up is tried again.
      while (this.#leaving) await this.notLeaving(signal);
      if (this.isClosed || hold.closeReason) return;
      const isLast = this.#holds.length === 1 && this.#holds[0] === hold;
      if (isLast && this.#joining === 0) await this.#leave(signal);
      else this.#letGo(hold, disconnected(this.id));
    });
  }

  /** Takes all of the application's objects off the session. */
  leaveAll(options: CallOptions | undefined): Promise<void> {
    return this.#limited("session.detach", options, async (signal) => {
      while (this.#leaving) await this.notLeaving(signal);
      if (!this.isClosed) await this.#leave(signal);
    });
  }

  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Resolves when the session is not being left. */
  async notLeaving(signal: AbortSignal | undefined): Promise<void> {
    while (this.#leaving) await orAborted(this.#leaving.catch(ignored), signal);
  }

  /** Others keep the session; the configuration of the one that joined before applies. */
  #letGo(hold: SessionHold, reason: Error): void {
    const applied = hold === this.#current;
    const others = this.#holds.filter((other) => other !== hold);
    // The last is kept for its configuration until the one that is joining has its own.
    if (others.length > 0) {
      this.#holds = others;
      if (applied) this.#attachment.again();
    }
    hold.close(reason);
  }

  #leave(signal: AbortSignal | undefined): Promise<void> {
    this.#leaving = this.#detach(signal).finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #detach(signal: AbortSignal | undefined): Promise<void> {
    // What the server is about to be asked, it has to answer first: else it keeps the session for us.
    await this.#attachment.leave((channel) => detach(channel, this.id, signal), signal);
    this.close();
  }

  /** Lets go of everything without telling the server. */
  close(reason: Error = disconnected(this.id)): void {
    if (this.isClosed) return;
    this.#attachment.close(reason);
    this.#answers.close();
    this.#prompts.fail(reason);
    for (const hold of this.#holds) hold.close(reason);
    this.#host.onGone(this);
  }

  #warn(message: string, details: Record<string, unknown>): void {
    this.#host.callbacks.warn(message, { sessionId: this.id, ...details });
  }

  #limited<T>(
    what: string,
    options: CallOptions | undefined,
    work: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return withLimits(what, { ...options, timeoutMs: options?.timeoutMs ?? this.#host.callTimeoutMs }, work);
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
    for (const watcher of [...this.#watchers]) watcher(event as PublicEvent);
    for (const hold of this.#holds) hold.tell(event as PublicEvent);
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
        const model = { model: newModel, reasoningEffort: reasoningEffort ?? undefined };
        for (const hold of this.#holds) hold.params = { ...hold.params, ...model };
      }
    }
  }

  /** `session.idle` is not logged: one that was told while nobody listened is made up for. */
  async #noteMissedIdle(channel: Channel): Promise<void> {
    if (!this.progress.isRunning && this.#watchers.size === 0) return;
    const result = await channel.request("session.metadata.isProcessing", { sessionId: this.id });
    if ((result as { processing: boolean }).processing) return;
    const idle = this.#makeEvent("session.idle", {});
    if (this.progress.isRunning) {
      this.#deliver(idle);
      this.progress.noteMadeUpIdle();
    } else {
      // The session came to rest in a turn whose beginning was told before it was joined: who waits has to know.
      for (const watcher of [...this.#watchers]) watcher(idle as PublicEvent);
    }
  }

  async #refreshCursor(): Promise<void> {
    const { channel } = this.#attachment;
    if (this.#refreshingCursor || !channel) return;
    this.#refreshingCursor = true;
    try {
      const result = await channel.request("session.eventLog.tail", { sessionId: this.id });
      if (!this.#feed.isHolding) this.#feed.setCursor((result as { cursor: string }).cursor);
    } catch {
      // The older place will do.
    } finally {
      this.#refreshingCursor = false;
    }
  }

  #onLost(error: Error): void {
    this.#prompts.fail(error);
    for (const { streams } of this.#holds) for (const stream of [...streams]) stream.end(error);
    this.progress.reset();
    const message = `the session is not attached any more: ${error.message}`;
    this.#deliver(this.#makeEvent("session.error", { errorType: "connection", message }));
  }

  #onAnswerFailure(method: string, requestId: string, error: Error): void {
    // Out of reach: nobody waits for the answer any more.
    if (error instanceof ConnectionError || this.isClosed) return;
    this.#warn("a question of the server could not be answered", { method, requestId, error });
  }

  /** An event of this client's own, in the place of one that could not reach it. */
  #makeEvent(type: "session.idle" | "session.error", data: object): SessionEvent {
    return {
      type,
      data,
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      parentId: this.#feed.lastId ?? null,
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

const ignored = () => undefined;

export function disconnected(sessionId: string): Error {
  return new Error(`Session not found: ${sessionId}. It was left by this client; resume it to go on.`);
}
