/**
 * The lasting connection over connections that come and go.
 *
 * States: disconnected → connecting → connected → (lost) → connecting → …; `error` when connecting was
 * given up. A lost connection is made again while somebody needs it: a session, or a call that waits.
 * Addresses are tried in turn, beginning with the one that served last, unless it was left on purpose.
 */
import { orAborted, pause, withLimits } from "../call-options.ts";
import { ConnectionError, toError } from "../errors.ts";
import { backoffMs } from "./backoff.ts";
import { type ByteStreams, Channel, type ChannelHandlers } from "./channel.ts";
import { HandshakeRefused } from "./handshake.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { Patience } from "./patience.ts";
import type { LinkState, ReconnectOptions } from "./settings.ts";

/** One place to connect to. */
export interface Endpoint {
  /** For messages. */
  readonly name: string;
  readonly open: (timeoutMs: number, signal: AbortSignal) => Promise<ByteStreams>;
  /** Finds out more about a failure, where there is more to know. */
  readonly explain?: (error: Error) => Promise<Error>;
}

export interface LinkOptions extends Pick<ChannelHandlers, "onRequest" | "onNotification" | "onUnsendable"> {
  readonly endpoints: readonly Endpoint[];
  /** Milliseconds that one endpoint may say nothing while the stream is opened and in the handshake. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that a server may ask for besides, which judges an attempt later. */
  readonly maxAdmissionMs: number;
  /** False: a connection that is lost stays lost. */
  readonly reconnect: ReconnectOptions | false;
  readonly heartbeat: HeartbeatOptions | false;
  /** The handshake, and what the server must know before anything else. */
  readonly introduce: (channel: Channel, patience: Patience) => Promise<void>;
  readonly onUp: (channel: Channel) => void;
  /** `final`: it will not be made again by itself. */
  readonly onDown: (reason: Error, final: boolean) => void;
  readonly onState: (state: LinkState, reason?: Error) => void;
  /** Whether a lost connection has to be made again although no call waits. */
  readonly isNeeded: () => boolean;
  /** Whether something is expected from the server besides answers. */
  readonly isBusy: () => boolean;
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

const DEFAULT_GIVE_UP_MS = 60_000;
const DEFAULT_INITIAL_DELAY_MS = 50;
const DEFAULT_MAX_DELAY_MS = 5000;
const FLUSH_MS = 2000;
/** However soon a lost connection is given up: a connection takes a while to be made. */
const LEAST_TRY_MS = 100;
/** The server's word that others from here have failed lately, so that it judges this attempt later. */
const CONNECT_WAITS = "$/connectWaits";

export class Link {
  readonly #options: LinkOptions;
  #state: LinkState = "disconnected";
  #channel: Channel | undefined;
  #answeredAtUp = 0;
  #heartbeat: Heartbeat | undefined;
  /** Aborts with the reason when the link is closed; a link that is closed has none. */
  #open: AbortController | undefined;
  #connecting = false;
  #wasUp = false;
  #wake: AbortController | undefined;
  /** Those who want the outcome of the next round of attempts, and those who want a connection. */
  #roundWaiters: Waiter<Channel>[] = [];
  #readyWaiters: Waiter<Channel>[] = [];
  #preferred = 0;
  #attempt = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** How long may be tried before calls that wait reject. */
  get giveUpAfterMs(): number {
    const { reconnect } = this.#options;
    return (reconnect === false ? undefined : reconnect.giveUpAfterMs) ?? DEFAULT_GIVE_UP_MS;
  }

  /** Whether `connect` was called, and `close` not since. */
  get isStarted(): boolean {
    return this.#open !== undefined;
  }

  /** The name of the endpoint that serves; undefined while none does. */
  get endpointName(): string | undefined {
    return this.#channel && this.#options.endpoints[this.#preferred]?.name;
  }

  /** The connection, when there is one right now. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /**
   * Connects now: every address is tried once.
   * @throws Error that begins "Failed to connect to CLI server", or HandshakeRefused.
   */
  async connect(signal?: AbortSignal): Promise<Channel> {
    if (this.#channel) return this.#channel;
    this.#open ??= new AbortController();
    const outcome = waiting(this.#roundWaiters);
    this.#wake?.abort();
    void this.#keepConnecting();
    return orAborted(outcome, signal);
  }

  /**
   * The connection, waited for while it is being made again.
   * @throws ConnectionError when it was given up or closed; the signal's reason.
   */
  async ready(signal?: AbortSignal): Promise<Channel> {
    if (this.#channel) return this.#channel;
    if (!this.#open) throw new ConnectionError("Client not connected");
    if (this.#options.reconnect === false && !this.#connecting)
      throw new ConnectionError("Connection is closed: it was lost, and reconnecting is switched off");
    const outcome = waiting(this.#readyWaiters);
    void this.#keepConnecting();
    return orAborted(outcome, signal);
  }

  /** Ends this connection and goes on with the next address. */
  leave(channel: Channel, reason: Error): void {
    if (channel !== this.#channel) return;
    this.#preferred = (this.#preferred + 1) % this.#options.endpoints.length;
    channel.close(reason);
  }

  /** Ends it for good, at once or after what was said has gone out. It may be connected anew. */
  async close(how: "flush" | "now"): Promise<void> {
    const reason = new ConnectionError("Connection is closed: the client was stopped");
    const channel = this.#channel;
    this.#open?.abort(reason);
    this.#open = undefined;
    this.#channel = undefined;
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.#wasUp = false;
    this.#attempt = 0;
    if (channel && how === "flush") await channel.end(reason, FLUSH_MS);
    else channel?.close(reason);
    this.#rejectAll(reason);
    this.#setState("disconnected");
  }

  /** Makes the connection, one attempt at a time, and says what came of it. */
  async #keepConnecting(): Promise<void> {
    const { signal } = this.#open ?? {};
    if (this.#connecting || this.#channel || !signal) return;
    this.#connecting = true;
    this.#setState("connecting");
    const outcome = await this.#attempts(signal).catch(toError);
    this.#connecting = false;
    if (signal.aborted) {
      if (outcome instanceof Channel) outcome.close(toError(signal.reason));
      // Closed, and started again while this was under way.
      if (this.#roundWaiters.length > 0 || this.#readyWaiters.length > 0) void this.#keepConnecting();
    } else if (outcome instanceof Channel) {
      this.#up(outcome);
    } else {
      this.#giveUp(outcome);
    }
  }

  /** Attempts until one succeeds. @throws the last reason when there is no use in going on. */
  #attempts(signal: AbortSignal): Promise<Channel> {
    const startedMs = performance.now();
    const names = this.#options.endpoints.map(({ name }) => name).join(", ");
    let last: Error | undefined;
    return withLimits(names, { signal, timeoutMs: this.#patienceMs }, async (limit = signal) => {
      for (;;) {
        const outcome = await this.#tryAll(limit).catch(toError);
        if (outcome instanceof Channel && outcome.isOpen) return outcome;
        const failure =
          outcome instanceof Channel ? new ConnectionError("the server closed the connection") : outcome;
        signal.throwIfAborted();
        if (limit.aborted) throw last ?? failure;
        if (!this.#shouldGoOn(failure, performance.now() - startedMs)) throw failure;
        last = failure;
        rejectThem(this.#roundWaiters, toFailure(failure));
        await this.#pauseBeforeNext(limit);
        signal.throwIfAborted();
      }
    });
  }

  /** How long a lost connection may take to be made again; an address that says nothing takes no longer. */
  get #patienceMs(): number {
    const goesOn = this.#wasUp && this.#options.reconnect !== false;
    return goesOn ? Math.max(this.giveUpAfterMs, LEAST_TRY_MS) : Number.POSITIVE_INFINITY;
  }

  #shouldGoOn(failure: Error, elapsedMs: number): boolean {
    const { reconnect, isNeeded } = this.#options;
    // The first connection is made or not made at once: an address may simply be wrong.
    if (!this.#wasUp || reconnect === false || isFinal(failure)) return false;
    if (elapsedMs >= this.giveUpAfterMs) return false;
    return this.#readyWaiters.length > 0 || isNeeded();
  }

  async #pauseBeforeNext(signal: AbortSignal): Promise<void> {
    const { initialDelayMs, maxDelayMs } = this.#options.reconnect || {};
    const waitMs = backoffMs(this.#attempt++, {
      initialDelayMs: initialDelayMs ?? DEFAULT_INITIAL_DELAY_MS,
      maxDelayMs: maxDelayMs ?? DEFAULT_MAX_DELAY_MS,
    });
    const wake = new AbortController();
    this.#wake = wake;
    const stop = () => wake.abort();
    signal.addEventListener("abort", stop, { once: true });
    await pause(waitMs, wake.signal);
    signal.removeEventListener("abort", stop);
    this.#wake = undefined;
  }

  /** Every endpoint once. @throws the only reason, or one that tells them all. */
  async #tryAll(signal: AbortSignal): Promise<Channel> {
    const { endpoints } = this.#options;
    const failures: { name: string; error: Error }[] = [];
    const first = this.#preferred;
    for (let offset = 0; offset < endpoints.length; offset++) {
      const index = (first + offset) % endpoints.length;
      const endpoint = endpoints[index] as Endpoint;
      try {
        const channel = await this.#tryOne(endpoint, signal);
        this.#preferred = index;
        return channel;
      } catch (error) {
        signal.throwIfAborted();
        failures.push({ name: endpoint.name, error: toError(error) });
      }
    }
    throw joined(failures);
  }

  async #tryOne(endpoint: Endpoint, signal: AbortSignal): Promise<Channel> {
    const { connectTimeoutMs, maxAdmissionMs, introduce, onRequest, onNotification, onUnsendable } =
      this.#options;
    const patience = new Patience(
      endpoint.name,
      { limitMs: connectTimeoutMs, mostMoreMs: maxAdmissionMs },
      signal,
    );
    try {
      const streams = await endpoint.open(connectTimeoutMs, patience.signal);
      const channel = new Channel(streams, {
        onRequest,
        onNotification: (method, params) => {
          if (method === CONNECT_WAITS) patience.waitOn(waitOf(params));
          else onNotification(method, params);
        },
        onUnsendable,
        onClose: (closed, reason) => this.#onClose(closed, reason),
      });
      try {
        await introduce(channel, patience);
        return channel;
      } catch (error) {
        channel.close(toError(error));
        throw (await endpoint.explain?.(toError(error))) ?? error;
      }
    } finally {
      patience.release();
    }
  }

  #up(channel: Channel): void {
    const { heartbeat, isBusy, onUp } = this.#options;
    this.#channel = channel;
    this.#wasUp = true;
    this.#answeredAtUp = channel.answered;
    if (heartbeat) {
      const beat = new Heartbeat(channel, heartbeat, () => channel.waiting > 0 || isBusy());
      this.#heartbeat = beat;
      channel.onAsked = () => beat.wake();
    }
    this.#setState("connected");
    onUp(channel);
    resolveThem(this.#roundWaiters, channel);
    resolveThem(this.#readyWaiters, channel);
  }

  #onClose(channel: Channel, reason: Error): void {
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    const silent = this.#heartbeat?.gaveUp ?? false;
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    // A server that stopped answering is left for the next one.
    if (silent) this.#preferred = (this.#preferred + 1) % this.#options.endpoints.length;
    // A connection that was of use has earned a quick return; one that ends at once has not.
    if (channel.answered > this.#answeredAtUp) this.#attempt = 0;
    if (!this.#open) return;
    const { reconnect, isNeeded, onDown } = this.#options;
    const final = reconnect === false || !isNeeded();
    const loss =
      reason instanceof ConnectionError
        ? reason
        : new ConnectionError(`Connection is closed: ${reason.message}`, { cause: reason });
    onDown(loss, reconnect === false);
    this.#setState(final ? "disconnected" : "connecting", loss);
    if (!final) void this.#keepConnecting();
  }

  #giveUp(reason: Error): void {
    const error = toFailure(reason);
    this.#attempt = 0;
    this.#setState("error", error);
    this.#rejectAll(error);
    this.#options.onDown(error, true);
  }

  #rejectAll(error: Error): void {
    rejectThem(this.#roundWaiters, error);
    rejectThem(this.#readyWaiters, error);
  }

  #setState(state: LinkState, reason?: Error): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state, reason);
  }
}

function waitOf(params: unknown): number {
  const { waitMs } = (params ?? {}) as { waitMs?: unknown };
  return typeof waitMs === "number" && waitMs >= 0 ? waitMs : 0;
}

function waiting<T>(waiters: Waiter<T>[]): Promise<T> {
  return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
}

function resolveThem<T>(waiters: Waiter<T>[], value: T): void {
  for (const waiter of waiters.splice(0)) waiter.resolve(value);
}

function rejectThem<T>(waiters: Waiter<T>[], error: Error): void {
  for (const waiter of waiters.splice(0)) waiter.reject(error);
}

/** Asking again would not help, now or later. */
function isFinal(failure: Error): boolean {
  return failure instanceof HandshakeRefused && failure.isFinal;
}

function toFailure(reason: Error): Error {
  if (reason instanceof HandshakeRefused) return reason;
  return new ConnectionError(`Failed to connect to CLI server: ${reason.message}`, { cause: reason });
}

function joined(failures: readonly { name: string; error: Error }[]): Error {
  const [only] = failures;
  if (failures.length === 1 && only) return only.error;
  const said = failures.map(({ name, error }) => `${name}: ${error.message}`).join("; ");
  const cause = new AggregateError(failures.map(({ error }) => error));
  const refusal = failures.find(({ error }) => error instanceof HandshakeRefused);
  return refusal
    ? new HandshakeRefused(said, { cause, isFinal: failures.every(({ error }) => isFinal(error)) })
    : new Error(`no server answered (${said})`, { cause });
}
