/** What becomes of calls, sessions and prompts when connections fail, are lost, or are ended. */
import type { Peer } from "@rightseat/protocol";
import { RpcError } from "@rightseat/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ConnectionError,
  CopilotClient,
  type CopilotClientOptions,
  RuntimeConnection,
  type SessionEvent,
} from "../src/index.ts";
import { type RecordingServer, startRecordingServer } from "./support/recording-server.ts";

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

const methods = () => server.asked.map(({ method }) => method);
const tell = (peer: Peer | undefined, id: string, type: string, data = {}, more = {}) =>
  peer?.notify("session.event", {
    sessionId: "s",
    event: { id, type, data, timestamp: "t", parentId: null, ...more },
  });

/** The server takes every prompt once. */
function acceptMessageIds(): void {
  const joined = ({ sessionId }: { sessionId: string }) => ({
    sessionId,
    eventCursor: "0",
    acceptsMessageIds: true,
  });
  server.answers.set("session.create", joined);
  server.answers.set("session.resume", joined);
}

/** Loses the connection in answer to a call, the first so many times. */
function loseConnectionOn(method: string, times = 1): void {
  const answer = server.answers.get(method);
  let lost = 0;
  server.answers.set(method, (params: never, peer: Peer) => {
    if (lost++ >= times) return answer?.(params, peer) ?? {};
    server.cutAll();
    return new Promise(() => undefined);
  });
}

describe("starting", () => {
  test("says that no server answers, in the words that programs look for", async () => {
    await server[Symbol.asyncDispose]();
    const client = connect();
    await expect(client.start()).rejects.toThrow(/^Failed to connect to CLI server: .*ECONNREFUSED/);
    expect(client.getState()).toBe("error");
    server = await startRecordingServer();
  });

  test("tries the next address when the first does not answer", async () => {
    const client = connect({
      connection: RuntimeConnection.forUris(["localhost:1", `localhost:${server.port}`]),
    });
    await client.start();
    expect(client.address).toBe(`localhost:${server.port}`);
  });

  test("names every address when none answers", async () => {
    const client = connect({ connection: RuntimeConnection.forUri("localhost:1,127.0.0.1:2") });
    await expect(client.start()).rejects.toThrow(/no server answered \(localhost:1: .*; 127.0.0.1:2: /);
  });

  test("gives up on a server that accepts and says nothing", async () => {
    server.answers.set("connect", () => new Promise(() => undefined));
    const client = connect({ connectTimeoutMs: 50 });
    await expect(client.start()).rejects.toThrow(/Timeout after 50ms waiting for localhost/);
  });

  test("a refused token is not tried again, and the server's word for it is told", async () => {
    server.answers.set("connect", () => {
      throw new RpcError("authentication_failed", "AUTHENTICATION_FAILED: wrong");
    });
    await expect(connect().start()).rejects.toThrow("AUTHENTICATION_FAILED: wrong");
    expect(methods()).toEqual(["connect"]);
  });

  test("a function that gets tokens is asked for another one when the first is refused", async () => {
    server.answers.set("connect", ({ token }: { token: string }) => {
      if (token !== "new") throw new RpcError("authentication_failed", "no");
      return { protocolVersion: 3 };
    });
    const asked: boolean[] = [];
    const connectionToken = async ({ rejected }: { rejected: boolean }) => {
      asked.push(rejected);
      return rejected ? "new" : "old";
    };
    const uri = `localhost:${server.port}`;
    await connect({ connection: RuntimeConnection.forUri(uri, { connectionToken }) }).start();
    expect(asked).toEqual([false, true]);
  });

  test("a server of another protocol is refused", async () => {
    server.answers.set("connect", () => ({ protocolVersion: 2 }));
    await expect(connect().start()).rejects.toThrow(/protocol version mismatch.*reports version 2/);
  });

  test("a server that does not know `connect` is asked for its version with a ping", async () => {
    server.answers.set("connect", () => {
      throw new RpcError("method_not_found", "Unhandled method connect");
    });
    server.answers.set("ping", () => ({ protocolVersion: 3 }));
    await connect().start();
    expect(methods()).toEqual(["connect", "ping"]);
  });

  test("is done with when its signal aborts", async () => {
    server.answers.set("connect", () => new Promise(() => undefined));
    const controller = new AbortController();
    const starting = connect().start({ signal: controller.signal });
    await server.until(() => methods().includes("connect"));
    controller.abort(new Error("enough"));
    await expect(starting).rejects.toThrow("enough");
  });

  test("calls before it are refused", async () => {
    await expect(connect().ping()).rejects.toThrow("Client not connected");
    expect(() => connect().rpc).toThrow(/Call start\(\) first/);
  });
});

describe("a connection that is lost", () => {
  test("is made again for a session, which is resumed as it was made", async () => {
    const states: string[] = [];
    const client = connect({ onConnectionState: (state) => states.push(state) });
    await client.createSession({ sessionId: "s", model: "m", streaming: true, tools: [{ name: "t" }] });
    server.cutAll();
    await server.until(() => methods().includes("session.eventLog.read"));
    expect(states).toEqual(["connecting", "connected", "connecting", "connected"]);
    const resumed = server.asked.find(({ method }) => method === "session.resume");
    expect(resumed?.params).toMatchObject({
      sessionId: "s",
      model: "m",
      streaming: true,
      tools: [{ name: "t" }],
      disableResume: true,
      continuePendingWork: true,
    });
  });

  test("is not made again while nobody needs it, and made again for the next call", async () => {
    const client = connect();
    await client.start();
    server.cutAll();
    await server.until(() => server.peers.length === 0);
    while (client.getState() === "connected") await new Promise((resolve) => setImmediate(resolve));
    expect(client.getState()).toBe("disconnected");
    expect(await client.getStatus()).toEqual({});
  });

  test("while the session is being made leaves one session", async () => {
    loseConnectionOn("session.create");
    const client = connect();
    await client.createSession({ sessionId: "s" });
    expect(methods().filter((method) => method === "session.create")).toHaveLength(2);
  });

  test("after the session was made, before the answer came, does not make another", async () => {
    let made = false;
    server.answers.set("session.create", () => {
      if (made) throw new RpcError("session_exists", "Session already exists: s");
      made = true;
      server.cutAll();
      return new Promise(() => undefined);
    });
    const start = { id: "e1", type: "session.start", data: {}, parentId: null, timestamp: "t" };
    server.answers.set("session.eventLog.read", () => ({
      events: [start],
      cursor: "1",
      hasMore: false,
      cursorStatus: "ok",
    }));
    const events: SessionEvent[] = [];
    const client = connect();
    const session = await client.createSession({ sessionId: "s", onEvent: (event) => events.push(event) });
    expect(session.sessionId).toBe("s");
    expect(events.map(({ id }) => id)).toEqual(["e1"]);
  });

  test("does not make a stranger's session of that id ours", async () => {
    let tries = 0;
    server.answers.set("session.create", () => {
      if (tries++ > 0) throw new RpcError("session_exists", "Session already exists: s");
      server.cutAll();
      return new Promise(() => undefined);
    });
    const old = { id: "e1", type: "user.message", data: {}, parentId: null, timestamp: "t" };
    server.answers.set("session.eventLog.read", () => ({
      events: [old],
      cursor: "1",
      hasMore: false,
      cursorStatus: "ok",
    }));
    await expect(connect().createSession({ sessionId: "s" })).rejects.toThrow("Session already exists: s");
    expect(methods()).toContain("session.detach");
  });

  test("a session whose making is still under way somewhere is asked for until it can be had", async () => {
    const refusals = ["session_exists", "session_exists"] as const;
    let tries = 0;
    server.answers.set("session.create", () => {
      const refusal = refusals[tries++ - 1];
      if (refusal) throw new RpcError(refusal, "Session already exists: s");
      server.cutAll();
      return new Promise(() => undefined);
    });
    let resumes = 0;
    server.answers.set("session.resume", () => {
      if (resumes++ === 0) throw new RpcError("session_in_use", "Session in use: s");
      return { sessionId: "s", eventCursor: "0" };
    });
    const session = await connect().createSession({ sessionId: "s" });
    expect(session.sessionId).toBe("s");
    expect(resumes).toBe(2);
  });

  test("a deletion whose answer was lost is asked for again, and may find nothing more to do", async () => {
    const client = connect();
    await client.createSession({ sessionId: "s" });
    const answers = ["lost", "in use", "gone"];
    server.answers.set("session.delete", () => {
      const answer = answers.shift();
      if (answer === "gone") return { success: false, error: "Session not found: s" };
      if (answer === "in use") throw new RpcError("session_in_use", "Session in use: s");
      server.cutAll();
      return new Promise(() => undefined);
    });
    await client.deleteSession("s");
    expect(answers).toEqual([]);
  });

  test("a call that reads is made again, one that does not is reported", async () => {
    const client = connect();
    const session = await client.createSession({ sessionId: "s" });
    loseConnectionOn("session.getMessages");
    server.answers.set("session.getMessages", wrapAnswer("session.getMessages", { events: [] }));
    expect(await session.getEvents()).toEqual([]);
    loseConnectionOn("session.log");
    const lost = await session.log("x").catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(ConnectionError);
    expect(lost).toMatchObject({ maybeDone: true, message: expect.stringMatching(/^Connection is closed/) });
  });

  test("a prompt is sent again under its id where the server takes each once", async () => {
    acceptMessageIds();
    loseConnectionOn("session.send", 2);
    const session = await connect().createSession({ sessionId: "s" });
    const id = await session.send("hello");
    const sent = server.asked.filter(({ method }) => method === "session.send");
    expect(sent.map(({ params }) => params.messageId)).toEqual([id, id, id]);
  });

  test("a prompt is not sent again where the server would carry it out twice", async () => {
    server.answers.set("session.send", () => {
      server.cutAll();
      return new Promise(() => undefined);
    });
    const session = await connect().createSession({ sessionId: "s" });
    await expect(session.send("hello")).rejects.toMatchObject({ maybeDone: true });
    expect(methods().filter((method) => method === "session.send")).toHaveLength(1);
  });

  test("prompts that were given while it was away are sent in their order", async () => {
    acceptMessageIds();
    const session = await connect().createSession({ sessionId: "s" });
    server.cutAll();
    await Promise.all(["1", "2", "3"].map((prompt) => session.send(prompt)));
    const sent = server.asked.filter(({ method }) => method === "session.send");
    expect(sent.map(({ params }) => params.prompt)).toEqual(["1", "2", "3"]);
  });

  test("an idle that was told meanwhile is made up for, once", async () => {
    server.answers.set("session.metadata.isProcessing", () => ({ processing: false }));
    const session = await connect().createSession({ sessionId: "s" });
    const idle: string[] = [];
    session.on("session.idle", ({ type }) => idle.push(type));
    const begun = new Promise((resolve) => session.on("user.message", resolve));
    tell(server.peers[0], "e1", "user.message", { content: "x" });
    await begun;
    server.cutAll();
    await session.getEvents();
    expect(idle).toHaveLength(1);
    tell(server.peers[0], "i", "session.idle", {}, { ephemeral: true });
    await session.getEvents();
    expect(idle).toHaveLength(1);
  });

  test("a session that is gone for good says so to whoever waits for it", async () => {
    server.answers.set("session.resume", () => {
      throw new RpcError("session_not_found", "Session not found: s");
    });
    const session = await connect().createSession({ sessionId: "s" });
    const errors: string[] = [];
    session.on("session.error", ({ data }) => errors.push(data.message));
    const reading = session.events().next();
    server.cutAll();
    await expect(session.send("hello")).rejects.toThrow("Session not found: s");
    await expect(reading).rejects.toThrow("Session not found: s");
    expect(errors).toEqual(["the session is not attached any more: Session not found: s"]);
  });

  test("a session that another server still holds is asked for until it is given", async () => {
    let refusals = 2;
    server.answers.set("session.resume", ({ sessionId }: { sessionId: string }) => {
      if (refusals-- > 0) throw new RpcError("session_in_use", "Session in use: s");
      return { sessionId, eventCursor: "0" };
    });
    const session = await connect().createSession({ sessionId: "s" });
    server.cutAll();
    expect(await session.rpc.metadata.isProcessing()).toEqual({});
    expect(methods().filter((method) => method === "session.resume")).toHaveLength(3);
  });

  test("a session that the server has let go of is resumed for the next call", async () => {
    let forgotten = true;
    server.answers.set("session.abort", () => {
      if (forgotten) throw new RpcError("session_not_found", "Session not found: s");
      return {};
    });
    server.answers.set("session.resume", ({ sessionId }: { sessionId: string }) => {
      forgotten = false;
      return { sessionId, eventCursor: "0" };
    });
    const session = await connect().createSession({ sessionId: "s" });
    await session.abort();
    expect(methods().slice(-4)).toEqual([
      "session.abort",
      "session.resume",
      "session.eventLog.read",
      "session.abort",
    ]);
  });

  test("a model that was chosen meanwhile stays chosen", async () => {
    const session = await connect().createSession({ sessionId: "s", model: "first" });
    const changed = new Promise((resolve) => session.on("session.model_change", resolve));
    tell(server.peers[0], "e1", "session.model_change", { newModel: "second" });
    await changed;
    server.cutAll();
    await session.getEvents();
    const { params } = server.asked.find(({ method }) => method === "session.resume") ?? {};
    expect(params.model).toBe("second");
  });

  test("options that the server keeps in memory are set again", async () => {
    const session = await connect().createSession({ sessionId: "s", coauthorEnabled: false });
    await session.rpc.permissions.setApproveAll({ enabled: true });
    server.asked.length = 0;
    server.cutAll();
    await session.getEvents();
    const again = server.asked.filter(({ method }) => /options|setApproveAll/.test(method));
    expect(again).toEqual([
      { method: "session.options.update", params: { sessionId: "s", coauthorEnabled: false } },
      { method: "session.permissions.setApproveAll", params: { sessionId: "s", enabled: true } },
    ]);
  });

  test("stays lost where reconnecting is switched off", async () => {
    const session = await connect({ reconnect: false }).createSession({ sessionId: "s" });
    server.cutAll();
    await expect(session.send("hello")).rejects.toThrow(/closed|lost/);
    await expect(session.getEvents()).rejects.toThrow(/^Connection is closed/);
  });

  test("is given up after a while, and tried again by the next call", async () => {
    const client = connect({ reconnect: { initialDelayMs: 1, maxDelayMs: 1, giveUpAfterMs: 30 } });
    const session = await client.createSession({ sessionId: "s" });
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await expect(session.getEvents()).rejects.toThrow(/^Failed to connect to CLI server/);
    expect(client.getState()).toBe("error");
    await expect(session.getEvents()).rejects.toThrow(`${port}`);
    server = await startRecordingServer();
  });
});

describe("stopping", () => {
  test("while reconnecting ends at once, and calls that wait are told", async () => {
    const client = connect({ reconnect: { initialDelayMs: 60_000, maxDelayMs: 60_000 } });
    const session = await client.createSession({ sessionId: "s" });
    await server[Symbol.asyncDispose]();
    const waiting = session.getEvents();
    const outcome = expect(waiting).rejects.toThrow(/Session not found: s|Connection is closed/);
    expect(await client.stop()).toEqual([]);
    await outcome;
    expect(client.getState()).toBe("disconnected");
    server = await startRecordingServer();
  });

  test("leaves every session, and the client can be started again", async () => {
    const client = connect();
    const sessions = await Promise.all(["a", "b"].map((sessionId) => client.createSession({ sessionId })));
    expect(await client.stop()).toEqual([]);
    expect(methods().filter((method) => method === "session.detach")).toHaveLength(2);
    await expect(sessions[0]?.send("x")).rejects.toThrow("Session not found: a");
    await client.start();
    expect(client.getState()).toBe("connected");
  });

  test("tells which session could not be left", async () => {
    server.answers.set("session.detach", () => ({ success: false, error: "busy" }));
    const client = connect();
    await client.createSession({ sessionId: "s" });
    expect((await client.stop()).map(({ message }) => message)).toEqual([
      "Failed to disconnect session s: Failed to disconnect session s: busy",
    ]);
  });

  test("by force while a turn is under way ends the wait for it", async () => {
    const client = connect();
    const session = await client.createSession({ sessionId: "s" });
    const answer = session.sendAndWait("hello");
    await server.until(() => methods().includes("session.send"));
    await client.forceStop();
    await expect(answer).rejects.toThrow("Session not found: s");
  });

  test("a session that is left by itself says so to later calls, and leaving it again does nothing", async () => {
    const session = await connect().createSession({ sessionId: "s" });
    await Promise.all([session.disconnect(), session.disconnect()]);
    await session.destroy();
    expect(methods().filter((method) => method === "session.detach")).toHaveLength(1);
    await expect(session.abort()).rejects.toThrow("Session not found: s");
  });

  test("an older runtime's word for leaving is known", async () => {
    server.answers.set("session.detach", () => {
      throw new RpcError("method_not_found", "Unhandled method session.detach");
    });
    await (await connect().createSession({ sessionId: "s" })).disconnect();
    expect(methods().slice(-2)).toEqual(["session.detach", "session.destroy"]);
  });
});

describe("limits", () => {
  test("a call that takes too long is ended, and the server is told", async () => {
    server.answers.set("status.get", () => new Promise(() => undefined));
    const client = connect();
    await client.start();
    const late = await client.getStatus({ timeoutMs: 20 }).catch((error: unknown) => error);
    expect(late).toMatchObject({
      name: "TimeoutError",
      message: "Timeout after 20ms waiting for status.get",
    });
    await server.until(() => methods().includes("$/cancelRequest") || methods().length >= 2);
  });

  test("a limit for all calls counts where a call has none of its own", async () => {
    server.answers.set("status.get", () => new Promise(() => undefined));
    const client = connect({ callTimeoutMs: 20 });
    await client.start();
    await expect(client.getStatus()).rejects.toThrow("Timeout after 20ms");
  });

  test("sendAndWait says that it waited for the session to be idle", async () => {
    const session = await connect().createSession({ sessionId: "s" });
    await expect(session.sendAndWait("x", 20)).rejects.toThrow("Timeout after 20ms waiting for session.idle");
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(session.sendAndWait("x", { signal })).rejects.toThrow("gone");
  });

  test("a prompt that waits for the connection is taken back when its signal aborts", async () => {
    const client = connect({ reconnect: { initialDelayMs: 60_000, maxDelayMs: 60_000 } });
    const session = await client.createSession({ sessionId: "s" });
    await server[Symbol.asyncDispose]();
    const controller = new AbortController();
    const sending = session.send("never", { signal: controller.signal });
    controller.abort(new Error("gone"));
    await expect(sending).rejects.toThrow("gone");
    server = await startRecordingServer();
  });
});

describe("sendAndWait", () => {
  test("does not take the end of an earlier turn for its own", async () => {
    server.answers.set("session.send", ({ messageId }: { messageId: string }, peer: Peer) => {
      // The earlier turn ends while the prompt is on its way.
      tell(peer, "i0", "session.idle", {}, { ephemeral: true });
      setImmediate(() => {
        tell(peer, "u1", "user.message", { messageId, content: "x" });
        tell(peer, "a1", "assistant.message", { content: "mine", messageId: "m" });
        tell(peer, "i1", "session.idle", {}, { ephemeral: true });
      });
      return { messageId };
    });
    const session = await connect().createSession({ sessionId: "s" });
    expect((await session.sendAndWait("x"))?.data.content).toBe("mine");
  });

  test("rejects with the error of the session", async () => {
    server.answers.set("session.send", ({ messageId }: { messageId: string }, peer: Peer) => {
      setImmediate(() => tell(peer, "e", "session.error", { errorType: "t", message: "no model" }));
      return { messageId };
    });
    const session = await connect().createSession({ sessionId: "s" });
    await expect(session.sendAndWait("x")).rejects.toThrow("no model");
  });
});

/** The answer of a method, kept when it is wrapped by `loseConnectionOn`. */
function wrapAnswer(method: string, result: object) {
  const before = server.answers.get(method);
  let first = true;
  return (params: never, peer: Peer) => {
    if (!first) return result;
    first = false;
    return before?.(params, peer) ?? result;
  };
}
