/** A server in a process of its own that can be weighed: its memory after a full collection, and what it holds open. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { COMMAND } from "./servers.ts";

export interface Weight {
  readonly rssMb: number;
  /** What of that is not a file of the system's: the heap, what libraries and V8 allocated, what they did not return. */
  readonly anonymousMb: number;
  readonly heapMb: number;
  /** Outside the heap: all of it, and what array buffers hold of it. */
  readonly externalMb: number;
  readonly buffersMb: number;
  readonly descriptors: number;
  readonly children: number;
  readonly files: number;
  readonly logBytes: number;
}

export interface WeighedServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly log: () => string;
  /** After a full collection. */
  weigh(): Promise<Weight>;
}

/** Collects everything twice, then tells; the server knows nothing of it. */
const WEIGHS = `process.on("SIGUSR2", async () => {
  gc(); await new Promise(setImmediate); gc();
  process.send(process.memoryUsage());
});`;

const MB = 1024 * 1024;

/** @param path a folder of its own: the home, temporary files and the log are below it. */
export async function startWeighedServer(
  path: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<WeighedServer> {
  const at = (name: string) => join(path, name);
  for (const name of ["home", "temp"]) await mkdir(at(name));
  const errors = openSync(at("stderr.log"), "a");
  const preload = `data:text/javascript,${encodeURIComponent(WEIGHS)}`;
  const child = spawn(
    process.execPath,
    ["--expose-gc", "--import", preload, COMMAND, "--headless", "--port", "0", ...flags],
    {
      env: { PATH: process.env.PATH, HOME: at("home"), COPILOT_HOME: at("home"), TMPDIR: at("temp"), ...env },
      stdio: ["ignore", "pipe", errors, "ipc"],
    },
  );
  closeSync(errors);
  const exited = once(child, "exit");
  const log = () => readFileSync(at("stderr.log"), "utf8");
  const port = await portOf(child, log);
  const pid = child.pid as number;
  return {
    ...{ port, pid, log },
    weigh: async () => {
      const answer = once(child, "message");
      child.kill("SIGUSR2");
      const [memory] = (await answer) as [NodeJS.MemoryUsage];
      return {
        rssMb: memory.rss / MB,
        anonymousMb: anonymousKb(pid) / 1024,
        heapMb: memory.heapUsed / MB,
        externalMb: memory.external / MB,
        buffersMb: memory.arrayBuffers / MB,
        descriptors: (await readdir(`/proc/${pid}/fd`)).length,
        children: childrenOf(pid),
        files: (await filesBelow(at("home"))) + (await filesBelow(at("temp"))),
        logBytes: (await stat(at("stderr.log"))).size,
      };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function portOf(child: ChildProcess, log: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      const match = /listening on port (\d+)/.exec(text);
      if (match) resolve(Number(match[1]));
    });
    child.once("exit", () => reject(new Error(`the server ended before it listened: ${text}${log()}`)));
  });
}

function anonymousKb(pid: number): number {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function childrenOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).length;
}

async function filesBelow(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).length;
}
