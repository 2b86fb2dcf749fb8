/** A runtime ends with the application whose SDK started it, and with nobody else who started it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND, type TempHome, tempHome } from "./support/servers.ts";
import { connectTcp } from "./support/wire-client.ts";

/** An application that has the official SDK start a runtime, begins a turn that does not end, and says the runtime's pid. */
const APPLICATION = `
  import { CopilotClient, RuntimeConnection } from ${JSON.stringify(import.meta.resolve("@github/copilot-sdk"))};
  const [kind, path] = process.argv.slice(1);
  const client = new CopilotClient({ connection: RuntimeConnection[kind]({ path }), useLoggedInUser: false });
  await client.start();
  const session = await client.createSession({ onPermissionRequest: () => ({ kind: "approved" }) });
  await session.send({ prompt: "take your time" });
  console.log(client.cliProcess.pid);
`;

/** A program that starts a server for people: it gives the pid and the port, and waits. */
const LAUNCHER = `
  import { spawn } from "node:child_process";
  const [program, ...args] = process.argv.slice(1);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  console.log(child.pid);
  child.stdout.pipe(process.stdout);
`;

let model: ScriptedModelServer;
beforeAll(async () => {
  model = await startScriptedModelServer({ script: () => ({ hang: true }) });
});
afterAll(() => model.close());

const started: number[] = [];
afterAll(() => {
  for (const pid of started) if (isRunning(pid)) process.kill(pid, "SIGKILL");
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function start(program: string, args: readonly string[], home: TempHome): ChildProcess {
  return spawn(program, args, {
    cwd: home.work,
    env: {
      PATH: process.env.PATH,
      HOME: home.work,
      COPILOT_HOME: home.path,
      COPILOT_PROVIDER_BASE_URL: model.url,
      COPILOT_MODEL: "gpt-4o",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const module = (text: string, ...args: string[]) => ["--input-type=module", "-e", text, ...args];

/** The pid of a server, which is said first, and the words that follow it, up to those which match. */
async function announced(child: ChildProcess, pattern?: RegExp): Promise<{ pid: number; found: string }> {
  let pid: number | undefined;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) {
    if (pid === undefined) started.push((pid = Number(line)));
    const found = pattern ? pattern.exec(line)?.[1] : "";
    if (found !== undefined) return { pid, found };
  }
  throw new Error("the program ended before its server was there");
}

/** Kills the application of a runtime that its SDK started, and waits for the runtime's end. */
async function outlive(kind: "forTcp" | "forStdio", home: TempHome): Promise<void> {
  const application = start(process.execPath, module(APPLICATION, kind, COMMAND), home);
  const { pid } = await announced(application);
  application.kill("SIGKILL");
  await expect.poll(() => isRunning(pid), { timeout: 30_000, interval: 50 }).toBe(false);
}

test.each(["forTcp", "forStdio"] as const)(
  "one that the official SDK started %s closes its sessions and ends when the application is killed, in the middle of a turn",
  async (kind) => {
    await using home = await tempHome();
    await outlive(kind, home);
    const sessions = join(home.path, "session-state");
    const [session = ""] = (await readdir(sessions)).filter((name) => !name.includes("."));
    // Written when a session is closed in order.
    expect(await readdir(join(sessions, session))).toContain("checkpoint.json");
  },
);

test("one that a shell, nohup, or another program started stays, whoever closes what it wrote to", async () => {
  await using home = await tempHome();
  const line = [process.execPath, COMMAND, "--headless", "--port", "0"];
  const asIfBySdk = [...line, "--no-auto-update"];
  const shell = (text: string) => ["-c", text, "sh", ...asIfBySdk];
  const files = '> "$COPILOT_HOME/out" 2> "$COPILOT_HOME/error"';
  const port = /listening on port (\d+)/;
  const leftAlone = [
    start("/bin/sh", shell('"$@" & echo $!; wait'), home),
    start("/bin/sh", shell('setsid "$@" & echo $!; wait'), home),
    start(
      "/bin/sh",
      shell(`nohup "$@" ${files} & echo $!; until grep port "$COPILOT_HOME/out"; do sleep 0.1; done`),
      home,
    ),
    start(process.execPath, module(LAUNCHER, ...line), home),
  ];
  const servers = await Promise.all(leftAlone.map((child) => announced(child, port)));
  const gone = leftAlone.map((child) => child.exitCode === null && once(child, "exit"));
  for (const child of leftAlone) {
    child.kill("SIGKILL");
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
  await Promise.all(gone);
  // An application that is killed later: whatever ends its runtime has had time to end these.
  await outlive("forTcp", home);
  for (const { found } of servers) {
    const client = await connectTcp(Number(found));
    await client.request("ping", {});
    await client.close();
  }
});
