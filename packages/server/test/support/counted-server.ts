/** A server in a process of its own that counts what it does: calls of the system and of Node, and what it allocates. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { COMMAND, type TempHome } from "./servers.ts";
import { connectTcp, type WireClient } from "./wire-client.ts";

type Counts = Readonly<Record<string, number>>;

export interface Costs {
  /** Calls of `node:fs`, by name. */
  readonly files: Counts;
  /** What Node made, by the names of `node:async_hooks`: promises, timers, ticks, requests to files. */
  readonly resources: Counts;
  /** Calls of the system that read or write, sockets included, and their bytes. */
  readonly io: Counts;
  /** Bytes of objects; buffers are outside the heap. */
  readonly allocatedBytes: number;
  /** What the client read. */
  readonly clientBytes: number;
}

const PROBE = fileURLToPath(new URL("./counting-probe.js", import.meta.url));
/** Enough that no collection comes between two looks. */
const YOUNG_MB = 64;
/** Looks at the counts, and pieces of work between two of them. */
const BLOCKS = 9;
const PIECES = 5;
/** How often `costOf` does the work. */
export const TIMES = BLOCKS * PIECES;

export interface CountedServer extends AsyncDisposable {
  readonly client: WireClient;
  /** What a piece of work costs, as a rule: what the server does once a second beside it is not counted. */
  costOf(work: (index: number) => Promise<unknown>): Promise<Costs>;
}

export async function startCountedServer(home: TempHome): Promise<CountedServer> {
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      `--min-semi-space-size=${YOUNG_MB}`,
      `--max-semi-space-size=${YOUNG_MB}`,
      ...["--import", PROBE, COMMAND, "--headless", "--port", "0", "--log-level", "error"],
    ],
    {
      cwd: home.work,
      env: { PATH: process.env.PATH, HOME: home.path, COPILOT_HOME: home.path },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    },
  );
  const exited = once(child, "exit");
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      const match = /listening on port (\d+)/.exec(text);
      if (match) resolve(Number(match[1]));
    });
    void exited.then(() => reject(new Error(`the server ended before it listened: ${text}`)));
  });
  const client = await connectTcp(port);
  let clientBytes = 0;
  client.stream.on("data", (chunk: Buffer) => {
    clientBytes += chunk.length;
  });
  const look = async (): Promise<Costs> => {
    const answer = once(child, "message");
    child.kill("SIGUSR2");
    const [told] = await answer;
    return { ...told, clientBytes };
  };
  return {
    client,
    costOf: async (work) => {
      const blocks: Costs[] = [];
      let index = 0;
      let before = await look();
      for (let block = 0; block < BLOCKS; block += 1) {
        for (let times = 0; times < PIECES; times += 1) await work(index++);
        const after = await look();
        blocks.push(share(before, after, PIECES));
        before = after;
      }
      return medianOf(blocks);
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What came between two looks, for each of `times`; what came seldom is rounded away. */
function share(before: Costs, after: Costs, times: number): Costs {
  return mapCounts([before, after], ([from = 0, to = 0]) => Math.round((to - from) / times));
}

function medianOf(all: readonly Costs[]): Costs {
  return mapCounts(all, (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0);
}

/** The costs that are computed, number by number, from all of these; a count that one of them lacks is 0. */
function mapCounts(all: readonly Costs[], compute: (values: number[]) => number): Costs {
  const group = (name: "files" | "resources" | "io"): Counts => {
    const names = new Set(all.flatMap((costs) => Object.keys(costs[name])));
    const computed = Array.from(names, (key) => [key, compute(all.map((costs) => costs[name][key] ?? 0))]);
    return Object.fromEntries(computed.filter(([, value]) => value !== 0));
  };
  return {
    files: group("files"),
    resources: group("resources"),
    io: group("io"),
    allocatedBytes: compute(all.map((costs) => costs.allocatedBytes)),
    clientBytes: compute(all.map((costs) => costs.clientBytes)),
  };
}
