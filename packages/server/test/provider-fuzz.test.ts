/**
 * What comes in from providers, bent: good streams of all wires are cut, doubled, reordered and sent in pieces of one
 * byte. Each seed is a session whose first answer is bent; its turn ends, and it takes the next message.
 * RIGHTSEAT_FUZZ_SEEDS says how many seeds a wire has; a failure names its seed.
 */
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { Session } from "node:inspector/promises";
import type { AddressInfo } from "node:net";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pick, seeded } from "./support/random.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

/** What all seeds of a wire may leave in the memory of this process, where the server is: code, and what its caches are allowed. */
const MAX_LEFT_BYTES = 16 * 1024 * 1024;

const SEEDS = Number(process.env["RIGHTSEAT_FUZZ_SEEDS"] ?? 12);
/** How many sessions run at a time. */
const AT_ONCE = 12;

const WIRES = {
  completions: { type: "openai", wireApi: "completions" },
  responses: { type: "openai", wireApi: "responses" },
  azure: { type: "azure", wireApi: "completions" },
  messages: { type: "anthropic" },
} as const;
type Wire = keyof typeof WIRES;

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let front: ReturnType<typeof createServer>;
let url: string;
/** The good stream of each wire. */
const recorded = new Map<string, Buffer>();
/** By prompt: what its first answer is. */
const bent = new Map<string, { wire: Wire; seed: number }>();

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  front = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  server = await startServer(home.path);
  client = await server.connect();
});
afterAll(async () => {
  await client.close();
  await server.shutdown();
  front.closeAllConnections();
  front.close();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const name = /fuzz-(\w+)-(\d+)/.exec(body.toString())?.[0];
  const bend = name === undefined ? undefined : bent.get(name);
  if (name !== undefined) bent.delete(name);
  if (bend) return sendBent(response, recorded.get(bend.wire) as Buffer, bend.seed);
  const { method, headers, url: path } = request;
  forward(`${model.url}${path}`, { method, headers }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    const bytes: Buffer[] = [];
    reply.on("data", (part: Buffer) => bytes.push(part));
    reply.on("end", () => {
      const wire = /record-(\w+)/.exec(body.toString())?.[1];
      if (wire !== undefined && !recorded.has(wire)) recorded.set(wire, Buffer.concat(bytes));
      response.end(Buffer.concat(bytes));
    });
  }).end(body);
}

type Bend = (stream: Buffer, random: () => number) => Buffer;
const at = (stream: Buffer, random: () => number) => Math.floor(random() * stream.length);
const events = (stream: Buffer) => stream.toString("latin1").split("\n\n");
const joined = (list: readonly string[]) => Buffer.from(list.join("\n\n"), "latin1");
const BENDS: readonly Bend[] = [
  (stream, random) => stream.subarray(0, at(stream, random)),
  (stream, random) => {
    const [from, to] = [at(stream, random), at(stream, random)].sort((a, b) => a - b) as [number, number];
    return Buffer.concat([stream.subarray(0, to), stream.subarray(from)]);
  },
  (stream, random) => {
    const list = events(stream);
    const [a, b] = [Math.floor(random() * list.length), Math.floor(random() * list.length)];
    [list[a], list[b]] = [list[b] as string, list[a] as string];
    return joined(list);
  },
  (stream, random) => {
    const list = events(stream);
    list.splice(Math.floor(random() * list.length), 1);
    return joined(list);
  },
  (stream, random) => joined(events(stream).flatMap((event) => (random() < 0.3 ? [event, event] : [event]))),
  (stream, random) => {
    const changed = Buffer.from(stream);
    for (let times = 0; times < 3; times += 1) changed[at(stream, random)] = Math.floor(random() * 256);
    return changed;
  },
  (stream) => stream,
];

async function sendBent(response: ServerResponse, good: Buffer, seed: number): Promise<void> {
  const random = seeded(seed);
  const stream = pick(random, BENDS)(good, random);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.on("error", () => undefined);
  response.flushHeaders();
  const isCutUp = random() < 0.3;
  const step = isCutUp ? 1 : 1 + Math.floor(random() * stream.length);
  for (let from = 0; from < stream.length && !response.destroyed; from += step) {
    response.write(stream.subarray(from, from + step));
    if (isCutUp) await new Promise(setImmediate);
  }
  if (random() < 0.2) response.destroy();
  else response.end();
}

async function create(wire: Wire, sessionId: string): Promise<string> {
  await client.request("session.create", {
    sessionId,
    model: "scripted",
    streaming: true,
    provider: {
      ...WIRES[wire],
      baseUrl: wire === "messages" || wire === "azure" ? url : `${url}/v1`,
      apiKey: "k",
    },
    workingDirectory: home.work,
    availableTools: [],
  });
  return sessionId;
}

/** @returns what went wrong, or nothing. */
async function trySeed(wire: Wire, seed: number): Promise<string[]> {
  const name = `fuzz-${wire}-${seed}`;
  bent.set(name, { wire, seed });
  const sessionId = await create(wire, name);
  await client.request("session.send", { sessionId, prompt: name });
  await client.event(sessionId, "session.idle");
  const next = await client.ask(sessionId, "and now?");
  const bugs = client
    .of(sessionId)
    .filter(
      ({ type, data }) => type === "session.error" && /TypeError|Cannot read|internal/i.test(data.message),
    )
    .map(({ data }) => `${name}: ${data.message}`);
  const wasBent = bent.has(name) ? [`${name}: was not asked for`] : [];
  await client.request("session.delete", { sessionId });
  return [
    ...bugs,
    ...wasBent,
    ...(next === "fine" ? [] : [`${name}: the next message was answered by ${next}`]),
  ];
}

/** Objects, and what they hold outside the heap, after a full collection. */
async function bytesInUse(): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test.each(Object.keys(WIRES) as Wire[])(
  "a bent stream ends its turn, and the session takes the next message: %s",
  async (wire) => {
    model.use([
      {
        reasoning: "Let me think: ü✓",
        text: "I look it up. ü✓",
        toolCalls: [
          { name: "look", arguments: { key: "ü✓" } },
          { name: "look", arguments: { key: 2 } },
        ],
      },
      { text: "recorded" },
    ]);
    expect(await client.ask(await create(wire, `record-${wire}`), `record-${wire}`)).toBe("recorded");
    model.use(() => ({ text: "fine" }));
    const before = await bytesInUse();
    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
    const problems: string[] = [];
    const work = async () => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
        problems.push(...(await trySeed(wire, seed)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(problems).toEqual([]);
    expect(server.log.filter(({ level }) => level === "error")).toEqual([]);
    model.forget();
    expect((await bytesInUse()) - before).toBeLessThan(MAX_LEFT_BYTES);
  },
  60_000 + SEEDS * 2_000,
);
