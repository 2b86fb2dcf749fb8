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
import { Losses, lostTooOften } from "../connection/losses.ts";
import { ConnectionError, isConnectionLoss, RemoteError, reasonOf, toError } from "../errors.ts";
import type { EventFeed } from "../events/event-feed.ts";
import { type LogPage, PAGE_EVENTS, type ReadPage } from "../events/log-reader.ts";

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
  /** An attempt before, whose answer was lost, may have made the session. */
  readonly maybeMade?: boolean;
  /** This client has the session open: one that exists already is that one, and none that a lost attempt made. */
  readonly isOpen?: boolean;
}

/** A request to join that was given up while the server was at it. */
export interface GivenUpJoin {
  readonly channel: Channel;
  readonly answer: Promise<unknown>;
}

export interface SessionCallOptions {
  readonly signal?: AbortSignal;
  /** Calling twice is as good as once: after a loss of the connection it is called again. */
  readonly repeat?: boolean;
}

type State = "new" | "attaching" | "attached" | "detached" | "closed";

/** Refusals that pass: another server still has the session, there is no room, the session was just closed. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  "session_in_use",
  "limit_exceeded",
  "storage_unavailable",
  "session_not_found",
]);
const RETRY = { initialDelayMs: 100, maxDelayMs: 2000 };
const RETRY_FOR_MS = 60_000;
/** Attempts to resume a session that is not there. It may just have been closing; a second attempt tells. */
const NOT_FOUND_ATTEMPTS = 2;

export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #waiters: { resolve: (channel: Channel) => void; reject: (error: Error) => void }[] = [];
  #state: State = "new";
  #channel: Channel | undefined;
  #closeReason: Error | undefined;
  /** Aborts the attempt to come back that is under way. */
  #attempt: AbortController | undefined;
  /** Settles when the attempt to come back is over, however it went. */
  #comingBackEnds: Promise<void> | undefined;
  /** Losses since the session was last attached, and when the first of them was. */
  #losses: Losses;
  /** The server is being told that the session is left: that it does not know it any more is no news. */
  #isLeaving = false;
  /** How many events a page of the log may have: fewer after a connection was lost while one was read. */
  #pageEvents = PAGE_EVENTS;

  constructor(options: AttachmentOptions) {
    this.#options = options;
    this.#losses = new Losses(options.link.giveUpAfterMs);
  }

  /** The connection on which the session may be called now. */
  get channel(): Channel | undefined {
    return this.#state === "attached" && this.#channel?.isOpen ? this.#channel : undefined;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Why the session was left, once it was. */
  get closeReason(): Error | undefined {
    return this.#closeReason;
  }

  /**
   * Creates or resumes the session, on as many connections as it takes.
   * @param onGivenUp is told of a request that is under way when the signal aborts
   */
  async join(
    request: JoinRequest,
    signal: AbortSignal | undefined,
    onGivenUp: (join: GivenUpJoin) => void,
  ): Promise<JoinResult> {
    const { link } = this.#options;
    let maybeMade = request.maybeMade === true;
    const startedMs = performance.now();
    const losses = new Losses(link.giveUpAfterMs);
    let lost: GivenUpJoin | undefined;
    // Given up between two attempts: what the one before may have made is undone, too.
    const betweenAttempts = <T>(work: Promise<T>) =>
      work.catch((error: unknown) => {
        if (signal?.aborted && lost) onGivenUp(lost);
        throw error;
      });
    for (let tries = 0; ; tries++) {
      const channel = await betweenAttempts(link.ready(signal));
      const answer = this.#joinOn(channel, request, maybeMade);
      try {
        const result = await orAborted(answer, signal);
        // Lost in this very moment: it is brought back like any other.
        if (channel.isOpen) this.#attached(channel, result);
        else this.#state = "detached";
        if (this.#state === "detached" && link.channel) this.linkUp(link.channel);
        return result;
      } catch (error) {
        const givenUp = signal?.aborted === true;
        if (givenUp) onGivenUp({ channel, answer });
        if (this.isClosed) throw this.#closeReason;
        if (isConnectionLoss(error)) {
          maybeMade = request.isOpen !== true;
          if (maybeMade) lost = { channel, answer };
          if (losses.areTooMany()) {
            if (maybeMade) onGivenUp({ channel, answer });
            throw lostTooOften(request.method, error);
          }
        } else if (reasonOf(error) === "shutting_down") link.leave(channel, toError(error));
        else if (maybeMade && isHeld(error, startedMs)) await pause(backoffMs(tries, RETRY), signal);
        else throw error;
        if (signal?.aborted) {
          if (!givenUp && lost) onGivenUp(lost);
          throw toError(signal.reason);
        }
      }
    }
  }

  /**
   * Resumes a session that is attached once more, with other settings. What is told meanwhile waits until
   * `onJoined` has been called, which takes the settings over. When it fails, all is as it was.
   */
  async rejoin(params: object, onJoined: (result: JoinResult) => void, signal?: AbortSignal): Promise<void> {
    const { feed, link } = this.#options;
    const losses = new Losses(link.giveUpAfterMs);
    for (;;) {
      const channel = await this.#ready(signal);
      feed.hold();
      try {
        const result = (await channel.request("session.resume", params, signal)) as JoinResult;
        if (this.channel !== channel) continue;
        onJoined(result);
        this.#options.onAttached(result);
        feed.release();
        return;
      } catch (error) {
        if (this.channel === channel) feed.release();
        if (reasonOf(error) === "shutting_down") link.leave(channel, toError(error));
        else if (!isConnectionLoss(error)) {
          // The server may have carried it out all the same.
          if (!(error instanceof RemoteError)) this.again();
          throw error;
        } else if (losses.areTooMany()) throw lostTooOften("session.resume", error);
      }
    }
  }

  /** Calls a method of the session. @throws what the server answers, ConnectionError, the signal's reason. */
  async call(method: string, params: object, options: SessionCallOptions = {}): Promise<unknown> {
    const { signal, repeat } = options;
    const losses = new Losses(this.#options.link.giveUpAfterMs);
    for (let forgotten = 0; ; ) {
      const channel = await this.#ready(signal);
      try {
        return await channel.request(method, params, signal);
      } catch (error) {
        if (isConnectionLoss(error)) {
          if (!repeat) throw lostInCall(method, error);
          if (losses.areTooMany()) throw lostTooOften(method, error);
        } else if (this.#isUnexpected(error) && forgotten === 0) {
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
  reader(channel?: Channel, filter: { readonly types?: readonly string[] } = {}): ReadPage {
    const { sessionId } = this.#options;
    const method = "session.eventLog.read";
    return async (page) => {
      const losses = new Losses(this.#options.link.giveUpAfterMs);
      for (;;) {
        const max = Math.min(page.max, this.#pageEvents);
        const params = { sessionId, ...filter, ...page, max };
        try {
          const result = await (channel ? channel.request(method, params) : this.call(method, params));
          this.#pageEvents = Math.min(PAGE_EVENTS, this.#pageEvents * 2);
          return result as LogPage;
        } catch (error) {
          // It may be the size of the page that the connection could not carry.
          if (isConnectionLoss(error)) this.#pageEvents = Math.max(1, max >> 1);
          if (channel || !isConnectionLoss(error) || this.isClosed) throw error;
          if (losses.areTooMany()) throw lostTooOften(method, error);
        }
      }
    };
  }

  /** The server has let go of the session: it was idle for long, or another server took it over. */
  forgotten(channel: Channel): void {
    if (this.#state === "attached" && this.#channel === channel && !this.#isLeaving) this.again();
  }

  /** The session is not known to the server although this client has not left it. */
  #isUnexpected(error: unknown): boolean {
    return reasonOf(error) === "session_not_found" && !this.isClosed && !this.#isLeaving;
  }

  /** Has the server told that the session is left, once nothing is under way that would have it back. */
  async leave(detach: (channel: Channel) => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    await this.settled(signal);
    const { channel } = this;
    // A session that is not attached is left already, as far as the server is concerned.
    if (!channel) return;
    this.#isLeaving = true;
    try {
      await detach(channel);
    } catch (error) {
      if (isConnectionLoss(error)) return;
      // Given up, and carried out all the same: nothing would be told any more.
      if (signal?.aborted) this.again();
      throw error;
    } finally {
      this.#isLeaving = false;
    }
  }

  /** Resumes the session anew with what it is to be resumed with now. */
  again(): void {
    if (this.#state !== "attached" || !this.#channel) return;
    this.#state = "detached";
    if (this.#channel.isOpen) this.linkUp(this.#channel);
  }

  /** Resolves when no attempt to come back is under way. */
  async settled(signal?: AbortSignal): Promise<void> {
    while (this.#comingBackEnds) await orAborted(this.#comingBackEnds, signal);
  }

  /** There is a connection. */
  linkUp(channel: Channel): void {
    if (this.#state !== "detached") return;
    const ends = this.#comeBack(channel).finally(() => {
      if (this.#comingBackEnds === ends) this.#comingBackEnds = undefined;
    });
    this.#comingBackEnds = ends;
  }

  /** The connection is gone. `final`: it will not be made again by itself. */
  linkDown(reason: Error, final: boolean): void {
    if (this.#state === "attached" || this.#state === "attaching") {
      this.#state = "detached";
      this.#attempt?.abort(reason);
      this.#options.feed.drop();
    }
    if (this.#state !== "detached") return;
    if (final) this.#lose(reason);
    // Each connection succeeds, and none lasts until the session is back.
    else if (this.#losses.areTooMany()) this.#lose(lostTooOften("session.resume", reason));
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
  ): Promise<JoinResult> {
    if (method === "session.resume") return this.#resumeOn(channel, params);
    const { feed } = this.#options;
    feed.hold();
    try {
      const result = (await channel.request(method, params)) as JoinResult;
      feed.release();
      return result;
    } catch (error) {
      // What was told of a session that is not this client's, or not yet, has its place in the log.
      feed.hold();
      const isOurs = maybeMade && reasonOf(error) === "session_exists";
      if (!isOurs) throw error;
      return this.#takeOver(channel, ownId, error);
    }
  }

  /** What is told meanwhile waits until it is known where in the log the session was joined. */
  async #resumeOn(channel: Channel, params: object): Promise<JoinResult> {
    const { feed } = this.#options;
    feed.hold();
    try {
      const result = (await channel.request("session.resume", params)) as JoinResult;
      feed.setCursor(result.eventCursor ?? (await this.#tail(channel)));
      feed.release();
      return result;
    } catch (error) {
      feed.hold();
      throw error;
    }
  }

  /** The session was made by an attempt whose answer was lost. @throws the refusal when it is an older one. */
  async #takeOver(channel: Channel, ownId: boolean, refusal: unknown): Promise<JoinResult> {
    const { feed, sessionId, onCatchingUp } = this.#options;
    feed.hold();
    onCatchingUp();
    try {
      const result = (await channel.request("session.resume", this.#comingBack())) as JoinResult;
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
      feed.hold();
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
        if (attempt.signal.aborted) return;
        // What came before the answer is in the log, and may be from before a gap: it was on its way when the
        // session was left.
        feed.hold();
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
        // Until the next try, too: what is told before the log was read would hide what lies before it.
        feed.hold();
        const reason = reasonOf(error);
        if (reason === "shutting_down") {
          this.#options.link.leave(channel, toError(error));
          return;
        }
        const late = performance.now() - startedMs > RETRY_FOR_MS;
        const missing = reason === "session_not_found" && tries + 1 >= NOT_FOUND_ATTEMPTS;
        if (!PASSING.has(reason) || late || missing) {
          feed.drop();
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
    this.#losses = new Losses(this.#options.link.giveUpAfterMs);
    this.#channel = channel;
    this.#state = "attached";
    this.#options.onAttached(result);
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(channel);
  }

  #lose(reason: Error): void {
    this.#losses = new Losses(this.#options.link.giveUpAfterMs);
    const isKnown = reason instanceof RemoteError || reason instanceof ConnectionError;
    const error = isKnown ? reason : new ConnectionError(reason.message, { cause: reason });
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#options.onLost(error);
  }

  async #ready(signal: AbortSignal | undefined): Promise<Channel> {
    if (this.channel) return this.channel;
    if (this.isClosed) throw this.#closeReason;
    // Nobody has said yet that the connection is gone.
    if (this.#state === "attached") this.#state = "detached";
    const channel = await this.#options.link.ready(signal);
    if (this.channel) return this.channel;
    if (this.isClosed) throw this.#closeReason;
    const attached = new Promise<Channel>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    // Whoever is given up meanwhile is not there any more when it fails.
    attached.catch(() => undefined);
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
