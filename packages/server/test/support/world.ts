/** A server in a process of its own, and every place that it writes to; for tests that break those. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { encodeFrame } from "@rightseat/protocol";
import { expect } from "vitest";
import { COMMAND } from "./servers.ts";
import { connectTcp, type WireClient } from "./wire-client.ts";

export interface WorldOptions {
  /** Where standard error goes: a pipe that is read (default), one that is not, or a file. */
  readonly standardError?: "read" | "unread" | "file";
  /** A file, or a named pipe that is open and not read. */
  readonly auditLog?: "file" | "pipe";
  readonly flags?: readonly string[];
}

export interface World extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly client: WireClient;
  readonly sessionId: string;
  readonly home: string;
  readonly auditLog: string;
  readonly logDir: string;
  readonly temp: string;
  /** Of standard error, when it is a file. */
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
  for (const name of ["home", "audit", "temp"]) await mkdir(at(name));
  const auditLog = at("audit/audit.jsonl");
  if (options.auditLog === "pipe") execFileSync("mkfifo", [auditLog]);
  const auditPipe =
    options.auditLog === "pipe" ? openSync(auditLog, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
  const errorFile = at("errors.log");
  const errorDescriptor = options.standardError === "file" ? openSync(errorFile, "a") : undefined;
  const flags = ["--headless", "--demo", "--port", "0", "--http-port", "0", ...(options.flags ?? [])];
  if (options.auditLog) flags.push("--audit-log", auditLog);
  const child = spawn(process.execPath, [COMMAND, ...flags, "--log-dir", at("logs")], {
    env: { PATH: process.env.PATH, COPILOT_HOME: at("home"), TMPDIR: at("temp") },
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
    ...{ child, client, sessionId, auditLog, errorFile, acknowledged },
    ...{ home: at("home"), logDir: at("logs"), temp: at("temp") },
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
