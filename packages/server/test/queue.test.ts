/** What waits in a session for its turn, as clients see it and change it. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import { StoreError } from "../src/store/store-error.ts";
import { overriding } from "./support/overriding.ts";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let made = 0;

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
  client = await server.connect();
});

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const provider = () => ({ type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" });

/** What one client does with one session's queue. */
function queueOf(of: WireClient, sessionId: string) {
  const call = (method: string, params: object = {}) => of.request(method, { sessionId, ...params });
  return {
    call,
    send: async (prompt: string, more: object = {}): Promise<string> =>
      (await call("session.send", { prompt, ...more })).messageId,
    hold: (paused = true) => call("session.queue.setDrainPaused", { paused }),
    texts: async (): Promise<string[]> =>
      (await call("session.queue.pendingItems")).items.map(
        (item: { displayText: string }) => item.displayText,
      ),
    steering: async (): Promise<string[]> => (await call("session.queue.pendingItems")).steeringMessages,
    /** What the model was asked in the session so far, in order. */
    asked: async (): Promise<string[]> =>
      (await call("session.getMessages")).events
        .filter((event: { type: string }) => event.type === "user.message")
        .map((event: { data: { content: string } }) => event.data.content),
  };
}

/** A session whose queue is held, with prompts a, b and c in it. */
async function held() {
  const sessionId = `s${made++}`;
  await client.request("session.create", { sessionId, model: "scripted", provider: provider() });
  const queue = queueOf(client, sessionId);
  await queue.hold();
  const ids: string[] = [];
  for (const prompt of ["a", "b", "c"]) ids.push(await queue.send(prompt));
  expect(await queue.texts()).toEqual(["a", "b", "c"]);
  const [a, b, c] = ids as [string, string, string];
  return { sessionId, ...queue, a, b, c };
}

const UNKNOWN = { data: { reason: "invalid_params", path: "id", code: "unknown_id" } };

describe("items that wait", () => {
  test("are listed with what they are", async () => {
    const { call, a } = await held();
    await call("session.commands.enqueue", { command: "/later" });
    const { items, steeringMessages } = await call("session.queue.pendingItems");
    expect(items[0]).toEqual({
      id: a,
      messageId: a,
      kind: "message",
      displayText: "a",
      agentMode: "interactive",
    });
    expect(items[3]).toMatchObject({ kind: "command", displayText: "/later" });
    expect(items[3]).not.toHaveProperty("messageId");
    expect(steeringMessages).toEqual([]);
  });

  test.each([
    [0, 2, ["b", "c", "a"], true],
    [2, 0, ["c", "a", "b"], true],
    [0, 1, ["b", "a", "c"], true],
    [1, 1, ["a", "b", "c"], false],
    [0, 99, ["b", "c", "a"], true],
    [2, -5, ["c", "a", "b"], true],
    [2, 99, ["a", "b", "c"], false],
  ])("move from %i to %i", async (from, toPosition, order, changed) => {
    const { call, texts, a, b, c } = await held();
    const id = [a, b, c][from];
    expect(await call("session.queue.moveItem", { id, toPosition })).toEqual({ changed });
    expect(await texts()).toEqual(order);
  });

  test.each([
    [0, ["new", "a", "b", "c"]],
    [2, ["a", "b", "new", "c"]],
    [99, ["a", "b", "c", "new"]],
  ])("get a new one at %i", async (position, order) => {
    const { call, texts } = await held();
    const message = { prompt: "the prompt", displayPrompt: "new" };
    const { id } = await call("session.queue.insertAt", { position, message });
    expect(await texts()).toEqual(order);
    await call("session.queue.removeAt", { id });
    expect(await texts()).toEqual(["a", "b", "c"]);
  });

  test("are copied right behind themselves", async () => {
    const { call, texts, a, c } = await held();
    const copy = await call("session.queue.duplicateAt", { id: a });
    expect(copy.id).not.toBe(a);
    await call("session.queue.duplicateAt", { id: c });
    expect(await texts()).toEqual(["a", "a", "b", "c", "c"]);
  });

  test("are edited, unless they are commands", async () => {
    const { call, texts, b } = await held();
    const edit = (id: string, prompt: string) => call("session.queue.updateText", { id, prompt });
    expect(await edit(b, "better")).toEqual({ updated: true });
    expect(await edit(b, "better")).toEqual({ updated: false });
    expect(await texts()).toEqual(["a", "better", "c"]);
    await call("session.commands.enqueue", { command: "/later" });
    const { items } = await call("session.queue.pendingItems");
    await expect(edit(items[3].id, "x")).rejects.toMatchObject({ data: { reason: "invalid_params" } });
  });

  test("go the last taken first, wherever they wait", async () => {
    const { call, texts, send } = await held();
    await send("first of all", { prepend: true });
    const remove = async () => (await call("session.queue.removeMostRecent")).removed;
    expect(await texts()).toEqual(["first of all", "a", "b", "c"]);
    expect(await remove()).toBe(true);
    expect(await texts()).toEqual(["a", "b", "c"]);
    for (const removed of [true, true, true, false]) expect(await remove()).toBe(removed);
    expect(await texts()).toEqual([]);
  });

  test("all go at once", async () => {
    const { call, texts } = await held();
    expect(await call("session.queue.clear")).toBeNull();
    expect(await texts()).toEqual([]);
    expect(await call("session.queue.hasPending")).toEqual({ hasPending: false });
    expect(await call("session.queue.clear")).toBeNull();
  });

  test.each([
    ["moveItem", { toPosition: 0 }],
    ["removeAt", {}],
    ["updateText", { prompt: "x" }],
    ["duplicateAt", {}],
    ["sendNow", {}],
  ])("that are unknown cannot be changed by %s", async (method, more) => {
    const { call, texts } = await held();
    await expect(call(`session.queue.${method}`, { id: "nothing", ...more })).rejects.toMatchObject(UNKNOWN);
    expect(await texts()).toEqual(["a", "b", "c"]);
  });
});

describe("a queue that is held", () => {
  test("runs in the order it was given once it is let go", async () => {
    const { sessionId, call, hold, asked, c } = await held();
    await call("session.queue.moveItem", { id: c, toPosition: 0 });
    await call("session.queue.updateText", { id: c, prompt: "see" });
    expect(await asked()).toEqual([]);
    await hold(false);
    await client.until(
      () => client.of(sessionId).filter((event) => event.type === "user.message").length === 3,
    );
    await client.event(sessionId, "session.idle");
    expect(await asked()).toEqual(["see", "a", "b"]);
  });

  test("is let go when its holder leaves", async () => {
    const { sessionId } = await held();
    const other = await server.connect();
    await other.request("session.resume", { sessionId, provider: provider() });
    await client.request("session.detach", { sessionId });
    await other.event(sessionId, "session.idle");
    expect(await queueOf(other, sessionId).asked()).toEqual(["a", "b", "c"]);
    await other.close();
  });

  test("is as it was after kill -9, and is gone on with", async () => {
    await using home = await tempHome();
    const first = await spawnServer(home.path);
    const before = await first.connect();
    await before.request("session.create", { sessionId: "s", model: "scripted", provider: provider() });
    const queue = queueOf(before, "s");
    await queue.hold();
    const a = await queue.send("a");
    const b = await queue.send("b");
    await queue.send("c");
    await queue.call("session.queue.removeAt", { id: a });
    await queue.call("session.queue.moveItem", { id: b, toPosition: 1 });
    await queue.call("session.queue.updateText", { id: b, prompt: "bee" });
    await first.kill("SIGKILL");

    const second = await spawnServer(home.path);
    const after = await second.connect();
    await after.request("session.resume", { sessionId: "s", provider: provider() });
    await after.until(() => after.of("s").filter((event) => event.type === "user.message").length === 2);
    expect(await queueOf(after, "s").asked()).toEqual(["c", "bee"]);
    await after.close();
    await second.kill("SIGTERM");
  });
});

describe("while a run is in progress", () => {
  /** A session whose model waits for the returned function before it answers. */
  async function running() {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    model.use(async () => {
      if (!first) return undefined;
      first = false;
      await released;
      return { text: "first" };
    });
    const sessionId = `s${made++}`;
    await client.request("session.create", { sessionId, model: "scripted", provider: provider() });
    const queue = queueOf(client, sessionId);
    await queue.send("running");
    await client.event(sessionId, "assistant.turn_start");
    return { sessionId, ...queue, release };
  }

  test("a prompt that waits can be sent into it at once, and comes before the others", async () => {
    const { sessionId, call, send, texts, steering, asked, release } = await running();
    await send("later");
    const id = await send("now");
    expect(await call("session.queue.sendNow", { id })).toEqual({ steered: true });
    expect(await texts()).toEqual(["later"]);
    expect(await steering()).toEqual(["now"]);
    await expect(call("session.queue.removeAt", { id })).rejects.toMatchObject(UNKNOWN);
    release();
    await client.event(sessionId, "session.idle");
    expect(await asked()).toEqual(["running", "now", "later"]);
  });

  test("steering that waits is the most recent, and is cleared with the rest", async () => {
    const { sessionId, call, send, texts, steering, asked, release } = await running();
    await send("later");
    await send("steer", { mode: "immediate" });
    await call("session.queue.removeMostRecent");
    expect(await steering()).toEqual([]);
    await send("steer again", { mode: "immediate" });
    await call("session.queue.clear");
    expect([await texts(), await steering()]).toEqual([[], []]);
    release();
    await client.event(sessionId, "session.idle");
    expect(await asked()).toEqual(["running"]);
  });

  test("an abort drops what waits, in both lanes, and the session takes the next prompt", async () => {
    const { sessionId, call, send, texts, steering, asked, release } = await running();
    await send("later");
    await call("session.commands.enqueue", { command: "/help" });
    await send("steer", { mode: "immediate" });
    await call("session.abort");
    expect([await texts(), await steering()]).toEqual([[], []]);
    release();
    expect((await client.event(sessionId, "session.idle")).data).toMatchObject({ aborted: true });
    await client.ask(sessionId, "next");
    expect(await asked()).toEqual(["running", "next"]);
  });

  test.each([
    { flushQueued: false, left: ["running"] },
    { flushQueued: true, left: ["running", "steer", "later"] },
  ])("an interrupt ends the turn; flushQueued: $flushQueued", async ({ flushQueued, left }) => {
    const { sessionId, call, send, asked, release } = await running();
    await send("later");
    await send("steer", { mode: "immediate" });
    expect(await call("session.interruptMainTurn", { flushQueued })).toEqual({ interrupted: true });
    release();
    const idle = await client.event(sessionId, "session.idle");
    expect(idle.data.aborted === true).toBe(!flushQueued);
    expect(await asked()).toEqual(left);
    expect(await call("session.interruptMainTurn")).toEqual({ interrupted: false });
  });

  test("the prompt that it answers is not in the queue", async () => {
    const { sessionId, call, texts, release } = await running();
    expect(await texts()).toEqual([]);
    expect(await call("session.queue.removeMostRecent")).toEqual({ removed: false });
    release();
    await client.event(sessionId, "session.idle");
  });
});

test("without a run an abort leaves what waits", async () => {
  const { call, texts } = await held();
  await call("session.abort");
  expect(await call("session.interruptMainTurn")).toEqual({ interrupted: false });
  expect(await texts()).toEqual(["a", "b", "c"]);
});

test("without a run nothing can be sent into it", async () => {
  const { call, texts, a } = await held();
  expect(await call("session.queue.sendNow", { id: a })).toEqual({ steered: false });
  expect(await texts()).toEqual(["a", "b", "c"]);
});

test("a prompt that waits while the store fails is run when it works again, whoever asks for nothing", async () => {
  await using folder = await tempHome();
  let why: StoreError | undefined;
  const memory = createMemoryStore();
  const log = overriding(memory.log, {
    append: async (...args) => {
      if (why) throw why;
      return memory.log.append(...args);
    },
  });
  const check = async () => {
    if (why) throw why;
  };
  await using failing = await startServer(folder.path, { store: { ...memory, log, check } });
  const own = await failing.connect();
  let answer: (reply: { text: string }) => void = () => undefined;
  model.use((_request, index) =>
    index === 0 ? new Promise((resolve) => (answer = resolve)) : { text: "the second" },
  );
  const before = model.requests.length;
  await own.request("session.create", { sessionId: "full", model: "scripted", provider: provider() });
  const queue = queueOf(own, "full");
  await queue.send("first");
  await expect.poll(() => model.requests.length).toBe(before + 1);
  await queue.send("second");
  why = new StoreError("unavailable", "no space left on the device");
  answer({ text: "lost" });
  expect((await own.event("full", "session.error")).data).toMatchObject({ errorType: "storage" });
  expect(model.requests.length).toBe(before + 1);
  why = undefined;
  const { data } = await own.event("full", "assistant.message");
  expect(data.content).toBe("the second");
  expect(await queue.texts()).toEqual([]);
  await own.close();
});
