/** Limits, sizes and refusals at the edge of what they can be. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Peer, RpcError } from "@rightseat/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tempHome } from "../../server/test/support/servers.ts";
import {
  CopilotClient,
  type CopilotClientOptions,
  RuntimeConnection,
  type SessionEvent,
} from "../src/index.ts";
import { type RecordingServer, startRecordingServer } from "./support/recording-server.ts";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

let server: RecordingServer;
const clients: CopilotClient[] = [];
beforeEach(async () => {
  server = await startRecordingServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.forceStop()));
  await server[Symbol.asyncDispose]();
});

function connect(options: CopilotClientOptions = {}): CopilotClient {
  const client = new CopilotClient({
    connection: RuntimeConnection.forUri(`localhost:${server.port}`),
    reconnect: { initialDelayMs: 1, maxDelayMs: 5 },
    ...options,
  });
  clients.push(client);
  return client;
}

const askedFor = (method: string) => server.asked.filter((asked) => asked.method === method).length;
const tell = (id: string, type = "session.info") =>
  server.peers[0]?.notify("session.event", {
    sessionId: "s",
    event: { id, type, data: {}, timestamp: "t", parentId: null },
  });

describe.each([Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])("a time of %d ms", (ms) => {
  const OPTIONS: [string, CopilotClientOptions][] = [
    ["connectTimeoutMs", { connectTimeoutMs: ms }],
    ["callTimeoutMs", { callTimeoutMs: ms }],
    ["heartbeat", { heartbeat: { silenceMs: ms, answerMs: ms, idleMs: ms } }],
    ["reconnect", { reconnect: { initialDelayMs: 1, maxDelayMs: ms, giveUpAfterMs: ms } }],
  ];
  test.each(OPTIONS)("as %s is long, not none", async (_name, options) => {
    const client = connect(options);
    const session = await client.createSession({ sessionId: "s" });
    // Long enough for a timer that fires at once.
    await new Promise((resolve) => setTimeout(resolve, 10));
    server.cutAll();
    expect(await session.getEvents({ timeoutMs: ms })).toBeUndefined();
    expect(askedFor("ping")).toBe(0);
  });
});

test.each([0, -5, 1])("a bufferSize of %d holds one event, and a reader gets all", async (bufferSize) => {
  const session = await connect().createSession({ sessionId: "s" });
  const log: SessionEvent[] = [];
  server.answers.set("session.eventLog.read", ({ cursor = "0" }: { cursor?: string }) => ({
    events: log.slice(Number(cursor)),
    cursor: String(log.length),
    hasMore: false,
    cursorStatus: "ok",
  }));
  const stream = session.events({ bufferSize });
  for (const id of ["a", "b", "c"]) {
    log.push({ id, type: "session.info", data: {}, timestamp: "t", parentId: null } as never);
    tell(id);
  }
  const got: string[] = [];
  for await (const { id } of stream) if (got.push(id) === 3) break;
  expect(got).toEqual(["a", "b", "c"]);
});

test("pages of the log that the connection cannot carry are asked for in smaller ones", async () => {
  const session = await connect().createSession({ sessionId: "s" });
  const log = Array.from({ length: 40 }, (_, index) => ({
    id: `e${index}`,
    type: "session.info",
    data: {},
    timestamp: "t",
    parentId: null,
  }));
  server.answers.set("session.eventLog.read", ({ cursor = "0", max }: { cursor?: string; max: number }) => {
    if (max > 10) {
      server.cutAll();
      return new Promise(() => undefined);
    }
    const end = Math.min(log.length, Number(cursor) + max);
    return {
      events: log.slice(Number(cursor), end),
      cursor: String(end),
      hasMore: end < log.length,
      cursorStatus: "ok",
    };
  });
  const got: string[] = [];
  for await (const { id } of session.events({ from: "start" })) if (got.push(id) === 40) break;
  expect(got).toEqual(log.map(({ id }) => id));
});

test("a log that no connection lasts for is given up, with a ConnectionError that says so", async () => {
  const client = connect({ reconnect: { initialDelayMs: 1, maxDelayMs: 1, giveUpAfterMs: 1 } });
  const session = await client.createSession({ sessionId: "s" });
  server.answers.set("session.eventLog.read", () => {
    server.cutAll();
    return new Promise(() => undefined);
  });
  const reading = session.events({ from: "start" }).next();
  await expect(reading).rejects.toMatchObject({
    name: "ConnectionError",
    message: expect.stringContaining("in vain"),
  });
});

test("a session that there is no room for when it comes back waits for room", async () => {
  const session = await connect().createSession({ sessionId: "s" });
  let refused = 0;
  server.answers.set("session.resume", () => {
    if (refused++ < 2) throw new RpcError("limit_exceeded", "too many sessions", { retryAfterMs: 1 });
    return { sessionId: "s", eventCursor: "0" };
  });
  server.cutAll();
  await session.getEvents();
  expect(refused).toBe(3);
});

test("events that were told before a session was left halfway do not hide those of the time in which it was", async () => {
  const told: string[] = [];
  const onEvent = ({ type, data }: SessionEvent) => {
    if (type === "session.info") told.push((data as { message: string }).message);
  };
  const session = await connect().createSession({ sessionId: "s", onEvent });
  const event = (message: string) => ({
    type: "session.info",
    data: { infoType: "x", message },
    id: message,
    parentId: null,
    timestamp: new Date().toISOString(),
  });
  const tell = (peer: Peer, message: string) =>
    peer.notify("session.event", { sessionId: "s", event: event(message) });
  server.answers.set("session.detach", () => new Promise(() => undefined));
  server.answers.set("session.resume", (_params, peer) => {
    tell(peer, "on its way");
    return { sessionId: "s", eventCursor: "3" };
  });
  server.answers.set("session.eventLog.read", (_params, peer) => {
    tell(peer, "afterwards");
    const events = ["on its way", "meanwhile", "afterwards"].map(event);
    return { events, cursor: "3", hasMore: false, cursorStatus: "ok" };
  });
  await expect(session.disconnect({ timeoutMs: 20 })).rejects.toThrow("session.detach");
  await expect.poll(() => told).toContain("afterwards");
  expect(told).toEqual(["on its way", "meanwhile", "afterwards"]);
});

test("what is told of a session before it is known to be this client's own is told in its place", async () => {
  const told: string[] = [];
  const event = (id: string) => ({ id, type: "session.info", data: {}, timestamp: "t", parentId: null });
  let tries = 0;
  server.answers.set("session.create", (_params, peer) => {
    tries += 1;
    if (tries === 1) {
      server.cutAll();
      return new Promise(() => undefined);
    }
    // An object that the client let go of a moment ago is still attached.
    peer.notify("session.event", { sessionId: "s", event: event("second") });
    throw new RpcError("session_exists", "Session already exists: s");
  });
  server.answers.set("session.eventLog.read", () => ({
    events: ["first", "second"].map(event),
    cursor: "2",
    hasMore: false,
    cursorStatus: "ok",
  }));
  await connect().createSession({ sessionId: "s", onEvent: ({ id }) => told.push(id) });
  await expect.poll(() => told.length).toBe(2);
  expect(told).toEqual(["first", "second"]);
});

describe("an answer that cannot be read", () => {
  test("ends the connection, and the call says that it may be done", async () => {
    const client = connect();
    await client.start();
    server.answers.set("session.setForeground", () => {
      server.sendRaw("Content-Length: nonsense\r\n\r\n");
      return new Promise(() => undefined);
    });
    const error = await client.setForegroundSessionId("s").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "ConnectionError", maybeDone: true });
    await client.ping();
  });

  test("is not asked for again, although the call could be made twice", async () => {
    const client = connect();
    await client.start();
    const session = await client.createSession({ sessionId: "s" });
    for (const [method, call] of [
      ["session.list", () => client.listSessions()],
      ["session.metadata.isProcessing", () => session.rpc.metadata.isProcessing()],
    ] as const) {
      let answers = 0;
      server.answers.set(method, () => {
        answers += 1;
        // One that is asked for again would have an answer then.
        if (answers > 1) return { sessions: [], processing: false };
        server.sendRaw("Content-Length: nonsense\r\n\r\n");
        return new Promise(() => undefined);
      });
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "ConnectionError", maybeDone: true });
      expect(answers).toBe(1);
    }
  });
});

test("a session that cannot be had back rejects calls with a ConnectionError, and the next call tries anew", async () => {
  const client = connect({ reconnect: { initialDelayMs: 1, maxDelayMs: 1, giveUpAfterMs: 20 } });
  const session = await client.createSession({ sessionId: "s" });
  const { answers } = server;
  server.answers.set("connect", () => {
    server.cutAll();
    return new Promise(() => undefined);
  });
  server.cutAll();
  await expect(session.getEvents()).rejects.toMatchObject({ name: "ConnectionError" });
  answers.set("connect", () => ({ ok: true, protocolVersion: 3 }));
  await session.getEvents();
});

test("an abort whose answer was lost with the connection is asked for again", async () => {
  const session = await connect().createSession({ sessionId: "s" });
  let lost = false;
  server.answers.set("session.abort", () => {
    if (lost) return {};
    lost = true;
    server.cutAll();
    return new Promise(() => undefined);
  });
  await session.abort();
  expect(askedFor("session.abort")).toBe(2);
});

test.each(["COPILOT_CLI_PATH", "path"])(
  "an empty %s is none: the installed runtime is started",
  async (name) => {
    await using home = await tempHome();
    const given = name === "path" ? { path: "" } : {};
    const program = `
    import { CopilotClient, RuntimeConnection } from "@rightseat/sdk";
    const env = { ...process.env, COPILOT_CLI_PATH: "", COPILOT_HOME: ${JSON.stringify(home.path)} };
    const connection = RuntimeConnection.forStdio({ ...${JSON.stringify(given)}, env, args: ["--demo"] });
    const client = new CopilotClient({ connection });
    await client.start();
    console.log((await client.ping("hello")).message);
    await client.stop();`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: PACKAGE });
    expect(stdout).toContain("hello");
  },
);

test("a runtime that the client started is not started again when it ends", async () => {
  await using home = await tempHome();
  const program = `
    import { CopilotClient, RuntimeConnection } from "@rightseat/sdk";
    const env = { ...process.env, COPILOT_CLI_PATH: "", COPILOT_HOME: ${JSON.stringify(home.path)} };
    let end;
    const gone = new Promise((resolve) => (end = resolve));
    const client = new CopilotClient({
      connection: RuntimeConnection.forStdio({ env, args: ["--demo"] }),
      onConnectionState: (state) => state === "disconnected" && end(),
    });
    const session = await client.createSession({});
    await client.rpc.runtime.shutdown().catch(() => undefined);
    await gone;
    const error = await session.getEvents().catch((thrown) => thrown);
    console.log(error.name, error.message);
    await client.forceStop();`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: PACKAGE });
  expect(stdout).toMatch(/^ConnectionError Connection is closed/);
});

describe("a session whose making was given up and lost with the connection", () => {
  /** The server makes the session, and its word for it is lost. */
  async function giveUpCreating(client: CopilotClient, config: { sessionId?: string }): Promise<void> {
    const answer = server.answers.get("session.create");
    server.answers.set("session.create", () => new Promise(() => undefined));
    await expect(client.createSession(config, { timeoutMs: 20 })).rejects.toThrow("session.create");
    server.cutAll();
    if (answer) server.answers.set("session.create", answer);
  }

  test("is deleted once there is a connection, when the client chose its id", async () => {
    const client = connect();
    await client.start();
    await giveUpCreating(client, {});
    await client.ping();
    await server.until(() => askedFor("session.delete") > 0);
    const [made] = server.asked.filter(({ method }) => method === "session.create");
    const [deleted] = server.asked.filter(({ method }) => method === "session.delete");
    expect(deleted?.params).toEqual({ sessionId: made?.params.sessionId });
  });

  test("is taken by the next creation, when the application chose its id", async () => {
    const client = connect();
    await client.start();
    await giveUpCreating(client, { sessionId: "own" });
    server.answers.set("session.create", () => {
      throw new RpcError("session_exists", "Session already exists");
    });
    const session = await client.createSession({ sessionId: "own" });
    expect(session.sessionId).toBe("own");
    expect([askedFor("session.delete"), askedFor("session.resume")]).toEqual([0, 1]);
  });
});
