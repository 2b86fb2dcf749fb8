/** Several objects of one session in one client: they share it, and none of them harms another. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CopilotSession, defineTool, type SessionConfig } from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const say = async (session: CopilotSession, text: string) =>
  (await session.sendAndWait(`echo ${text}`))?.data.content;
const ID = "shared";
const config = (more: SessionConfig = {}) => witness(world.model, more).config;
/** A tool that says who has it. */
const lookup = (owner: string) =>
  defineTool("lookup", {
    description: "Looks a value up",
    parameters: { type: "object", properties: {} },
    handler: () => owner,
  });
const toolResults = async (session: CopilotSession) =>
  (await session.getEvents()).flatMap((event) =>
    event.type === "tool.execution_complete" ? [event.data.result?.content] : [],
  );

test("a create that is refused, since the session is open, leaves it as it was", async () => {
  const client = world.connect();
  const session = await client.createSession(config({ sessionId: ID }));
  await expect(client.createSession(config({ sessionId: ID }))).rejects.toThrow("Session already exists");
  expect(await say(session, "still here")).toBe("still here");
});

test("a create whose connection is lost is refused all the same, and leaves the session that is open as it was", async () => {
  const client = world.connect();
  const session = await client.createSession(config({ sessionId: ID }));
  world.proxy.freeze();
  const again = client.createSession(config({ sessionId: ID })).catch((error) => error);
  // The request has gone out.
  await client.ping("", { timeoutMs: 20 }).catch(() => undefined);
  world.proxy.cutAll();
  world.proxy.thaw();
  expect(await again).toMatchObject({ message: expect.stringContaining("Session already exists") });
  expect(await say(session, "still here")).toBe("still here");
});

test("a resume that is refused leaves the session that is open as it was", async () => {
  const client = world.connect();
  const session = await client.createSession(config({ sessionId: ID }));
  await expect(
    client.resumeSession(ID, config({ provider: { type: "nobody" as never, baseUrl: "http://a" } })),
  ).rejects.toThrow(/provider/);
  expect(await say(session, "still here")).toBe("still here");
});

test("a resume that is given up leaves the session that is open as it was", async () => {
  const client = world.connect();
  const session = await client.createSession(config({ sessionId: ID }));
  world.proxy.freeze();
  const signal = AbortSignal.timeout(20);
  await expect(client.resumeSession(ID, config({ tools: [lookup("second")] }), { signal })).rejects.toThrow();
  world.proxy.thaw();
  expect(await say(session, "still here")).toBe("still here");
  await session.sendAndWait("tool lookup 1");
  expect(await toolResults(session)).toEqual(["found"]);
});

test("both objects of a session are told its events, and have their own answers", async () => {
  const client = world.connect();
  const first = witness(world.model, { sessionId: ID });
  const second = witness(world.model);
  const one = await client.createSession(first.config);
  const two = await client.resumeSession(ID, second.config);
  expect(await say(one, "from one")).toBe("from one");
  expect(await say(two, "from two")).toBe("from two");
  const texts = ({ events }: typeof first) =>
    events.flatMap((event) => (event.type === "assistant.message" ? [event.data.content] : []));
  expect([texts(first), texts(second)]).toEqual([
    ["from one", "from two"],
    ["from one", "from two"],
  ]);
});

test("the tools of the object that joined last are called, and the other's again once it has left", async () => {
  const client = world.connect();
  const one = await client.createSession(config({ sessionId: ID, tools: [lookup("one")] }));
  const two = await client.resumeSession(ID, config({ tools: [lookup("two")] }));
  await one.sendAndWait("tool lookup 1");
  await two.disconnect();
  await one.sendAndWait("tool lookup 1");
  expect(await toolResults(one)).toEqual(["two", "one"]);
  await expect(two.getEvents()).rejects.toThrow("It was left by this client");
});

test("the last object to leave takes the client off the session", async () => {
  const client = world.connect();
  const one = await client.createSession(config({ sessionId: ID }));
  const two = await client.resumeSession(ID, config());
  await one.disconnect();
  expect(await say(two, "alone")).toBe("alone");
  await two.disconnect();
  const three = await client.resumeSession(ID, config());
  expect(await say(three, "back")).toBe("back");
});

test("after a cut, all objects of a session can be read, and the process goes on", async () => {
  const client = world.connect();
  const one = await client.createSession(config({ sessionId: ID }));
  const two = await client.resumeSession(ID, config());
  world.proxy.cutAll();
  expect(await two.getEvents()).toEqual(await one.getEvents());
});

test("objects that are made at once, one after the other is left, are all of the same session", async () => {
  const client = world.connect();
  await (await client.createSession(config({ sessionId: ID }))).disconnect();
  const sessions = await Promise.all([1, 2, 3].map(() => client.resumeSession(ID, config())));
  const [first, ...others] = sessions;
  const leaving = Promise.all(others.map((session) => session.disconnect()));
  expect(await say(first as CopilotSession, "first")).toBe("first");
  await leaving;
  await Promise.all([first?.disconnect(), client.resumeSession(ID, config())]);
  expect(await client.stop()).toEqual([]);
});

test("a tool that two clients have is called in both, and the first answer counts", async () => {
  let answerLate: (text: string) => void = () => undefined;
  const late = new Promise<string>((resolve) => {
    answerLate = resolve;
  });
  let call: () => void = () => undefined;
  const called = new Promise<void>((resolve) => {
    call = resolve;
  });
  const of = (handler: () => unknown) =>
    defineTool("lookup", { parameters: { type: "object", properties: {} }, handler });
  const first = of(() => called.then(() => "the first answer"));
  const second = of(() => {
    call();
    return late;
  });
  const one = await world.connect().createSession(config({ sessionId: ID, tools: [first] }));
  const two = await world.connectDirectly().resumeSession(ID, config({ tools: [second] }));
  await one.sendAndWait("tool lookup 1");
  answerLate("too late");
  expect(await toolResults(two)).toEqual(["the first answer"]);
});

test("the signal of a tool's handler aborts when its result is not wanted any more", async () => {
  let take: (signal: AbortSignal | undefined) => void = () => undefined;
  const taken = new Promise<AbortSignal | undefined>((resolve) => {
    take = resolve;
  });
  const tool = defineTool("lookup", {
    parameters: { type: "object", properties: {} },
    handler: (_args, { signal }) => {
      take(signal);
      return new Promise(() => undefined);
    },
  });
  const session = await world.connect().createSession(config({ sessionId: ID, tools: [tool] }));
  const waiting = session.sendAndWait("tool lookup 1");
  const signal = await taken;
  expect(signal?.aborted).toBe(false);
  const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
  const other = await world.connectDirectly().resumeSession(ID, config());
  await other.abort();
  await Promise.all([aborted, waiting]);
});

test("a session that another client deletes ends its waits, its events and its calls by name, and is open no more", async () => {
  world.model.use(() => ({ hang: true }));
  const client = world.connect();
  const session = await client.createSession(config({ sessionId: ID }));
  const begun = new Promise<void>((resolve) => {
    session.on("assistant.turn_start", () => resolve());
  });
  const waiting = session.sendAndWait("no end").catch((error: Error) => error.message);
  const stream = session.events({ types: ["session.info"] });
  const reading = stream.next();
  await begun;
  const other = world.connectDirectly();
  await other.start();
  await other.deleteSession(ID);
  expect(await waiting).toBe(`the session ${ID} was deleted`);
  expect(await reading).toEqual({ value: undefined, done: true });
  await expect(session.send("x")).rejects.toThrow(`the session ${ID} was deleted`);
  world.model.use(undefined);
  expect(await say(await client.createSession(config({ sessionId: ID })), "anew")).toBe("anew");
  expect(await client.stop()).toEqual([]);
});
