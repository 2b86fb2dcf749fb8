/** A server in a process of its own, and every place that it writes to; for tests that break those. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { encodeFrame } from "@rightseat/protocol";
import { expect } from "vitest";
import { COMMAND } from "./servers.ts";
import { createSlowDisk, type SlowDisk } from "./slow-disk.ts";
import { connectTcp, type WireClient } from "./wire-client.ts";

export interface WorldOptions {
  /** Where standard error goes: a pipe that is read (default), one that is not, a file, or one that is open for reading. */
  readonly standardError?: "read" | "unread" | "file" | "unwritable";
  /** A file, or a named pipe that is open and not read. */
  readonly auditLog?: "file" | "pipe";
  readonly flags?: readonly string[];
  /** Rights of files count for the server even where the tests run as root. */
  readonly isOrdinaryUser?: boolean;
  /** The folder for temporary files is a disk of its own, which holds so many files. */
  readonly temporaryFiles?: number;
}

export interface World extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly client: WireClient;
  readonly sessionId: string;
  readonly home: string;
  readonly auditLog: string;
  readonly logDir: string;
  readonly temp: string;
  /** The same, as it is for the test where it is a disk of its own. */
  readonly tempOutside: string;
  readonly disk: SlowDisk;
  /** The path of standard error, when it is a file. */
  readonly errorFile: string;
  /** What came on standard error, as far as it is read. */
  errors(): string;
  /** Begins to read the named pipe of the audit log. */
  readAuditPipe(): void;
  /** Answers of the port for operators. */
  page(path: string): Promise<{ status: number; body: string }>;
  /** Sends a prompt; resolves when it was acknowledged, and keeps it in mind. */
  send(prompt: string): Promise<void>;
  /** All that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** Sends the signal; resolves with the exit code, or the signal's name. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
}

/** @param path a folder of its own. */
export async function startWorld(path: string, options: WorldOptions = {}): Promise<World> {
  const at = (name: string) => join(path, name);
  const home = at("home");
  for (const name of [home, at("audit"), at("temp")]) await mkdir(name);
  const auditLog = at("audit/audit.jsonl");
  if (options.auditLog === "pipe") execFileSync("mkfifo", [auditLog]);
  const auditPipe =
    options.auditLog === "pipe" ? openSync(auditLog, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
  const errorFile = at("errors.log");
  const errorDescriptor = openErrors(options.standardError, errorFile);
  const disk = createSlowDisk(at("slow"));
  const flags = ["--headless", "--demo", "--port", "0", "--http-port", "0", ...(options.flags ?? [])];
  if (options.auditLog) flags.push("--audit-log", auditLog);
  const line = [process.execPath, ...disk.nodeFlags, COMMAND, ...flags, "--log-dir", at("logs")];
  const [program, ...args] = [...around(options, at("temp")), ...line];
  const child = spawn(program as string, args, {
    env: { PATH: process.env.PATH, COPILOT_HOME: home, TMPDIR: at("temp") },
    stdio: ["ignore", "pipe", errorDescriptor ?? "pipe"],
  });
  if (errorDescriptor !== undefined) closeSync(errorDescriptor);
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown")),
  );
  let errors = "";
  if (options.standardError !== "unread") child.stderr?.on("data", (chunk) => (errors += chunk));
  const [port, httpPort] = await portsOf(child, exited);
  const client = await connectTcp(port);
  const { sessionId } = await client.request("session.create", { model: "demo" });
  const acknowledged: string[] = [];
  return {
    ...{ child, client, sessionId, auditLog, errorFile, acknowledged, disk },
    ...{ home, logDir: at("logs"), temp: at("temp"), tempOutside: `/proc/${child.pid}/root${at("temp")}` },
    errors: () => errors,
    readAuditPipe: () => void new Socket({ fd: auditPipe }).on("error", () => undefined).resume(),
    page: async (name) => {
      const signal = AbortSignal.timeout(30_000);
      const response = await fetch(`http://127.0.0.1:${httpPort}${name}`, { signal });
      return { status: response.status, body: await response.text() };
    },
    send: async (prompt) => {
      await client.request("session.send", { sessionId, prompt });
      acknowledged.push(prompt);
    },
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function openErrors(kind: WorldOptions["standardError"], path: string): number | undefined {
  if (kind !== "file" && kind !== "unwritable") return undefined;
  closeSync(openSync(path, "a"));
  return openSync(path, kind === "file" ? "a" : "r");
}

/** What stands before the command; it becomes the command, so that its process id is the server's. */
function around({ isOrdinaryUser, temporaryFiles }: WorldOptions, temp: string): string[] {
  const isRoot = process.getuid?.() === 0;
  if (isOrdinaryUser && isRoot) return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  if (temporaryFiles === undefined) return [];
  const mount = `mount -t tmpfs -o nr_inodes=${temporaryFiles + 1} tmpfs "$0" && exec "$@"`;
  return ["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"]), "--mount", "sh", "-c", mount, temp];
}

/** Whether this machine lets the tests have disks of their own. */
export const hasOwnDisks =
  spawnSync("unshare", [
    ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
    ...["--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
  ]).status === 0;

function portsOf(child: ChildProcess, exited: Promise<unknown>): Promise<[number, number]> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      const port = /listening on port (\d+)/.exec(text);
      const httpPort = /metrics on http:\/\/[^:]+:(\d+)/.exec(text);
      if (port && httpPort) resolve([Number(port[1]), Number(httpPort[1])]);
    });
    void exited.then(() => reject(new Error(`the server ended before it listened: ${text}`)));
  });
}

/** Gives the log lines of 20 KB each, which are written at the level "debug". */
export function fillLog({ client }: World, lines = 100): void {
  for (let count = 0; count < lines; count++) {
    const method = `none-${"x".repeat(20_000)}`;
    client.stream.write(encodeFrame(JSON.stringify({ jsonrpc: "2.0", method })));
  }
}

/** Looks again and again, for as long as a machine that is busy may take. */
export const until = (condition: () => Promise<boolean> | boolean): Promise<void> =>
  expect.poll(condition, { timeout: 30_000, interval: 50 }).toBe(true);
