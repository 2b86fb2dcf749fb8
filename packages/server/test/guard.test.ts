/**
 * What a turn, a delta, a session and a start may cost, counted and not timed: the same on every
 * machine. When one of these grows, somebody decided so, or something slipped.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import v8 from "node:v8";
import vm from "node:vm";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import { overriding } from "./support/overriding.ts";
import { COMMAND, startServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

/** A world with counters: bytes and messages on the wire, appends and lines in the store. */
async function countedWorld() {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  const counts = { appends: 0, lines: 0, messages: 0, bytes: 0, requests: 0, requestBytes: 0 };
  const memory = createMemoryStore();
  const log = overriding(memory.log, {
    append: (...args) => {
      counts.appends += 1;
      counts.lines += args[1].length;
      return memory.log.append(...args);
    },
  });
  const server = await startServer(home.path, { store: { ...memory, log } });
  const client = await server.connect();
  client.stream.on("data", (chunk: Buffer) => {
    counts.bytes += chunk.length;
    counts.messages += chunk.toString("latin1").split("Content-Length:").length - 1;
  });
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const create = (sessionId: string, more: object = {}) =>
    client.request("session.create", {
      sessionId,
      model: "scripted",
      streaming: true,
      provider,
      availableTools: ["custom:*"],
      ...more,
    });
  const during = async (work: () => Promise<unknown>) => {
    const before = { ...counts };
    await work();
    return Object.fromEntries(
      Object.entries(counts).map(([name, value]) => [name, value - before[name as keyof typeof before]]),
    ) as typeof counts;
  };
  return {
    client,
    create,
    during,
    model,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const forget = (client: WireClient) => client.events.clear();

describe("a turn", () => {
  test("costs two writes to the store, and as many messages and bytes on the wire after fifty turns as after one", async () => {
    await using world = await countedWorld();
    await world.create("turns");
    await world.client.ask("turns", "echo warm up");
    const early = await world.during(() => world.client.ask("turns", "echo the same"));
    for (let turn = 0; turn < 50; turn += 1) await world.client.ask("turns", "echo in between");
    const late = await world.during(() => world.client.ask("turns", "echo the same"));
    expect({ appends: early.appends, messages: early.messages }).toEqual({ appends: 2, messages: 14 });
    expect(early.lines).toBeLessThanOrEqual(6);
    expect({ appends: late.appends, lines: late.lines, messages: late.messages }).toEqual({
      appends: early.appends,
      lines: early.lines,
      messages: early.messages,
    });
    // Counters in usage figures get longer; nothing else does.
    expect(Math.abs(late.bytes - early.bytes)).toBeLessThan(64);
    expect(early.bytes).toBeLessThan(5000);
  });

  test("costs no more when the files around the session are looked at again", async () => {
    await using world = await countedWorld();
    await world.create("looks");
    await world.client.ask("looks", "echo warm up");
    // What was seen is trusted for a second: some of these turns come after it.
    const startedMs = performance.now();
    while (performance.now() - startedMs < 2500) {
      const { appends } = await world.during(() => world.client.ask("looks", "echo the same"));
      expect(appends).toBe(2);
    }
  });

  test("with a client's tool costs five writes to the store", async () => {
    await using world = await countedWorld();
    const tool = {
      name: "lookup",
      description: "x",
      parameters: { type: "object", properties: {} },
      skipPermission: true,
    };
    await world.create("tool", { tools: [tool] });
    await world.client.ask("tool", "echo warm up");
    const { appends } = await world.during(async () => {
      await world.client.request("session.send", { sessionId: "tool", prompt: "tool lookup 1" });
      const { data } = await world.client.event("tool", "external_tool.requested");
      const answer = { sessionId: "tool", requestId: data.requestId, result: "found" };
      const before = world.client.of("tool").length;
      await world.client.request("session.tools.handlePendingToolCall", answer);
      await world.client.event("tool", "session.idle", before);
    });
    expect(appends).toBeLessThanOrEqual(5);
  });

  test("of a session where nobody has hooks costs nothing for them; where somebody has, a request and two events each", async () => {
    await using world = await countedWorld();
    world.client.answers.set("hooks.invoke", () => ({}));
    await world.create("plain", { hooks: false });
    await world.client.ask("plain", "echo warm up");
    const { appends, messages } = await world.during(() => world.client.ask("plain", "echo the same"));
    expect({ appends, messages }).toEqual({ appends: 2, messages: 14 });
    await world.create("hooked", { hooks: true });
    await world.client.ask("hooked", "echo warm up");
    const hooked = await world.during(() => world.client.ask("hooked", "echo the same"));
    // A plain turn has three.
    expect(hooked.messages - messages).toBe(3 * 3);
    expect(hooked.appends - appends).toBeLessThanOrEqual(4);
  });
});

test("a delta is one event, and no write to the store", async () => {
  await using world = await countedWorld();
  await world.create("deltas");
  await world.client.ask("deltas", "words 10");
  const few = await world.during(() => world.client.ask("deltas", "words 100"));
  const many = await world.during(() => world.client.ask("deltas", "words 1100"));
  expect(many.appends).toBe(few.appends);
  // Progress is told once every few kilobytes.
  expect(many.messages - few.messages).toBeLessThanOrEqual(1000 + 5);
  expect(many.messages - few.messages).toBeGreaterThanOrEqual(1000);
});

test("a session that was used keeps less than 12.5 KiB of objects", async () => {
  await using world = await countedWorld();
  const use = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      await world.create(`s${index}`);
      await world.client.ask(`s${index}`, "echo hi");
    }
    forget(world.client);
    (world.model.requests as unknown[]).length = 0;
    for (let round = 0; round < 4; round += 1) collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await use(0, 50);
  const after = await use(50, 250);
  expect((after - before) / 200).toBeLessThan(12.5 * 1024);
}, 60_000);

test("a start loads our one file and nothing of others'", async () => {
  const dist = join(dirname(COMMAND), "..", "dist");
  const seen = new Set<string>();
  const packages = new Set<string>();
  let bytes = 0;
  const visit = async (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await readFile(join(dist, file), "utf8");
    bytes += text.length;
    for (const [, target] of text.matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)";?$/gm)) {
      if (!target) continue;
      if (target.startsWith("./")) await visit(target.slice(2));
      else if (!target.startsWith("node:")) packages.add(target);
    }
  };
  await visit("rightseat.js");
  const builtIn = (await import("node:module")).builtinModules;
  expect([...packages].filter((name) => !builtIn.includes(name))).toEqual([]);
  expect(bytes).toBeLessThan(0.8 * 1024 * 1024);
  expect(seen.size).toBeLessThan(20);
});
