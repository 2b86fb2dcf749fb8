/** What another client takes back, and writes after that, is told to a client that was away, or reads slowly. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CopilotSession, SessionEvent } from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const saidIn = (events: readonly SessionEvent[]) =>
  events.flatMap((event) =>
    event.type === "user.message" || event.type === "assistant.message" ? [event.data.content] : [],
  );
const idsOf = (events: readonly SessionEvent[]) =>
  events.filter(({ ephemeral }) => ephemeral !== true).map(({ id }) => id);

async function takeBack(session: CopilotSession, prompt: string): Promise<void> {
  const events = await session.getEvents();
  const found = events.find((event) => event.type === "user.message" && event.data.content === prompt);
  await session.rpc.history.truncate({ eventId: found?.id as string });
}

/** Each event once, and those that the log still has in its order. */
async function expectOnceInOrder(told: readonly SessionEvent[], session: CopilotSession): Promise<void> {
  const ids = idsOf(told);
  expect(new Set(ids).size).toBe(ids.length);
  const logged = idsOf(await session.getEvents());
  const inLog = new Set(logged);
  expect(ids.filter((id) => inLog.has(id))).toEqual(logged);
}

const AWAY: [what: string, prompts: string[], back: string[], after: string[]][] = [
  ["the last turn", ["echo a", "echo b"], ["echo b"], ["echo c"]],
  ["everything", ["echo a", "echo b"], ["echo a"], ["echo c", "echo d"]],
  [
    "twice, the second time what was said anew",
    ["echo a", "echo b"],
    ["echo b", "echo c"],
    ["echo c", "echo d"],
  ],
  ["nothing, but far more was said than a page holds", ["echo a"], [], Array(60).fill("echo more")],
];
test.each(AWAY)(
  "a client that was away while another took back %s is told what was written then",
  async (_what, prompts, back, after) => {
    const mine = witness(world.model, { sessionId: "s" });
    const session = await world.connect().createSession(mine.config);
    for (const prompt of prompts) await session.sendAndWait(prompt);
    world.proxy.setRates({ refuse: 1 });
    world.proxy.cutAll();
    const other = await world.connectDirectly().resumeSession("s", witness(world.model).config);
    for (const [at, prompt] of after.entries()) {
      const taken = back[at];
      if (taken) await takeBack(other, taken);
      await other.sendAndWait(prompt);
    }
    world.proxy.setRates({});
    await session.sendAndWait("echo last");
    await expectOnceInOrder(mine.events, session);
    expect(saidIn(mine.events).slice(-2)).toEqual(["echo last", "last"]);
  },
);

test.each(["start", "now"] as const)(
  "a reader from %s that is slow is told what was written after others took back what it had not read",
  async (from) => {
    const mine = witness(world.model, { sessionId: "s" });
    const session = await world.connect().createSession(mine.config);
    const stream = session.events({ from, bufferSize: 2 });
    for (const prompt of ["echo a", "echo b", "tool lookup 2"]) await session.sendAndWait(prompt);
    const read: SessionEvent[] = [];
    const readOn = async (count: number) => {
      for (let at = 0; at < count; at++) {
        const { value } = await stream.next();
        if (value) read.push(value);
      }
    };
    await readOn(3);
    const other = await world.connectDirectly().resumeSession("s", witness(world.model).config);
    await takeBack(other, "tool lookup 2");
    await other.sendAndWait("echo c");
    await readOn(1);
    world.proxy.cutAll();
    await other.sendAndWait("echo d");
    const last = idsOf(await session.getEvents()).at(-1);
    while (read.at(-1)?.id !== last) await readOn(1);
    await stream.return();
    await expectOnceInOrder(from === "start" ? read : mine.events, session);
    expect(saidIn(read).slice(-4)).toEqual(["echo c", "c", "echo d", "d"]);
    expect(new Set(idsOf(read)).size).toBe(idsOf(read).length);
  },
);
