/** What is given up does not happen later, whatever becomes of the connection. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CallOptions, CopilotSession } from "../src/index.ts";
import { observe } from "./model/observer.ts";
import { expectAllEventsOnce, witness } from "./support/conversation.ts";
import { promptsOf, startWorld, type World } from "./support/world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const config = (more = {}) => witness(world.model, more).config;
const LIMITS: [name: string, limits: () => number | CallOptions][] = [
  ["a number", () => 50],
  ["timeoutMs", () => ({ timeoutMs: 50 })],
  ["a signal", () => ({ signal: AbortSignal.timeout(50) })],
  ["both", () => ({ timeoutMs: 50, signal: new AbortController().signal })],
];

/** A session whose client knows that it has no connection. */
async function sessionWithoutNetwork(): Promise<CopilotSession> {
  let noticed: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    noticed = resolve;
  });
  const onConnectionState = (_state: string, reason?: Error) => reason && noticed();
  const session = await world.connect({ onConnectionState }).createSession(config());
  world.proxy.setRates({ refuse: 1 });
  world.proxy.cutAll();
  await lost;
  return session;
}

describe("a prompt", () => {
  test.each(LIMITS)(
    "that was waited for while there was no connection, within %s, is not carried out",
    async (_, limits) => {
      const session = await sessionWithoutNetwork();
      for (let tries = 0; tries < 3; tries++) {
        const error = await session.sendAndWait("echo retried", limits()).catch((thrown) => thrown);
        expect(error).toMatchObject({ name: "TimeoutError" });
        expect(error.maybeDone).toBeUndefined();
      }
      world.proxy.setRates({});
      expect(await session.sendAndWait("echo after").then((answer) => answer?.data.content)).toBe("after");
      expect(await promptsOf(session)).toEqual(["echo after"]);
    },
  );

  test("that was sent and given up is not sent again after a loss, and its error says that it may be done", async () => {
    const session = await world.connect().createSession(config());
    world.proxy.freeze();
    const error = await session.send("echo lost", { timeoutMs: 50 }).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "TimeoutError", maybeDone: true });
    // What stood before the cut is gone with it.
    world.proxy.cutAll();
    world.proxy.thaw();
    await session.sendAndWait("echo after");
    expect(await promptsOf(session)).toEqual(["echo after"]);
  });

  test.each(["disconnect", "stop", "forceStop"] as const)(
    "that the server has taken, and that is waited for until %s, is told as maybe done",
    async (how) => {
      const client = world.connect();
      const session = await client.createSession(config());
      world.model.use([{ hang: true }]);
      const error = session.sendAndWait("echo taken").catch((thrown) => thrown);
      await world.model.until(({ requests }) => requests.length === 1);
      await (how === "disconnect" ? session.disconnect() : client[how]());
      expect(await error).toMatchObject({ message: expect.stringContaining("It was left"), maybeDone: true });
    },
  );

  test("that has not gone out when its object is left is not carried out, although another has the session", async () => {
    const client = world.connect();
    const first = await client.createSession(config({ sessionId: "shared" }));
    const second = await client.resumeSession("shared", config());
    world.proxy.setRates({ refuse: 1 });
    world.proxy.cutAll();
    await world.proxy.until(({ faults }) => faults.refuse > 0);
    const waiting = second.sendAndWait("echo withdrawn").catch((thrown) => thrown);
    await second.disconnect();
    expect((await waiting).maybeDone).toBeUndefined();
    world.proxy.setRates({});
    await first.sendAndWait("echo after");
    expect(await promptsOf(first)).toEqual(["echo after"]);
  });

  test("whose signal has a text as its reason is rejected with an Error that says it", async () => {
    const session = await world.connect().createSession(config());
    const signal = AbortSignal.abort("not now");
    await expect(session.sendAndWait("echo x", { signal })).rejects.toThrow("not now");
    await expect(session.getEvents({ signal })).rejects.toThrow("not now");
    const controller = new AbortController();
    const waiting = session.sendAndWait("hang", { signal: controller.signal });
    controller.abort("enough");
    await expect(waiting).rejects.toThrow("enough");
  });

  test.each([Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])("within %d ms is answered", async (timeoutMs) => {
    const session = await world.connect({ callTimeoutMs: timeoutMs }).createSession(config());
    expect((await session.sendAndWait("echo x", timeoutMs))?.data.content).toBe("x");
    expect((await session.getEvents({ timeoutMs })).length).toBeGreaterThan(0);
  });
});

test.each([Number.NaN, -1, "5"])("a limit of %s is refused by name", async (timeoutMs) => {
  const client = world.connect();
  await expect(client.createSession(config(), { timeoutMs: timeoutMs as number })).rejects.toThrow(
    /^timeoutMs: expected/,
  );
  expect(() => world.connect({ callTimeoutMs: timeoutMs as number })).toThrow(/^callTimeoutMs: expected/);
});

test("a callTimeoutMs of 0 is no limit", async () => {
  const session = await world.connect({ callTimeoutMs: 0 }).createSession(config());
  expect((await session.getEvents()).length).toBeGreaterThan(0);
});

describe("a session", () => {
  test("whose creation is given up is taken back once the server has made it", async () => {
    const client = world.connect();
    await client.start();
    world.proxy.freeze();
    await expect(client.createSession(config(), { timeoutMs: 30 })).rejects.toThrow("session.create");
    await expect(client.createSession(config({ sessionId: "own" }), { timeoutMs: 30 })).rejects.toThrow();
    world.proxy.thaw();
    // The next one by that id waits for it.
    const session = await client.createSession(config({ sessionId: "own" }));
    const others = (await client.listSessions()).filter(({ sessionId }) => sessionId !== "own");
    expect(others).toEqual([]);
    expect((await session.sendAndWait("echo mine"))?.data.content).toBe("mine");
  });

  test("whose making was lost with the connection, and is given up before there is another, is deleted then", async () => {
    const client = world.connect();
    await client.start();
    world.proxy.swallow("down");
    const made = client.createSession(config(), { timeoutMs: 1000 }).catch((error: Error) => error);
    const direct = world.connectDirectly();
    await direct.start();
    await expect.poll(async () => (await direct.listSessions()).length).toBe(1);
    world.proxy.setRates({ refuse: 1 });
    world.proxy.cutAll();
    expect(await made).toMatchObject({ name: "TimeoutError" });
    world.proxy.setRates({});
    // Waits for the next connection, whatever becomes of the try that is under way.
    await client.listSessions();
    await expect.poll(() => direct.listSessions()).toEqual([]);
  });

  test("that is not left after all, since that took too long, is told everything once and goes on", async () => {
    const seen = witness(world.model, { sessionId: "kept" });
    const session = await world.connect().createSession(seen.config);
    world.proxy.freeze();
    await expect(session.disconnect({ timeoutMs: 20 })).rejects.toThrow("session.detach");
    world.proxy.thaw();
    const other = await world.connectDirectly().resumeSession("kept", config());
    expect(await answerOf(other)).toBe("done");
    await expect.poll(() => seen.events.map(({ type }) => type)).toContain("session.idle");
    await expectAllEventsOnce(seen, session);
  });

  test("that is left twice is left within the limits of each call", async () => {
    const client = world.connect();
    const session = await client.createSession(config());
    world.proxy.freeze();
    const hasty = session.disconnect({ timeoutMs: 20 }).catch((error: Error) => error.message);
    const patient = session.disconnect();
    const stopping = client.stop();
    expect(await hasty).toContain("Timeout after 20ms waiting for session.detach");
    world.proxy.thaw();
    await patient;
    expect(await stopping).toEqual([]);
  });

  test("that is left while it is being resumed is left at the server", async () => {
    const client = world.connect();
    const kept = await client.createSession(config());
    const left = witness(world.model, { sessionId: "left" });
    const session = await client.createSession(left.config);
    const before = left.events.length;
    const cut = world.proxy.accepted;
    world.proxy.cutAll();
    await world.proxy.until(({ accepted }) => accepted > cut);
    await session.disconnect();
    await kept.getEvents();
    const other = await world.connectDirectly().resumeSession("left", config());
    // A client that is still there would be asked for the tool as well, and be told its event.
    expect(await answerOf(other)).toBe("done");
    expect(left.events.slice(before).map(({ type }) => type)).not.toContain("user.message");
    expect(left.calls.size).toBe(0);
  });
});

const answerOf = async (session: CopilotSession) =>
  (await session.sendAndWait("tool lookup 1"))?.data.content;

test("a wait in a session that another client deletes is rejected", async () => {
  const session = await world.connect().createSession(config({ sessionId: "gone" }));
  world.model.use([{ hang: true }]);
  const waiting = session.sendAndWait("echo never", Number.POSITIVE_INFINITY).catch((error) => error);
  await world.model.until(({ requests }) => requests.length === 1);
  const other = world.connectDirectly();
  await other.start();
  await other.deleteSession("gone");
  expect(await waiting).toMatchObject({ message: "the session gone was deleted", maybeDone: true });
});

test("a session that is left while calls for it are on their way is not taken back", async () => {
  const observer = await observe(world.proxy.port);
  const client = world.connect();
  for (let round = 0; round < 5; round++) {
    const session = await client.createSession(config({ sessionId: `left-${round}` }));
    const waiting = session.sendAndWait("tool lookup 1").catch((error: Error) => error.message);
    const leaving = session.disconnect();
    const calls = [session.getEvents(), session.sendAndWait({ prompt: "echo job", messageId: "job" })];
    await Promise.allSettled(calls);
    await leaving;
    expect(await waiting).toContain("It was left by this client");
    await expect.poll(() => observer.isHeld(session.sessionId)).toBe(false);
    await client.listSessions();
    expect(await observer.isHeld(session.sessionId)).toBe(false);
  }
  observer.close();
});

describe("a client", () => {
  test("that is stopped in the tick in which it starts is not connected", async () => {
    for (const stop of ["forceStop", "stop"] as const) {
      const client = world.connect();
      const started = client.start().catch((error) => error);
      await client[stop]();
      expect(await started).toMatchObject({ name: "ConnectionError" });
      expect(client.getState()).toBe("disconnected");
    }
    await world.proxy.until(({ open }) => open === 0);
  });

  test("that is stopped when the answer has come rejects the join, and can have the session afterwards", async () => {
    const client = world.connect();
    await (await client.createSession(config({ sessionId: "kept" }))).disconnect();
    await world.connectDirectly().createSession(config({ sessionId: "other" }));
    for (let tries = 0; tries < 20; tries++) {
      const joined = client.resumeSession("kept", config()).catch((error) => error);
      for (let turn = 0; turn < tries; turn++) await new Promise(setImmediate);
      await client.stop();
      const session = await joined;
      // What resolved was stopped with the client; what did not says so.
      const error =
        session instanceof Error ? session : await session.getEvents().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(await (await client.resumeSession("kept", config())).getEvents()).toBeInstanceOf(Array);
      await client.stop();
    }
  });

  test("that is stopped while it makes a session rejects that, and is not connected", async () => {
    const client = world.connect();
    const made = client.createSession(config()).catch((error) => error);
    await client.forceStop();
    expect(await made).toMatchObject({ name: "ConnectionError" });
    expect(client.getState()).toBe("disconnected");
  });
});
