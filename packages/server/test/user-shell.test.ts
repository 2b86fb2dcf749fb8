/** Commands that people run in a session, with real processes. */
import { mkdir, readFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const PROVIDER = { type: "openai", baseUrl: "http://127.0.0.1:1/v1", apiKey: "k" };

let home: TempHome;
let server: TestServer;
let client: WireClient;
let made = 0;

beforeAll(async () => {
  home = await tempHome();
  server = await startServer(home.path, {
    flags: ["--pass-environment", "NAMED", "--child-niceness", "7"],
    env: { PATH: process.env.PATH ?? "", MY_TOKEN: "hush", PLAIN: "hush", NAMED: "told" },
  });
  client = await server.connect();
});

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

async function create(fields: object = {}): Promise<string> {
  const sessionId = `s${made++}`;
  const workingDirectory = home.work;
  await client.request("session.create", {
    sessionId,
    model: "m",
    provider: PROVIDER,
    workingDirectory,
    ...fields,
  });
  return sessionId;
}

const exec = async (sessionId: string, command: string, more: object = {}): Promise<string> =>
  (await client.request("session.shell.exec", { sessionId, command, ...more })).processId;

const kill = async (sessionId: string, processId: string, signal?: string): Promise<boolean> =>
  (await client.request("session.shell.kill", { sessionId, processId, signal })).killed;

const ofCall = (sessionId: string, toolCallId: string, type: string) =>
  client
    .of(sessionId)
    .filter((event) => event.type === type && event.data.toolCallId === toolCallId)
    .map((event) => event.data);

/** What a command has shown so far. */
const shown = (sessionId: string, toolCallId: string) =>
  ofCall(sessionId, toolCallId, "tool.execution_partial_result")
    .map((data) => data.partialOutput)
    .join("");

const completion = (sessionId: string, toolCallId: string) =>
  client.until(() =>
    client
      .of(sessionId)
      .find((event) => event.type === "tool.execution_complete" && event.data.toolCallId === toolCallId),
  );

/** The first number that a command shows: the id of a process of its own. */
const pidOf = async (sessionId: string, toolCallId: string): Promise<number> =>
  Number(await client.until(() => /^(\d+)\n/.exec(shown(sessionId, toolCallId))?.[1]));

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when a process is gone; a zombie is. */
async function gone(pid: number): Promise<void> {
  while (runs(pid)) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (/\) Z /.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const LONG = "sleep 1000 & echo $!; wait";

describe("a command in the background", () => {
  test("shows its output as it comes, and its end; its history is nobody's", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, "pwd; echo to-stderr >&2; exit 3");
    const end = await completion(sessionId, processId);
    expect(end).toMatchObject({
      ephemeral: true,
      data: { isUserRequested: true, success: false, shellExecution: { exitCode: 3 } },
    });
    expect(shown(sessionId, processId)).toBe(`${home.work}\nto-stderr\n`);
    const pieces = ofCall(sessionId, processId, "tool.shell_output");
    expect(pieces.map(({ text }) => text).join("")).toBe(`${home.work}\nto-stderr\n`);
    for (const [sequence, piece] of pieces.entries())
      expect(piece).toMatchObject({ sequence, stream: "terminal" });
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(events.map((event: { type: string }) => event.type)).toEqual(["session.start"]);
  });

  test("gives way to the server as the operator says, with all that it starts", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, "nice; (nice)");
    await completion(sessionId, processId);
    const niceness = Math.min(19, getPriority() + 7);
    expect(shown(sessionId, processId)).toBe(`${niceness}\n${niceness}\n`);
  });

  test("runs where it is told, from where the session is", async () => {
    const sessionId = await create();
    await mkdir(join(home.work, "below"));
    const processId = await exec(sessionId, "pwd", { cwd: "below" });
    await completion(sessionId, processId);
    expect(shown(sessionId, processId)).toBe(`${home.work}/below\n`);
    await expect(exec(sessionId, "pwd", { cwd: "/no/such/place" })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "cwd" },
    });
  });

  test("is given what the operator names, and no secret of the server", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, "echo $MY_TOKEN$PLAIN-$NAMED");
    await completion(sessionId, processId);
    expect(shown(sessionId, processId)).toBe("-told\n");
  });

  test("has no limit when the time that it may take is zero", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, "sleep 0.2; echo done", { timeout: 0 });
    expect((await completion(sessionId, processId)).data.success).toBe(true);
    expect(shown(sessionId, processId)).toBe("done\n");
  });

  test("is ended when its time is up, with what it started", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, LONG, { timeout: 300 });
    const pid = await pidOf(sessionId, processId);
    expect((await completion(sessionId, processId)).data.success).toBe(false);
    await gone(pid);
  });

  test.each(["SIGTERM", "SIGINT", "SIGKILL", undefined])(
    "is ended by %s, with what it started",
    async (signal) => {
      const sessionId = await create();
      // SIGINT is ignored by what a shell starts in the background.
      const processId = await exec(sessionId, "echo $BASHPID; exec sleep 1000");
      const pid = await pidOf(sessionId, processId);
      expect(await kill(sessionId, processId, signal)).toBe(true);
      await completion(sessionId, processId);
      await gone(pid);
      expect(await kill(sessionId, processId, signal)).toBe(false);
      expect(await kill(sessionId, "unknown")).toBe(false);
    },
  );

  test("ends with its session", async () => {
    const sessionId = await create();
    const processId = await exec(sessionId, LONG);
    const pid = await pidOf(sessionId, processId);
    const { hasActiveWork } = await client.request("session.metadata.activity", { sessionId });
    expect(hasActiveWork).toBe(true);
    await client.request("session.detach", { sessionId });
    await gone(pid);
  });
});

describe("a command as a call of its own", () => {
  const run = (sessionId: string, requestId: string, command: string) =>
    client.request("session.shell.executeUserRequested", { sessionId, requestId, command });
  const cancel = async (sessionId: string, requestId: string): Promise<boolean> =>
    (await client.request("session.shell.cancelUserRequested", { sessionId, requestId })).cancelled;

  test("is answered with its output, and kept in the history as asked for by the user", async () => {
    const sessionId = await create();
    const result = await run(sessionId, "r", "echo out; echo err >&2");
    expect(result).toEqual({
      toolCallId: expect.any(String),
      success: true,
      output: "out\nerr\n",
      exitCode: 0,
    });
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(events.slice(1)).toMatchObject([
      {
        type: "tool.user_requested",
        data: {
          toolCallId: result.toolCallId,
          toolName: "bash",
          arguments: { command: "echo out; echo err >&2" },
        },
      },
      {
        type: "tool.execution_complete",
        data: {
          toolCallId: result.toolCallId,
          isUserRequested: true,
          success: true,
          result: { content: "out\nerr\n" },
          shellExecution: { exitCode: 0 },
        },
      },
    ]);
  });

  test("that fails says how", async () => {
    const sessionId = await create();
    expect(await run(sessionId, "r", "echo out; exit 2")).toMatchObject({
      success: false,
      output: "out\n",
      exitCode: 2,
      error: expect.stringContaining("2"),
    });
  });

  test("can be cancelled by the client's id of it, and only while it runs", async () => {
    const sessionId = await create();
    expect(await cancel(sessionId, "r")).toBe(false);
    const running = run(sessionId, "r", LONG);
    const { toolCallId } = (await client.event(sessionId, "tool.user_requested")).data;
    const pid = await pidOf(sessionId, toolCallId);
    await expect(run(sessionId, "r", "true")).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "requestId" },
    });
    expect(await cancel(sessionId, "r")).toBe(true);
    expect(await running).toMatchObject({
      success: false,
      output: `${pid}\n`,
      error: expect.stringContaining("cancelled"),
    });
    await gone(pid);
    expect(await cancel(sessionId, "r")).toBe(false);
  });

  test("ends with its session, and its end is in the history before the session's", async () => {
    const sessionId = await create();
    const running = run(sessionId, "r", LONG);
    const { toolCallId } = (await client.event(sessionId, "tool.user_requested")).data;
    const pid = await pidOf(sessionId, toolCallId);
    await client.request("session.detach", { sessionId });
    expect(await running).toMatchObject({ success: false });
    await gone(pid);
    await client.request("session.resume", { sessionId });
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(events.map((event: { type: string }) => event.type)).toEqual([
      "session.start",
      "tool.user_requested",
      "tool.execution_complete",
      "session.shutdown",
      "session.resume",
    ]);
  });

  test("is not told to the model", async () => {
    await using model = await startScriptedModelServer();
    const sessionId = await create({ provider: { ...PROVIDER, baseUrl: `${model.url}/v1` } });
    await run(sessionId, "r", "echo private-output");
    await client.ask(sessionId, "hi");
    expect(JSON.stringify(model.requests)).not.toContain("private-output");
  });
});

test("kill -9 ends people's commands, and the next server says so in the history", async () => {
  await using home = await tempHome();
  const first = await spawnServer(home.path);
  const before = await first.connect();
  await before.request("session.create", { sessionId: "s", model: "m", provider: PROVIDER });
  const cutOff = before
    .request("session.shell.executeUserRequested", { sessionId: "s", requestId: "r", command: LONG })
    .catch(() => "cut off");
  const partial = await before.event("s", "tool.execution_partial_result");
  await first.kill("SIGKILL");
  expect(await cutOff).toBe("cut off");
  await gone(Number(partial.data.partialOutput));

  const second = await spawnServer(home.path);
  const after = await second.connect();
  await after.request("session.resume", { sessionId: "s" });
  const { events } = await after.request("session.getMessages", { sessionId: "s" });
  expect(events.at(-2)).toMatchObject({
    type: "tool.execution_complete",
    data: { toolCallId: partial.data.toolCallId, success: false, error: { code: "interrupted" } },
  });
  await after.close();
  await second.kill("SIGTERM");
});
