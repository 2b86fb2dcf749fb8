/**
 * One session's hold on the server, over connections that come and go.
 *
 * States: `new` → (created or resumed) → `attached` → (connection lost) → `detached` → `attaching` →
 * `attached` …; `closed` from any of them, for good. A session that is not attached is resumed with the
 * tools and handlers it had as soon as there is a connection; calls wait for that.
 */
import type { SessionCreateResult, SessionResumeParams } from "@rightseat/protocol";
import { orAborted, pause } from "../call-options.ts";
import { backoffMs } from "../connection/backoff.ts";
import type { Channel } from "../connection/channel.ts";
import type { Link } from "../connection/link.ts";
import { ConnectionError, isConnectionLoss, reasonOf, toError } from "../errors.ts";
import type { EventFeed } from "../events/event-feed.ts";
import type { LogPage, ReadPage } from "../events/log-reader.ts";

export interface AttachmentOptions {
  readonly link: Link;
  readonly sessionId: string;
  readonly feed: EventFeed;
  /** What the session is resumed with after a loss. */
  readonly resumeParams: () => SessionResumeParams;
  /** Calls that set what the server may have forgotten; made after each resume. */
  readonly restore: () => readonly (readonly [method: string, params: object])[];
  /** Events may be read from the log from now on: questions in them may have been answered meanwhile. */
  readonly onCatchingUp: () => void;
  /** The log has been read; the last thing before calls go out again. */
  readonly onCaughtUp: (channel: Channel) => Promise<void>;
  readonly onAttached: (result: JoinResult) => void;
  /** It could not be had back; the next call tries again. */
  readonly onLost: (error: Error) => void;
}

export type JoinResult = SessionCreateResult & {
  /** Behind every event that was there when the session was joined. */
  readonly eventCursor?: string;
  /** Whether `session.send` takes the client's message ids, and each once. */
  readonly acceptsMessageIds?: boolean;
};

export interface JoinRequest {
  readonly method: "session.create" | "session.resume";
  readonly params: object;
  /** The application chose the id: another session may have it. */
  readonly ownId: boolean;
}

export interface SessionCallOptions {
  readonly signal?: AbortSignal;
  /** Calling twice is as good as once: after a loss of the connection it is called again. */
  readonly repeat?: boolean;
}

type State = "new" | "attaching" | "attached" | "detached" | "closed";

/** Refusals that pass: another server still has the session, the disk is full, the session was just closed. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  "session_in_use",
  "storage_unavailable",
  "session_not_found",
]);
const RETRY = { initialDelayMs: 100, maxDelayMs: 2000 };
const RETRY_FOR_MS = 60_000;
/** Of a session that is not there: it may have been about to be closed, and resuming it once tells. */
const NOT_FOUND_ATTEMPTS = 2;

export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #waiters: { resolve: (channel: Channel) => void; reject: (error: Error) => void }[] = [];
  #state: State = "new";
  #channel: Channel | undefined;
  #closeReason: Error | undefined;
  /** Aborts the attempt to come back that is under way. */
  #attempt: AbortController | undefined;

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  /** The connection on which the session may be called now. */
  get channel(): Channel | undefined {
    return this.#state === "attached" ? this.#channel : undefined;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Why the session was left, once it was. */
  get closeReason(): Error | undefined {
    return this.#closeReason;
  }

  /** Creates or resumes the session, on as many connections as it takes. */
  async join(request: JoinRequest, signal?: AbortSignal): Promise<JoinResult> {
    const { link } = this.#options;
    let maybeMade = false;
    const startedMs = performance.now();
    for (let tries = 0; ; tries++) {
      const channel = await link.ready(signal);
      try {
        const result = await this.#joinOn(channel, request, maybeMade, signal);
        // Lost in this very moment: it is brought back like any other.
        if (channel.isOpen) this.#attached(channel, result);
        else this.#state = "detached";
        if (this.#state === "detached" && link.channel) this.linkUp(link.channel);
        return result;
      } catch (error) {
        if (this.isClosed) throw toError(error);
        if (isConnectionLoss(error)) maybeMade = true;
        else if (reasonOf(error) === "shutting_down") link.leave(channel, toError(error));
        else if (maybeMade && isHeld(error, startedMs)) await pause(backoffMs(tries, RETRY), signal);
        else throw error;
        signal?.throwIfAborted();
      }
    }
  }

  /** Calls a method of the session. @throws what the server answers, ConnectionError, the signal's reason. */
  async call(method: string, params: object, options: SessionCallOptions = {}): Promise<unknown> {
    const { signal, repeat } = options;
    for (let forgotten = 0; ; ) {
      const channel = await this.#ready(signal);
      try {
        return await channel.request(method, params, signal);
      } catch (error) {
        if (isConnectionLoss(error)) {
          if (!repeat) throw lostInCall(method, error);
        } else if (reasonOf(error) === "session_not_found" && forgotten === 0 && !this.isClosed) {
          forgotten += 1;
          this.forgotten(channel);
        } else throw error;
      }
    }
  }

  /** Sees to it that the session is attached. @throws as `call`. */
  async ensure(): Promise<void> {
    if (!this.channel) await this.#ready(undefined);
  }

  /** Reads the log on the given connection, or on whichever there is. */
  reader(channel?: Channel): ReadPage {
    const { sessionId } = this.#options;
    const method = "session.eventLog.read";
    return async (page) => {
      const params = { sessionId, ...page };
      const result = channel ? channel.request(method, params) : this.call(method, params, { repeat: true });
      return (await result) as LogPage;
    };
  }

  /** The server has let go of the session: it was idle for long, or another server took it over. */
  forgotten(channel: Channel): void {
    if (this.#state !== "attached" || this.#channel !== channel) return;
    this.#state = "detached";
    if (channel.isOpen) this.linkUp(channel);
  }

  /** There is a connection. */
  linkUp(channel: Channel): void {
    if (this.#state === "detached") void this.#comeBack(channel);
  }

  /** The connection is gone. `final`: it will not be made again by itself. */
  linkDown(reason: Error, final: boolean): void {
    if (this.#state === "attached" || this.#state === "attaching") {
      this.#state = "detached";
      this.#attempt?.abort(reason);
      this.#options.feed.drop();
    }
    if (final && this.#state === "detached") this.#lose(reason);
  }

  close(reason: Error): void {
    this.#state = "closed";
    this.#closeReason = reason;
    this.#attempt?.abort(reason);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }

  async #joinOn(
    channel: Channel,
    { method, params, ownId }: JoinRequest,
    maybeMade: boolean,
    signal: AbortSignal | undefined,
  ): Promise<JoinResult> {
    if (method === "session.resume") return this.#resumeOn(channel, params, signal);
    try {
      return (await channel.request(method, params, signal)) as JoinResult;
    } catch (error) {
      const isOurs = maybeMade && reasonOf(error) === "session_exists";
      if (!isOurs) throw error;
      return this.#takeOver(channel, ownId, error, signal);
    }
  }

  /** What is told meanwhile waits until it is known where in the log the session was joined. */
  async #resumeOn(channel: Channel, params: object, signal: AbortSignal | undefined): Promise<JoinResult> {
    const { feed } = this.#options;
    feed.hold();
    try {
      const result = (await channel.request("session.resume", params, signal)) as JoinResult;
      feed.setCursor(result.eventCursor ?? (await this.#tail(channel)));
      feed.release();
      return result;
    } catch (error) {
      feed.drop();
      throw error;
    }
  }

  /** The session was made by an attempt whose answer was lost. @throws the refusal when it is an older one. */
  async #takeOver(
    channel: Channel,
    ownId: boolean,
    refusal: unknown,
    signal: AbortSignal | undefined,
  ): Promise<JoinResult> {
    const { feed, sessionId, onCatchingUp } = this.#options;
    feed.hold();
    onCatchingUp();
    try {
      const result = (await channel.request("session.resume", this.#comingBack(), signal)) as JoinResult;
      const read = this.reader(channel);
      if (ownId) {
        const { events } = await read({ max: 50, agentScope: "all" });
        if (events.some((event) => event.type === "user.message")) {
          await channel.request("session.detach", { sessionId });
          throw refusal;
        }
      }
      await feed.catchUp(read);
      return result;
    } catch (error) {
      feed.drop();
      throw error;
    }
  }

  async #comeBack(channel: Channel): Promise<void> {
    const { feed, restore, sessionId, onCatchingUp, onCaughtUp } = this.#options;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#state = "attaching";
    const startedMs = performance.now();
    for (let tries = 0; ; tries++) {
      feed.hold();
      onCatchingUp();
      try {
        const result = (await channel.request("session.resume", this.#comingBack())) as JoinResult;
        for (const [method, params] of restore())
          await channel.request(method, { sessionId, ...params }).catch(ignoreRefusal);
        await feed.catchUp(this.reader(channel));
        if (attempt.signal.aborted) return;
        await onCaughtUp(channel);
        if (attempt.signal.aborted) return;
        this.#attached(channel, result);
        return;
      } catch (error) {
        // What follows from a loss is begun by `linkDown`.
        if (attempt.signal.aborted || isConnectionLoss(error)) return;
        feed.drop();
        const reason = reasonOf(error);
        if (reason === "shutting_down") {
          this.#options.link.leave(channel, toError(error));
          return;
        }
        const late = performance.now() - startedMs > RETRY_FOR_MS;
        const missing = reason === "session_not_found" && tries + 1 >= NOT_FOUND_ATTEMPTS;
        if (!PASSING.has(reason) || late || missing) {
          this.#state = "detached";
          this.#lose(toError(error));
          return;
        }
      }
      await pause(backoffMs(tries, RETRY), attempt.signal);
      if (attempt.signal.aborted) return;
    }
  }

  #comingBack(): SessionResumeParams {
    return { ...this.#options.resumeParams(), disableResume: true, continuePendingWork: true };
  }

  #attached(channel: Channel, result: JoinResult): void {
    if (this.isClosed) return;
    this.#attempt = undefined;
    this.#channel = channel;
    this.#state = "attached";
    this.#options.onAttached(result);
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(channel);
  }

  #lose(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#options.onLost(error);
  }

  async #ready(signal: AbortSignal | undefined): Promise<Channel> {
    if (this.#state === "attached" && this.#channel) return this.#channel;
    if (this.isClosed) throw this.#closeReason;
    const channel = await this.#options.link.ready(signal);
    if (this.channel) return this.channel;
    if (this.isClosed) throw this.#closeReason;
    const attached = new Promise<Channel>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.linkUp(channel);
    return orAborted(attached, signal);
  }

  async #tail(channel: Channel): Promise<string> {
    const { sessionId } = this.#options;
    return ((await channel.request("session.eventLog.tail", { sessionId })) as { cursor: string }).cursor;
  }
}

/** An attempt whose answer was lost may hold the session for a while yet. */
function isHeld(error: unknown, sinceMs: number): boolean {
  return reasonOf(error) === "session_in_use" && performance.now() - sinceMs < RETRY_FOR_MS;
}

function lostInCall(method: string, cause: unknown): ConnectionError {
  return new ConnectionError(
    `Connection is closed: it was lost before ${method} was answered; the server may have carried it out or not`,
    { cause, maybeDone: true },
  );
}

/** A setting that the server refuses now is no reason to lose the session. */
function ignoreRefusal(error: unknown): void {
  if (isConnectionLoss(error)) throw error;
}
