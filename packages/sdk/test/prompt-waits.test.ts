/** Each wait for a prompt ends with that prompt's own answer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CopilotClient, defineTool, PromptRemovedError } from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { promptsOf, startWorld, type World } from "./support/world.ts";

let world: World;
let client: CopilotClient;
beforeEach(async () => {
  world = await startWorld();
  client = world.connect();
});
afterEach(() => world[Symbol.asyncDispose]());

const config = (more = {}) => witness(world.model, more).config;

test("several at once have their own answers", async () => {
  const session = await client.createSession(config());
  const prompts = ["echo a", "tool lookup 1", "echo b", "echo c"];
  const answers = await Promise.all(prompts.map((prompt) => session.sendAndWait(prompt)));
  expect(answers.map((answer) => answer?.data.content)).toEqual(["a", "done", "b", "c"]);
});

test("several at once of two clients, with the connection of one cut, have their own answers", async () => {
  const one = await client.createSession(config({ sessionId: "s" }));
  const two = await world.connectDirectly().resumeSession("s", config());
  const waiting = [one.sendAndWait("echo a"), two.sendAndWait("echo b"), one.sendAndWait("echo c")];
  world.proxy.cutAll();
  const answers = await Promise.all(waiting);
  expect(answers.map((answer) => answer?.data.content)).toEqual(["a", "b", "c"]);
});

test("one that fails does not end the wait for the next", async () => {
  world.model.use(({ body }) => {
    const last = JSON.stringify((body["messages"] as unknown[]).at(-1));
    return last.includes("fail") ? { status: 400, body: { error: { message: "no such thing" } } } : undefined;
  });
  const session = await client.createSession(config());
  const failed = session.sendAndWait("fail").catch((error: Error) => error.message);
  const answered = session.sendAndWait("echo after");
  expect(await failed).toContain("no such thing");
  expect((await answered)?.data.content).toBe("after");
});

test("of a prompt that was carried out before is answered with its answer, by whomever it was sent", async () => {
  const session = await client.createSession(config());
  const job = { prompt: "echo job", messageId: "job-1" };
  await session.sendAndWait(job);
  await session.sendAndWait("echo between");
  expect((await session.sendAndWait(job, 5000))?.data.content).toBe("job");
  const worker = await world.connectDirectly().resumeSession(session.sessionId, config());
  expect((await worker.sendAndWait(job, 5000))?.data.content).toBe("job");
  expect(await promptsOf(session)).toEqual(["echo job", "echo between"]);
});

test("of a prompt that is being carried out already is answered with its answer", async () => {
  const session = await client.createSession(config());
  const job = { prompt: "tool lookup 2", messageId: "job-2" };
  const answers = await Promise.all([session.sendAndWait(job), session.sendAndWait(job)]);
  expect(answers.map((answer) => answer?.data.content)).toEqual(["done", "done"]);
});

test("of a prompt that failed before rejects as it did", async () => {
  world.model.use(() => ({ status: 400, body: { error: { message: "no such thing" } } }));
  const session = await client.createSession(config());
  const job = { prompt: "fail", messageId: "job-3" };
  await expect(session.sendAndWait(job)).rejects.toThrow("no such thing");
  await expect(session.sendAndWait(job, 5000)).rejects.toThrow("no such thing");
});

test("of a prompt that an abort took out of the queue before ends without an answer", async () => {
  const session = await client.createSession(config());
  world.model.use([{ hang: true }]);
  const running = session.sendAndWait("echo running", Number.POSITIVE_INFINITY);
  await world.model.until(({ requests }) => requests.length === 1);
  const job = { prompt: "echo job", messageId: "job-4" };
  await session.send(job);
  await session.abort();
  await running;
  expect(await session.sendAndWait(job, Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(await promptsOf(session)).toEqual(["echo running"]);
});

test("of a prompt that an abort takes out of the queue while the connection is lost ends without an answer", async () => {
  const other = await world.connectDirectly().createSession(config({ sessionId: "s" }));
  world.model.use([{ hang: true }]);
  await other.send("echo running");
  await world.model.until(({ requests }) => requests.length === 1);
  const session = await client.resumeSession("s", { ...config(), continuePendingWork: true });
  const waiting = session.sendAndWait("echo queued", Number.POSITIVE_INFINITY);
  await expect.poll(async () => (await other.rpc.queue.pendingItems()).items.length).toBe(1);
  world.proxy.setRates({ refuse: 1 });
  world.proxy.cutAll();
  await world.proxy.until(({ faults }) => faults.refuse > 0);
  await other.abort();
  world.proxy.setRates({});
  expect(await waiting).toBeUndefined();
  expect(await promptsOf(session)).toEqual(["echo running"]);
});

test("of a prompt that is removed from a queue that a client holds rejects at once, and others wait on", async () => {
  const session = await client.createSession(config({ sessionId: "s" }));
  const other = await world.connectDirectly().resumeSession("s", { ...config(), continuePendingWork: true });
  await other.rpc.queue.setDrainPaused({ paused: true });
  const job = { prompt: "echo job", messageId: "job-5" };
  const removed = session.sendAndWait(job, Number.POSITIVE_INFINITY).catch((error: Error) => error);
  const kept = session.sendAndWait("echo kept", Number.POSITIVE_INFINITY);
  await expect.poll(async () => (await other.rpc.queue.pendingItems()).items.length).toBe(2);
  await other.rpc.queue.removeAt({ id: "job-5" });
  const error = await removed;
  expect(error).toBeInstanceOf(PromptRemovedError);
  expect(error).toMatchObject({ name: "PromptRemovedError", messageId: "job-5" });
  expect(error).not.toHaveProperty("maybeDone");
  world.proxy.cutAll();
  await other.rpc.queue.setDrainPaused({ paused: false });
  expect((await kept)?.data.content).toBe("kept");
  expect(await promptsOf(session)).toEqual(["echo kept"]);
});

test("of a prompt that is removed behind a turn rejects when the turn is over", async () => {
  let release: (() => void) | undefined;
  const handler = () => new Promise<string>((resolve) => (release = () => resolve("found")));
  const session = await client.createSession(config({ tools: [defineTool("lookup", { handler })] }));
  const running = session.sendAndWait("tool lookup 1");
  const queued = session.sendAndWait("echo queued", Number.POSITIVE_INFINITY).catch((error: Error) => error);
  await expect.poll(async () => (await session.rpc.queue.pendingItems()).items.length).toBe(1);
  await session.rpc.queue.clear();
  await expect.poll(() => release).toBeDefined();
  release?.();
  expect((await running)?.data.content).toBe("done");
  expect(await queued).toBeInstanceOf(PromptRemovedError);
});

test("of a prompt that waits in a queue that a client holds goes on when the turn before it ends, and when the connection is lost", async () => {
  const session = await client.createSession(config({ sessionId: "s" }));
  const other = await world.connectDirectly().resumeSession("s", { ...config(), continuePendingWork: true });
  await other.rpc.queue.setDrainPaused({ paused: true });
  const waiting = session.sendAndWait("echo queued", Number.POSITIVE_INFINITY);
  await expect.poll(async () => (await other.rpc.queue.pendingItems()).items.length).toBe(1);
  const { accepted } = world.proxy;
  world.proxy.cutAll();
  await world.proxy.until((proxy) => proxy.accepted > accepted);
  await session.getEvents();
  await other.rpc.queue.setDrainPaused({ paused: false });
  expect((await waiting)?.data.content).toBe("queued");
});

test("that begin while the session is resumed for one more object have their own answers, and errors", async () => {
  world.model.use(({ body }) => {
    const last = JSON.stringify((body["messages"] as unknown[]).at(-1));
    return last.includes("fail") ? { status: 401, body: { error: { message: "no such thing" } } } : undefined;
  });
  const session = await client.createSession(config({ sessionId: "s" }));
  for (let round = 0; round < 8; round++) {
    const ask = (prompt: string) =>
      session.sendAndWait({ prompt, messageId: `${prompt.replaceAll(" ", "-")}-${round}` }, 10_000);
    const waits = [
      ask("echo first"),
      ask("fail").catch((error: Error) => error.message),
      ask(`tool lookup ${round}`),
    ];
    const [more, ...outcomes] = await Promise.all([client.resumeSession("s", config()), ...waits]);
    const [first, failed, looked] = outcomes as [{ data: object }, string, { data: object }];
    expect([first.data, looked.data]).toMatchObject([{ content: "first" }, { content: "done" }]);
    expect(failed).toContain("no such thing");
    await more.disconnect();
  }
});

test("a resume in the tick in which the last object is left has the session", async () => {
  const session = await client.createSession(config({ sessionId: "s" }));
  const [again] = await Promise.all([client.resumeSession("s", config()), session.disconnect()]);
  expect((await again.sendAndWait("echo again"))?.data.content).toBe("again");
});
