/**
 * One client on the wire: its frames in and out, who it is, and its requests on their way to the
 * methods. Knows no method by name but `connect`, with which a client says who it is.
 */

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  ConnectionClosedError,
  cutText,
  encodeFrame,
  FrameDecoder,
  type FrameHead,
  type FramingError,
  MAX_JSON_DEPTH,
  Peer,
  PROTOCOL_VERSION,
  type RequestContext,
  RpcError,
} from "@rightseat/protocol";
import { type Audit, audited, auditUnavailable } from "./audit.ts";
import { refuseConnectFields, unknownConnectFields } from "./connect-fields.ts";
import type { LazyValidators } from "./lazy-validators.ts";
import type { LoopShare } from "./loop-share.ts";
import type { MethodTable, ParamsValidators } from "./method-table.ts";
import type { ResultOf } from "./method-types.ts";
import { type OutboundFrame, OutboundQueue } from "./outbound-queue.ts";
import { type Gatekeeper, includesRole, type Principal, type Role } from "./principal.ts";

/** An event as a connection sends it; see session/log/published-event.ts. */
export type OutgoingEvent = OutboundFrame;

export interface ConnectionOptions {
  readonly methods: MethodTable<Connection>;
  readonly validators: LazyValidators;
  readonly gate: Gatekeeper;
  /** The least role that may call a method. */
  readonly roleFor: (method: string) => Role;
  /** Whether calls of a method are told to the audit. */
  readonly isAudited: (method: string) => boolean;
  readonly version: string;
  readonly maxMessageBytes: (principal: Principal) => number;
  readonly maxWaitingBytes: number;
  /** Whether so much more may wait for a principal's clients to read. */
  readonly mayHold: (principal: Principal, bytes: number) => boolean;
  /** Counts what a principal's clients sent; for how long nothing more of them is to be read, in milliseconds. */
  readonly countReceived: (principal: Principal, bytes: number) => number;
  /** How long the messages of a tenant may keep the server from the others'. */
  readonly shareOf: (tenant: string) => LoopShare;
  /** What is said of a published method that is not here; undefined when there is no such method. */
  readonly refusalOfMethod: (method: string) => string | undefined;
  readonly log: ConnectionLog;
  /** Undefined when nobody keeps such a log. */
  readonly audit?: Audit;
  /** Why calls that have to be audited are refused now; undefined while they are not. */
  readonly auditRefusal?: () => string | undefined;
  /** A call that the principal may make was refused unread, for this reason. */
  readonly onUnreadCall?: (principal: Principal, head: FrameHead, reason: string) => void;
  /** A request was answered with this error. */
  readonly onRequestFailed?: (reason: string) => void;
  /**
   * Somebody has said who it is; called before it is served. Not called for those who bring nothing.
   * @throws RpcError `limit_exceeded` when there is no place for it.
   */
  readonly onAdmitted: (connection: Connection, principal: Principal) => void;
  readonly onClose: (connection: Connection) => void;
  /** A call is about to be carried out; its parameters are as their schema wants them. Must not throw. */
  readonly onCall?: (connection: Connection, principal: Principal, method: string, params: object) => void;
  /** Called after each read that ended inside a frame, and the client waits for its acknowledgement. */
  readonly onIncompleteFrame?: (stream: Duplex) => void;
}

export interface ConnectionLog {
  readonly debug: (message: string, fields: Record<string, unknown>) => void;
  readonly warning: (message: string, fields: Record<string, unknown>) => void;
  readonly error: (message: string, fields: Record<string, unknown>) => void;
  /** A warning that anybody can cause: one line a reason and minute. */
  readonly seldom: (message: string, fields: Record<string, unknown>, reason?: string) => void;
}

/** Before a client has said who it is, it may say no more than that. */
const MAX_STRANGER_MESSAGE_BYTES = 64 * 1024;
/** How much may wait for a stranger to read: answers to its few requests. */
const MAX_STRANGER_WAITING_BYTES = 256 * 1024;
/** After so many wrong tokens a connection ends. */
const MAX_FAILED_ATTEMPTS = 3;
/** After so many messages, whatever they are, a client that has not said who it is is hung up on. */
const MAX_STRANGER_MESSAGES = 20;
/** Others may have a bad day: after so many in a row that cannot be read. */
const MAX_BAD_FRAMES = 1_000;
/** A client that is hung up on has this long to read why. */
const HANG_UP_MS = 1_000;
/** Messages of one client that are carried out in one go. The others that have come wait until everybody had a turn. */
const SLICE_MS = 4;
/** A message of so many characters takes a turn to be decoded, and another one to be carried out. */
const LARGE_MESSAGE = 256 * 1024;
/** What clients ask first, and health checks, with parameters that there is nothing to check about. */
const TAKES_NOTHING: ReadonlySet<string> = new Set(["ping", "status.get"]);

let nextId = 1;

export class Connection {
  readonly id = `c${nextId++}`;
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #peer: Peer;
  readonly #outbound: OutboundQueue;
  readonly #decoder: FrameDecoder;
  readonly openedMs = performance.now();
  #principal: Principal | undefined;
  #share: LoopShare | undefined;
  /** While a token is being checked: nothing more is read. */
  #admitting = false;
  /** What was read and is carried out later, in its order. */
  #held: string[] = [];
  /** Set while nothing is read, since the tenant's clients have sent more than they may. */
  #ahead: NodeJS.Timeout | undefined;
  /** Set while nothing is carried out, since others have their turn. */
  #resting: NodeJS.Timeout | NodeJS.Immediate | undefined;
  /** When it was begun to carry out what comes behind each other without a break. */
  #sliceBegunMs = 0;
  #failedAttempts = 0;
  #faults = 0;
  #hangingUp = false;
  #closed = false;
  #introduced = false;

  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#principal = options.gate.anonymous();
    this.#share = this.#principal && options.shareOf(this.#principal.tenant);
    const maxWaitingBytes = () => (this.#principal ? options.maxWaitingBytes : MAX_STRANGER_WAITING_BYTES);
    this.#outbound = new OutboundQueue(stream, {
      get maxBytes() {
        return maxWaitingBytes();
      },
      mayWait: (bytes) => !this.#principal || options.mayHold(this.#principal, bytes),
      onOverflow: (bytes) => this.#overloaded(bytes),
      onWriteError: (error) => this.close(error.message),
    });
    this.#peer = new Peer({
      send: (body) => this.#send(body),
      sendStreamed: (byteLength, body) => this.#sendStreamed(byteLength, body),
      onRequest: (method, params, context) => this.#onRequest(method, params, context),
      onNotification: (method) =>
        options.log.debug("an unknown notification was ignored", { connection: this.id, method }),
      onRequestFailed: options.onRequestFailed,
      maxDepth: MAX_JSON_DEPTH,
      onUnread: (head, error) => this.#onUnread(head, error.message),
      onMalformed: () => this.#countBadFrame(),
      onBug: (error, method) =>
        options.log.error("a method failed unexpectedly", { connection: this.id, method, error }),
    });
    const maxFrameBytes = () =>
      this.#principal ? options.maxMessageBytes(this.#principal) : MAX_STRANGER_MESSAGE_BYTES;
    this.#decoder = new FrameDecoder({
      get maxFrameBytes() {
        return maxFrameBytes();
      },
      onFrame: (body) => this.#onFrame(body),
      onError: (error) => this.#badFrame(error),
    });
    stream.on("data", (chunk: Uint8Array) => {
      if (this.#admitting) stream.pause();
      this.#beginSlice();
      this.#decoder.push(chunk);
      this.#endSlice();
      if (this.#decoder.incomplete) options.onIncompleteFrame?.(stream);
      this.#keepPace(chunk.length);
    });
    stream.on("end", () => this.close("the client closed the connection"));
    stream.on("close", () => this.close("the connection was closed"));
    stream.on("error", (error) => this.close(error.message));
  }

  /** Where the client is; undefined when it is not on a network. */
  get remoteAddress(): string | undefined {
    return (this.#stream as Partial<Socket>).remoteAddress;
  }

  get principal(): Principal | undefined {
    return this.#principal;
  }

  /** Whether the client called `connect`, as SDKs of protocol 3's later days do. */
  get introduced(): boolean {
    return this.#introduced;
  }

  /** What it has not read yet. */
  get waitingBytes(): number {
    return this.#outbound.waitingBytes + this.#stream.writableLength;
  }

  publish(event: OutgoingEvent): void {
    this.#outbound.push(event);
  }

  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#peer.request(method, params, signal);
  }

  notify(method: string, params: unknown): void {
    this.#peer.notify(method, params);
  }

  /** Resolves once everything said so far has left this process. */
  flushed(): Promise<void> {
    return this.#outbound.flushed();
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.log.debug("a connection ended", { connection: this.id, reason });
    clearTimeout(this.#ahead);
    this.#decoder.close();
    this.#held = [];
    this.#stopResting();
    this.#peer.close();
    this.#outbound.end();
    this.#stream.end();
    this.#stream.destroy();
    this.#options.onClose(this);
  }

  #onFrame(body: string): void {
    if (this.#hangingUp || this.#closed) return;
    if (this.#admitting || this.#resting) this.#held.push(body);
    else if (body.length >= LARGE_MESSAGE) {
      this.#held.push(body);
      this.#rest(0);
    } else this.#take(body);
  }

  /** Others have their turn behind it, when all that was carried out at once has taken long. */
  #take(body: string): void {
    this.#receive(body);
    if (performance.now() - this.#sliceBegunMs < SLICE_MS || this.#closed) return;
    this.#endSlice();
    this.#rest(0);
  }

  #beginSlice(): void {
    const nowMs = performance.now();
    this.#sliceBegunMs = nowMs;
    const waitMs = this.#share?.restMs(nowMs) ?? 0;
    if (waitMs > 0) this.#rest(waitMs);
  }

  /** May be called twice. */
  #endSlice(): void {
    const nowMs = performance.now();
    this.#share?.took(nowMs - this.#sliceBegunMs, nowMs);
    this.#sliceBegunMs = nowMs;
  }

  /** Nothing more is read or carried out for so long; for 0 until everybody had a turn. */
  #rest(waitMs: number): void {
    if (this.#resting || this.#closed) return;
    this.#stream.pause();
    const goOn = () => {
      this.#resting = undefined;
      this.#goOn();
    };
    this.#resting = waitMs > 0 ? setTimeout(goOn, waitMs) : setImmediate(goOn);
  }

  #stopResting(): void {
    clearTimeout(this.#resting as NodeJS.Timeout);
    clearImmediate(this.#resting as NodeJS.Immediate);
    this.#resting = undefined;
  }

  #receive(body: string): void {
    const faults = this.#faults;
    if (!this.#principal) this.#countStrangerMessage();
    this.#peer.receive(body);
    if (this.#principal && this.#faults === faults) this.#faults = 0;
  }

  /** What was read before has its turn, and then what comes. */
  #goOn(): void {
    if (this.#closed) return;
    this.#beginSlice();
    while (this.#held.length > 0 && !this.#admitting && !this.#resting && !this.#hangingUp)
      this.#take(this.#held.shift() as string);
    this.#endSlice();
    this.#readOn();
  }

  /** A client that sends faster than its tenant may is read later. */
  #keepPace(bytes: number): void {
    const waitMs = this.#principal ? this.#options.countReceived(this.#principal, bytes) : 0;
    if (waitMs <= 0 || this.#closed) return;
    this.#stream.pause();
    clearTimeout(this.#ahead);
    this.#ahead = setTimeout(() => {
      this.#ahead = undefined;
      this.#readOn();
    }, waitMs);
  }

  #readOn(): void {
    if (this.#admitting || this.#resting || this.#ahead !== undefined) return;
    if (this.#stream.isPaused()) this.#stream.resume();
  }

  #onRequest(method: string, params: unknown, context: RequestContext): unknown {
    const { audit, isAudited, roleFor } = this.#options;
    if (!audit || !isAudited(method)) return this.#answer(method, params, context);
    const refusal = this.#options.auditRefusal?.();
    // An observer changes nothing, and looks on while nobody else may act.
    const looksOn = this.#principal?.role === "observer" && roleFor(method) === "observer";
    if (refusal !== undefined && looksOn) return this.#answer(method, params, context);
    if (refusal !== undefined) throw auditUnavailable(method, refusal);
    return audited(
      () => this.#answer(method, params, context),
      (outcome, durationMs) =>
        audit({
          connection: this.id,
          remoteAddress: this.remoteAddress,
          principal: this.#principal?.name,
          tenant: this.#principal?.tenant,
          role: this.#principal?.role,
          method,
          sessionId: sessionIdOf(params),
          outcome,
          durationMs: Math.round(durationMs * 1000) / 1000,
        }),
    );
  }

  #onUnread(head: FrameHead, reason: string): void {
    const principal = this.#principal;
    if (!principal || head.method === undefined) return;
    if (includesRole(principal.role, this.#options.roleFor(head.method)))
      this.#options.onUnreadCall?.(principal, head, reason);
  }

  #answer(method: string, params: unknown, context: RequestContext): unknown {
    if (method === "connect") return this.#connect(params);
    return this.#call(method, params, context);
  }

  #call(method: string, params: unknown, context: RequestContext): unknown {
    const principal = this.#principal;
    if (!principal) throw authenticationFailed();
    const { methods, validators, refusalOfMethod, roleFor } = this.#options;
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!handler) {
      const refusal = refusalOfMethod(method);
      if (refusal !== undefined) throw new RpcError("not_supported", refusal, { method });
      throw new RpcError("method_not_found", `Unhandled method ${method}`, { method });
    }
    const needed = roleFor(method);
    if (!includesRole(principal.role, needed)) throw forbidden(method, principal.role, needed);
    const checked = isNothing(params) ? {} : params;
    const { loaded } = validators;
    if (!loaded && !(TAKES_NOTHING.has(method) && isEmpty(checked)))
      return validators.load().then(() => this.#call(method, params, context));
    checkParams(method, checked, loaded && Object.hasOwn(loaded, method) ? loaded[method] : undefined);
    if (loaded) this.#options.onCall?.(this, principal, method, checked as object);
    return handler(checked as object, {
      principal,
      link: this,
      bytes: context.length,
      get signal() {
        return context.signal;
      },
    });
  }

  #connect(params: unknown): Promise<ResultOf<"connect">> {
    const token = (params as { token?: unknown } | null | undefined)?.token;
    if (token !== undefined && token !== null && typeof token !== "string") {
      throw new RpcError("invalid_params", "connect: token: expected string", { path: "token" });
    }
    refuseConnectFields(params);
    this.#admitting = true;
    const connecting = this.#admit(token ?? undefined);
    void connecting.then(
      () => this.#tellUnknown(unknownConnectFields(params)),
      () => undefined,
    );
    return connecting.finally(() => {
      // Behind the answer.
      setImmediate(() => {
        this.#admitting = false;
        this.#goOn();
      });
    });
  }

  #tellUnknown(fields: readonly string[]): void {
    if (fields.length === 0) return;
    const { id: connection } = this;
    this.#options.log.warning("fields of 'connect' are not known and have no effect", { connection, fields });
  }

  async #admit(token: string | undefined): Promise<ResultOf<"connect">> {
    const principal = await this.#options.gate.admit(token, this.remoteAddress, {
      // Whoever waits for the answer knows that it is not lost.
      onWait: (waitMs) => this.#peer.notify("$/connectWaits", { waitMs }),
      isGone: () => this.#closed,
    });
    if (this.#closed) throw new ConnectionClosedError();
    // Its sessions belong to the tenant that it came with: a new token of the same one is welcome.
    const before = this.#principal;
    if (!principal || (before && before.tenant !== principal.tenant)) throw this.#refused();
    if (!before) this.#options.onAdmitted(this, principal);
    this.#principal = principal;
    this.#share = this.#options.shareOf(principal.tenant);
    this.#faults = 0;
    this.#introduced = true;
    const maxMessageBytes = this.#options.maxMessageBytes(principal);
    return { ok: true, protocolVersion: PROTOCOL_VERSION, version: this.#options.version, maxMessageBytes };
  }

  #refused(): RpcError {
    this.#failedAttempts += 1;
    this.#options.log.seldom("a client was refused: its connection token is wrong or missing", {
      connection: this.id,
      remoteAddress: this.remoteAddress,
    });
    if (this.#failedAttempts >= MAX_FAILED_ATTEMPTS) this.#hangUp("too many wrong connection tokens");
    return authenticationFailed();
  }

  /** The last one is answered yet. */
  #countStrangerMessage(): void {
    this.#faults += 1;
    if (this.#faults >= MAX_STRANGER_MESSAGES)
      this.#hangUp("it sent too many messages before it said who it is");
  }

  #countBadFrame(): void {
    // A stranger's are counted, whatever they are.
    if (!this.#principal) return;
    this.#faults += 1;
    if (this.#faults >= MAX_BAD_FRAMES) this.#hangUp("it sent nothing but bad messages");
  }

  /** Reads nothing more, and ends once the client has read why. */
  #hangUp(reason: string): void {
    if (this.#hangingUp) return;
    this.#hangingUp = true;
    this.#held = [];
    this.#decoder.close();
    setImmediate(() => void this.flushed().then(() => this.close(reason)));
    setTimeout(() => this.close(reason), HANG_UP_MS).unref();
  }

  #send(body: string): void {
    this.#outbound.push({ frame: encodeFrame(body), ephemeral: false });
  }

  #sendStreamed(byteLength: number, body: AsyncIterable<string>): void {
    this.#outbound.pushStreamed({
      header: Buffer.from(`Content-Length: ${byteLength}\r\n\r\n`),
      body: toBytes(body),
    });
  }

  #badFrame(error: FramingError): void {
    const reason = error.problem === "frame-too-large" ? "frame_too_large" : "parse_error";
    if (this.#hangingUp || this.#closed) return;
    this.#options.log.seldom(
      "a malformed message was refused",
      { connection: this.id, remoteAddress: this.remoteAddress, problem: error.problem },
      error.problem,
    );
    this.#options.onRequestFailed?.(reason);
    this.#peer.refuse(error.head, new RpcError(reason, error.message).toBody());
    if (error.fatal) this.#hangUp(error.message);
    else if (this.#principal) this.#countBadFrame();
    else this.#countStrangerMessage();
  }

  #overloaded(bytes: number): void {
    this.#options.log.seldom("a client does not read; its connection was closed", {
      connection: this.id,
      waitingBytes: bytes,
    });
    this.close(`connection_overloaded: ${bytes} bytes waited for the client to read`);
  }
}

async function* toBytes(parts: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const part of parts) yield Buffer.from(part);
}

/**
 * A method without parameters may be called with null, or an empty list; the library under several SDKs
 * sends an argument that is left out as one null by position.
 */
function isNothing(params: unknown): boolean {
  if (!Array.isArray(params)) return params === undefined || params === null;
  return params.length === 0 || (params.length === 1 && params[0] === null);
}

function isEmpty(params: unknown): boolean {
  return typeof params === "object" && params !== null && Object.keys(params).length === 0;
}

function checkParams(method: string, params: unknown, validate: ParamsValidators[string] | undefined): void {
  if (params === null || typeof params !== "object" || Array.isArray(params)) {
    throw new RpcError("invalid_params", `${method}: expected parameters by name (an object)`, {
      issues: [],
    });
  }
  const issues = validate?.(params);
  if (!issues || issues.length === 0) return;
  const said = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
  throw new RpcError("invalid_params", `${method}: ${said}`, { path: issues[0]?.path, issues });
}

function authenticationFailed(): RpcError {
  return new RpcError(
    "authentication_failed",
    "AUTHENTICATION_FAILED: this server expects a connection token in 'connect'; the one that came is wrong or missing",
  );
}

function forbidden(method: string, role: Role, needed: Role): RpcError {
  return new RpcError(
    "forbidden",
    `${method} needs the role '${needed}'; this connection has the role '${role}'`,
    { method, role, needed },
  );
}

function sessionIdOf(params: unknown): string | undefined {
  const sessionId = (params as { sessionId?: unknown } | null | undefined)?.sessionId;
  return typeof sessionId === "string" ? cutText(sessionId, 128) : undefined;
}
