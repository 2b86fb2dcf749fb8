/** What waits for its turn, as applications see it and change it. */
import { expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const enterWorld = shareRuntime();

const contents = (seen: SeenEvents) => seen.of("user.message").map(({ data }) => data.content);

test("prompts that wait are listed, moved, changed and removed, and run in the order that this leaves", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));
  const { queue } = session.rpc;
  await queue.setDrainPaused({ paused: true });
  const ids: string[] = [];
  for (const word of ["a", "b", "c", "d"]) ids.push(await session.send({ prompt: `echo ${word}` }));
  const [a = "", b = "", c = "", d = ""] = ids;
  expect(await queue.moveItem({ id: c, toPosition: 0 })).toEqual({ changed: true });
  expect(await queue.updateText({ id: b, prompt: "echo bee" })).toEqual({ updated: true });
  expect(await queue.removeAt({ id: a })).toEqual({ removed: true });
  await queue.insertAt({ position: 1, message: { prompt: "echo between" } });
  expect(await queue.removeMostRecent()).toMatchObject({ removed: true });
  await queue.duplicateAt({ id: d });
  expect((await queue.pendingItems()).items.map(({ displayText }) => displayText)).toEqual([
    "echo c",
    "echo bee",
    "echo d",
    "echo d",
  ]);
  await expect(queue.removeAt({ id: "nothing" })).rejects.toThrow(/id/);
  expect(contents(seen)).toEqual([]);
  await queue.setDrainPaused({ paused: false });
  await seen.until("user.message", 4);
  expect(contents(seen)).toEqual(["echo c", "echo bee", "echo d", "echo d"]);
  await seen.until("session.idle");
  expect((await queue.pendingItems()).items).toEqual([]);
});

test("a prompt that waits is sent into the turn in progress", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const asked = createGate();
  const answer = createGate();
  world.model.use(async (_request, index) => {
    if (index > 0) return undefined;
    asked.open();
    await answer.opened;
    return { text: "first" };
  });
  const session = await client.createSession(world.session(seen));
  await session.send({ prompt: "echo begin" });
  await asked.opened;
  await session.send({ prompt: "echo later" });
  const id = await session.send({ prompt: "echo now" });
  expect(await session.rpc.queue.sendNow({ id })).toEqual({ steered: true });
  expect((await session.rpc.queue.pendingItems()).steeringMessages).toEqual(["echo now"]);
  answer.open();
  await seen.until("session.idle");
  expect(contents(seen)).toEqual(["echo begin", "echo now", "echo later"]);
});

test("what waits, waits on after kill -9 and runs when the session is resumed", async () => {
  await using world = await startWorld();
  const client = await world.connect(newestSdk);
  const session = await client.createSession(world.session(new SeenEvents()));
  await session.rpc.queue.setDrainPaused({ paused: true });
  const id = await session.send({ prompt: "echo one" });
  await session.send({ prompt: "echo two" });
  await session.rpc.queue.updateText({ id, prompt: "echo changed" });
  await world.restart("SIGKILL");
  const again = await world.connect(newestSdk);
  const seen = new SeenEvents();
  await again.resumeSession(session.sessionId, world.session(seen));
  await seen.until("user.message", 2);
  expect(contents(seen)).toEqual(["echo changed", "echo two"]);
  await seen.until("session.idle");
  expect(toldToModel(world.model.requests.at(-1))).toEqual([
    "user: echo changed",
    "assistant: changed",
    "user: echo two",
  ]);
});
