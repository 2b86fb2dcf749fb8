/**
 * Hours, or a few seconds: sessions that talk, run commands, delegate, are compacted, rewound, aborted, lost and
 * resumed, sleep and are deleted. After each round, with everything deleted, the server is weighed. What it holds open
 * and keeps on the disk is as before; its memory does not grow from the first quarter of the rounds to the last.
 *
 * `npm run test:long` takes an hour; RIGHTSEAT_SOAK_MINUTES says for how long, RIGHTSEAT_SOAK_SEED for which lives,
 * RIGHTSEAT_SOAK_ENV (JSON) what the server has in its environment besides.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type MixedLoad, type Step, seededSteps, startMixedLoad } from "./support/mixed-load.ts";
import { seeded } from "./support/random.ts";
import { tempHome } from "./support/servers.ts";
import { startWeighedServer, type WeighedServer, type Weight } from "./support/weighed-server.ts";

const MINUTES = Number(process.env["RIGHTSEAT_SOAK_MINUTES"] ?? 0);
const SEED = Number(process.env["RIGHTSEAT_SOAK_SEED"] ?? 1);
const ENVIRONMENT = JSON.parse(process.env["RIGHTSEAT_SOAK_ENV"] ?? "{}") as Record<string, string>;
const SESSIONS_AT_ONCE = 4;
const STEPS_OF_A_LIFE = 12;
const ROUND_MS = 30_000;
/** The server collects its memory in quiet moments, some seconds after work. */
const QUIET_MS = 8_000;
const FLAGS = ["--allow-all", "--hibernate-after", "1", "--http-port", "0", "--shutdown-grace", "1"];

/** What is there or is not; figures of memory are judged over many rounds. */
const held = ({ descriptors, children, files, logBytes }: Weight) => ({
  descriptors,
  children,
  files,
  logBytes,
});

async function atRest(server: WeighedServer, expected: ReturnType<typeof held>): Promise<void> {
  await withLog(server, expected.logBytes, () =>
    expect.poll(async () => held(await server.weigh()), { timeout: 60_000 }).toEqual(expected),
  );
}

const MOST_SHOWN_BYTES = 20_000;

/** A failure says which lines the server wrote since its log had so many bytes; the whole log is kept in a file. */
async function withLog(server: WeighedServer, fromByte: number, check: () => unknown): Promise<void> {
  try {
    await check();
  } catch (error) {
    const since = Buffer.from(server.log()).subarray(fromByte);
    if (since.length === 0) throw error;
    const path = join(tmpdir(), `rightseat-soak-${process.pid}.log`);
    writeFileSync(path, server.log());
    (error as Error).message +=
      `\nlines of the server since (all of them are in ${path}):\n${since.subarray(0, MOST_SHOWN_BYTES)}`;
    throw error;
  }
}

const SHORT: readonly Step[] = ["talk", "stream", "shell", "largeOutput", "subAgent", "compact", "rewind"];
const SHORT_TOO: readonly Step[] = ["files", "abort", "loseConnection", "read"];

test("a few lives of sessions leave nothing behind", { timeout: 60_000 }, async () => {
  await using folder = await tempHome();
  await using server = await startWeighedServer(folder.path, FLAGS);
  await using load = await startMixedLoad(server.port, folder.work);
  const lives = async (round: number) => {
    await Promise.all([SHORT, SHORT_TOO].map((steps, n) => load.live(`${round}-${n}`, steps, seeded(n))));
  };
  await lives(1);
  await expect.poll(async () => (await server.weigh()).children).toBe(0);
  const before = held(await server.weigh());
  await lives(2);
  await atRest(server, before);
});

async function round(load: MixedLoad, random: () => number, name: string): Promise<void> {
  const end = Date.now() + ROUND_MS;
  const work = async (_: unknown, worker: number) => {
    for (let life = 0; Date.now() < end; life += 1)
      await load.live(`${name}-${worker}-${life}`, seededSteps(random, STEPS_OF_A_LIFE), random);
  };
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, work));
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

/** The middle one: a figure of memory jumps when one chunk more or less is given back. */
function median(weights: readonly Weight[], name: keyof Weight): number {
  const sorted = weights.map((weight) => weight[name]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const show = (name: string, weight: Weight) =>
  process.stderr.write(
    `${name}: ${Object.entries(weight)
      .map(([figure, value]) => `${figure} ${Math.round(value * 10) / 10}`)
      .join(", ")}\n`,
  );

test.runIf(MINUTES > 0)(
  `${MINUTES} minutes of them leave nothing behind, and memory stays as it was`,
  { timeout: (MINUTES + 5) * 60_000 },
  async () => {
    await using folder = await tempHome();
    await using server = await startWeighedServer(folder.path, FLAGS, ENVIRONMENT);
    await using load = await startMixedLoad(server.port, folder.work);
    const random = seeded(SEED);
    const weights: Weight[] = [];
    show("start", await server.weigh());
    for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
      await round(load, random, String(weights.length));
      weights.push(await server.weigh());
      show(`round ${weights.length}`, weights.at(-1) as Weight);
    }
    const quarter = Math.ceil(weights.length / 4);
    const [first, last] = [weights.slice(0, quarter), weights.slice(-quarter)];
    const before = held(first.at(-1) as Weight);
    await withLog(server, before.logBytes, () => expect(last.map(held)).toEqual(last.map(() => before)));
    const grown = (name: keyof Weight) => median(last, name) / median(first, name);
    // Code that is compiled and the allocator's own settle over the first hour.
    expect(grown("heapMb")).toBeLessThan(1.15);
    expect(grown("rssMb")).toBeLessThan(1.2);
    expect(median(last, "externalMb") - median(first, "externalMb")).toBeLessThan(2);
  },
);
