/** Events as an async iterator, over a real server. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, type CopilotSession, RuntimeConnection, type SessionEvent } from "../src/index.ts";
import { witness } from "./support/conversation.ts";

let model: ScriptedModelServer;
let home: TempHome;
let server: TestServer;
let client: CopilotClient;
beforeAll(async () => {
  model = await startScriptedModelServer();
});
beforeEach(async () => {
  home = await tempHome();
  server = await startServer(home.path);
  client = new CopilotClient({ connection: RuntimeConnection.forUri(`localhost:${server.port}`) });
});
afterEach(async () => {
  await client.stop();
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});
afterAll(() => model.close());

const durable = (events: readonly SessionEvent[]) =>
  events.filter(({ ephemeral }) => ephemeral !== true).map(({ id }) => id);

async function readAll(events: AsyncIterable<SessionEvent>): Promise<SessionEvent[]> {
  const read: SessionEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

const idsOf = async (session: CopilotSession) => durable(await session.getEvents());

test("come as they are told, deltas too, until the session is left", async () => {
  const { config, events: told } = witness(model);
  const session = await client.createSession(config);
  const before = told.length;
  const reading = readAll(session.events());
  await session.sendAndWait("words 5");
  const all = await idsOf(session);
  await session.disconnect();
  const read = await reading;
  expect(read.map(({ id }) => id)).toEqual(told.slice(before).map(({ id }) => id));
  expect(read.some(({ type }) => type === "assistant.message_delta")).toBe(true);
  expect(durable(read)).toEqual(all.slice(1));
});

test("come from the beginning of the log, and go on with what is told", async () => {
  const { config } = witness(model);
  const first = await client.createSession(config);
  for (let turn = 0; turn < 5; turn++) await first.sendAndWait("tool lookup 2");
  await first.disconnect();
  const session = await client.resumeSession(first.sessionId, config);
  const reading = readAll(session.events({ from: "start" }));
  await session.sendAndWait("words 5");
  const all = await idsOf(session);
  await new Promise((resolve) => setImmediate(resolve));
  await session.sendAndWait("echo last");
  const more = await idsOf(session);
  // What is behind the last turn may still be on its way to the reader.
  await session.log("end");
  const end = (await idsOf(session)).at(-1);
  await untilRead(session, end);
  await session.disconnect();
  const read = await reading;
  expect(durable(read).slice(0, all.length)).toEqual(all);
  expect(durable(read).slice(0, more.length)).toEqual(more);
});

/** Reads beside the others until an event comes. */
async function untilRead(session: CopilotSession, id: string | undefined): Promise<void> {
  for await (const event of session.events({ from: "start" })) if (event.id === id) return;
}

test("reach a slow reader all the same, with few of them waiting", async () => {
  const { config } = witness(model);
  const session = await client.createSession(config);
  const stream = session.events({ bufferSize: 10 });
  const read: SessionEvent[] = [];
  const next = async () => {
    const { value } = await stream.next();
    if (!value) throw new Error("the stream ended");
    read.push(value);
  };
  await session.log("begin");
  await next();
  for (let turn = 0; turn < 10; turn++) await session.sendAndWait("tool lookup 3");
  const all = await idsOf(session);
  while (read.at(-1)?.id !== all.at(-1)) await next();
  expect(durable(read)).toEqual(all.slice(1));
  // It has caught up: what is told now comes at once, deltas too.
  const from = read.length;
  const untilIdle = async () => {
    while (read.at(-1)?.type !== "session.idle") await next();
  };
  await Promise.all([session.sendAndWait("words 3"), untilIdle()]);
  expect(read.slice(from).some(({ type }) => type === "assistant.message_delta")).toBe(true);
  await session.disconnect();
});

test("of some types only are told of those", async () => {
  const { config } = witness(model);
  const session = await client.createSession(config);
  const reading = readAll(session.events({ types: ["user.message", "session.idle"], bufferSize: 1 }));
  await session.sendAndWait("echo one");
  await session.sendAndWait("echo two");
  await session.disconnect();
  expect((await reading).map(({ type }) => type)).toEqual([
    "user.message",
    "session.idle",
    "user.message",
    "session.idle",
  ]);
});

test("end when the reader stops, and when its signal aborts", async () => {
  const { config } = witness(model);
  const session = await client.createSession(config);
  for await (const event of session.events({ from: "start" })) {
    expect(event.type).toBe("session.start");
    break;
  }
  const controller = new AbortController();
  const reading = readAll(session.events({ signal: controller.signal }));
  controller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
  const aborted = session.events({ signal: controller.signal });
  await expect(aborted.next()).rejects.toThrow("enough");
});

test("that a reader has not got when the session is left are told to be missing", async () => {
  const { config } = witness(model);
  const session = await client.createSession(config);
  const stream = session.events({ bufferSize: 2 });
  await session.sendAndWait("words 5");
  await session.disconnect();
  const reading = readAll(stream);
  await expect(reading).rejects.toThrow("the session was left before all its events were read");
});
