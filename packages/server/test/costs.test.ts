/**
 * What a turn and a createSession ask of the system and of Node, counted in the built server. None of it depends on the
 * clock or on the machine. A bound that is passed says that a line has become dearer: find out by what.
 * A figure that falls is to be written down here, so that it does not rise again unseen.
 */
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { type Costs, startCountedServer, TIMES } from "./support/counted-server.ts";
import { tempHome } from "./support/servers.ts";

/** By then all that is loaded late is there. */
const WARM = 40;

/** Node's own share of promises, ticks and objects differs from one major version to the next. */
const COUNTED_IN = "20";

/** The most of each that there may be. What is not named may not be at all. */
const TURN: Costs = {
  files: { access: 2, existsSync: 2, write: 2 },
  resources: {
    ...{ PROMISE: 185, TickObject: 14, Timeout: 3, Immediate: 6, Microtask: 2 },
    ...{ FSREQCALLBACK: 4, HTTPCLIENTREQUEST: 1, TCPWRAP: 1 },
  },
  io: { reads: 9, writes: 12, readBytes: 1_200, writtenBytes: 21_000 },
  allocatedBytes: 490_000,
  clientBytes: 4_900,
};

const CREATE: Costs = {
  files: {
    ...{
      access: 1,
      existsSync: 1,
      open: 2,
      openSync: 2,
      closeSync: 1,
      writeSync: 1,
      writeFileSync: 1,
      write: 1,
    },
    ...{ realpath: 1, mkdir: 1, renameSync: 1, fsync: 2, close: 2 },
  },
  resources: {
    ...{ PROMISE: 112, TickObject: 2, Immediate: 4, Microtask: 2, RANDOMBYTESREQUEST: 1 },
    ...{ FSREQCALLBACK: 9, FSREQPROMISE: 1 },
  },
  io: { reads: 13, writes: 15, readBytes: 800, writtenBytes: 1_700 },
  allocatedBytes: 210_000,
  clientBytes: 900,
};

const NOTHING = { files: {}, resources: {}, io: {}, all: {} };

/** What there is more of than there may be. */
function above({ files, resources, io, allocatedBytes, clientBytes }: Costs, bounds: Costs): object {
  const over = (costs: object, most: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(costs).filter(([name, value]) => value > (most[name] ?? 0)));
  const isCounted = process.versions.node.startsWith(`${COUNTED_IN}.`);
  return {
    files: over(files, bounds.files),
    resources: isCounted ? over(resources, bounds.resources) : {},
    io: over(io, bounds.io),
    all: over(
      { clientBytes, ...(isCounted ? { allocatedBytes } : {}) },
      { clientBytes: bounds.clientBytes, allocatedBytes: bounds.allocatedBytes },
    ),
  };
}

async function startWorld() {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  const server = await startCountedServer(home);
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  return {
    server,
    model,
    create: (sessionId: string) =>
      server.client.request("session.create", {
        sessionId,
        model: "scripted",
        streaming: true,
        provider,
        workingDirectory: home.work,
        availableTools: ["custom:*"],
        infiniteSessions: { enabled: false },
      }),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(process.platform !== "linux")("in the built server", () => {
  test("a turn and a createSession ask no more of the system and of Node than they did", async () => {
    await using world = await startWorld();
    const turn = await costOfTurn(world);
    const create = await costOfCreate(world);
    expect(above(turn, TURN)).toEqual(NOTHING);
    expect(above(create, CREATE)).toEqual(NOTHING);
  });

  test("a turn of a long session whose conversation is sent whole makes no more objects than an early one", async () => {
    await using world = await startWorld();
    const { client, costOf } = world.server;
    await world.create("long");
    for (let index = 0; index < WARM; index += 1) await client.ask("long", "echo warm up");
    const early = await costOf(() => client.ask("long", "echo the same"));
    // What is encoded anew for each request shows in its objects, long before it takes long.
    for (let index = 0; index < 20; index += 1) await client.ask("long", `echo ${"much ".repeat(3_000)}`);
    const late = await costOf(() => client.ask("long", "echo the same"));
    expect(late.io["writtenBytes"]).toBeGreaterThan(20 * 15_000);
    expect(late.allocatedBytes).toBeLessThan(early.allocatedBytes * 1.25);
  });
});

type World = Awaited<ReturnType<typeof startWorld>>;

async function costOfTurn({ server, model, create }: World): Promise<Costs> {
  await create("turns");
  const turn = () => server.client.ask("turns", "echo the same");
  for (let index = 0; index < WARM; index += 1) await turn();
  const before = model.requests.length;
  const costs = await server.costOf(turn);
  expect(model.requests.length - before).toBe(TIMES);
  return costs;
}

async function costOfCreate({ server, create }: World): Promise<Costs> {
  for (let index = 0; index < WARM; index += 1) await create(`before-${index}`);
  return server.costOf((index) => create(`session-${index}`));
}
