/** Each wait for a prompt ends with that prompt's own answer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CopilotClient } from "../src/index.ts";
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
