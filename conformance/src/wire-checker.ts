import { FrameSplitter, type WireMessage } from "./frames.ts";
import type { PublishedSchemas } from "./published-schemas.ts";

export type Speaker = "client" | "server";

/** One message of a connection, in the order in which the bytes passed. */
export interface RecordedMessage {
  readonly connection: number;
  readonly from: Speaker;
  readonly message: WireMessage;
}

/**
 * Holds all that a server says against the published schemas. Fed with the bytes of both sides, since
 * only the request tells which schema its answer has to follow.
 */
export class WireChecker {
  readonly messages: RecordedMessage[] = [];
  /** Each once, in order: what was said, the path in it, and what is wrong there. */
  readonly violations: string[] = [];
  readonly #schemas: PublishedSchemas;
  readonly #waiters = new Set<() => void>();

  constructor(schemas: PublishedSchemas) {
    this.#schemas = schemas;
  }

  /** A listener for the bytes of one connection. */
  listen(connection: number): (from: Speaker, piece: Uint8Array) => void {
    const splitters = { client: new FrameSplitter(), server: new FrameSplitter() };
    const asked: Asked = { methods: new Map(), hasConnected: false };
    return (from, piece) => {
      for (const body of this.#split(splitters[from], from, piece)) {
        const message = this.#parse(from, body);
        if (message === undefined) continue;
        this.messages.push({ connection, from, message });
        if (from === "server") this.#checkServerMessage(message, asked);
        else note(asked, message);
      }
      const waiters = [...this.#waiters];
      this.#waiters.clear();
      for (const wake of waiters) wake();
    };
  }

  /** Resolves once `check` holds, tried again after each piece that passes. */
  async until(check: (messages: readonly RecordedMessage[]) => boolean): Promise<void> {
    while (!check(this.messages)) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #split(splitter: FrameSplitter, from: Speaker, piece: Uint8Array): string[] {
    try {
      return splitter.push(piece);
    } catch (error) {
      // What a client sends may be wrong on purpose.
      if (from === "server") this.#report((error as Error).message);
      return [];
    }
  }

  #parse(from: Speaker, body: string): WireMessage | undefined {
    try {
      return JSON.parse(body) as WireMessage;
    } catch {
      if (from === "server") this.#report(`a frame that is not JSON: ${body.slice(0, 120)}`);
      return undefined;
    }
  }

  #report(violation: string): void {
    if (!this.violations.includes(violation)) this.violations.push(violation);
  }

  #reportAll(what: string, issues: readonly string[]): void {
    for (const issue of issues) this.#report(`${what} ${issue}`);
  }

  #checkServerMessage(message: WireMessage, asked: Asked): void {
    if (message.jsonrpc !== "2.0")
      this.#report(`jsonrpc: expected "2.0", got ${JSON.stringify(message.jsonrpc)}`);
    if (message.method === undefined) return this.#checkAnswer(message, asked);
    if (message.method === "session.event") return this.#checkEventNotification(message.params);
    const issues =
      checkUnpublished(`params of ${message.method}`, message.params) ??
      this.#schemas.checkClientParams(message.method, message.params);
    this.#reportAll(message.method, issues ?? ["is neither published nor known"]);
  }

  #checkAnswer(message: WireMessage, asked: Asked): void {
    if (message.id === null && message.error !== undefined)
      return this.#checkError("an error without a request", message.error);
    const key = toKey(message.id);
    const method = asked.methods.get(key);
    if (method === undefined)
      return this.#report(
        `an answer to no request, or a second one: ${JSON.stringify(message).slice(0, 200)}`,
      );
    asked.methods.delete(key);
    if ("result" in message === "error" in message)
      return this.#report(`${method} expected either result or error`);
    if (message.error !== undefined) return this.#checkError(method, message.error);
    const what = `result of ${method}`;
    const result =
      method === "ping" && !asked.hasConnected ? toPublishedPing(message.result) : message.result;
    this.#reportAll(
      what,
      checkUnpublished(what, result) ??
        this.#schemas.checkResult(method, result) ?? ["is neither published nor known"],
    );
    if (method === "session.getMessages")
      for (const event of (message.result as { events: unknown[] }).events) this.#checkEvent(event);
  }

  #checkError(method: string, error: NonNullable<WireMessage["error"]>): void {
    const reason = (error.data as { reason?: unknown } | undefined)?.reason;
    if (!Number.isInteger(error.code))
      this.#report(`error of ${method} /code: expected an integer, got ${JSON.stringify(error.code)}`);
    if (typeof error.message !== "string" || error.message === "")
      this.#report(`error of ${method} /message: expected a text`);
    if (typeof reason !== "string")
      this.#report(`error of ${method} /data/reason: expected a text, got ${JSON.stringify(reason)}`);
  }

  #checkEventNotification(params: unknown): void {
    const { sessionId, event } = (params ?? {}) as { sessionId?: unknown; event?: unknown };
    if (typeof sessionId !== "string") this.#report("session.event /sessionId: expected a text");
    this.#checkEvent(event);
  }

  #checkEvent(event: unknown): void {
    this.#reportAll(
      `session.event ${(event as { type?: string } | undefined)?.type}`,
      this.#schemas.checkEvent(event),
    );
  }
}

/** What one client has called: the methods that wait for an answer, by request id. */
interface Asked {
  readonly methods: Map<string, string>;
  hasConnected: boolean;
}

function note(asked: Asked, { id, method }: WireMessage): void {
  if (method === undefined || id === undefined) return;
  asked.methods.set(toKey(id), method);
  if (method === "connect") asked.hasConnected = true;
}

/** SDKs from before `connect` read the time of a ping as milliseconds; the published schema is of a later time. */
function toPublishedPing(result: unknown): unknown {
  const { timestamp } = (result ?? {}) as { timestamp?: unknown };
  if (typeof timestamp !== "number") return result;
  return { ...(result as object), timestamp: new Date(timestamp).toISOString() };
}

const toKey = (id: WireMessage["id"]): string => JSON.stringify(id) ?? "none";

/** What the SDKs read of the messages that the published schemas leave out: required fields and their types. */
const UNPUBLISHED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "params of session.lifecycle": { type: "string", sessionId: "string" },
  "params of userInput.request": { sessionId: "string", question: "string" },
  "params of exitPlanMode.request": { sessionId: "string" },
  "params of autoModeSwitch.request": { sessionId: "string" },
  "params of $/cancelRequest": { id: "number" },
  "params of $/connectWaits": {},
  "params of systemMessage.transform": { sessionId: "string", sections: "object" },
  "result of session.create": { sessionId: "string", "workspacePath?": "string", "capabilities?": "object" },
  "result of session.resume": { sessionId: "string", "workspacePath?": "string", "capabilities?": "object" },
  "result of session.list": { sessions: "object" },
  "result of session.delete": { success: "boolean", "error?": "string" },
  "result of session.destroy": { success: "boolean" },
  "result of session.detach": { success: "boolean" },
  "result of session.getMessages": { events: "object" },
  "result of session.getLastId": { "sessionId?": "string" },
  "result of session.getMetadata": { "session?": "object" },
  "result of session.getForeground": { "sessionId?": "string" },
  "result of session.setForeground": { success: "boolean", "error?": "string" },
  "result of status.get": { version: "string", protocolVersion: "number" },
  "result of auth.getStatus": { isAuthenticated: "boolean" },
};

function checkUnpublished(what: string, value: unknown): string[] | undefined {
  const shape = UNPUBLISHED[what];
  if (shape === undefined) return undefined;
  if (value === null || typeof value !== "object") return ["/: expected an object"];
  return Object.entries(shape).flatMap(([field, type]) => {
    const name = field.replace("?", "");
    const found = (value as Record<string, unknown>)[name];
    if (found === undefined && field.endsWith("?")) return [];
    return typeof found === type ? [] : [`/${name}: expected ${type}, got ${JSON.stringify(found)}`];
  });
}
