/** Commands that the model left running, as clients see them. */
import { describe, expect, test } from "vitest";
import { type Fields, useHookWorld } from "./support/hook-world.ts";

const world = useHookWorld();
let made = 0;

/** The model starts the command; the run ends. */
async function start(command: string, more: object = { mode: "async" }) {
  const sessionId = `t${made++}`;
  await world.client.request("session.create", { ...world.settings, hooks: false, sessionId });
  const call = (method: string, params: object = {}): Promise<Fields> =>
    world.client.request(`session.${method}`, { sessionId, ...params });
  await call("permissions.setMode", { mode: "allow-all" });
  const args = { command, description: "in the background", shellId: "job", ...more };
  world.model.use([{ toolCalls: [{ name: "bash", arguments: args }] }, { words: ["started"] }]);
  await world.client.ask(sessionId, "go");
  const read = (params: object = {}) => call("tasks.readOutput", { id: "job", ...params });
  return { call, read };
}

describe("session.tasks", () => {
  test("lists a command that runs in the background, and ends it", async () => {
    const { call } = await start("echo begun; sleep 600");
    expect((await call("tasks.list")).tasks).toEqual([
      {
        type: "shell",
        id: "job",
        description: "in the background",
        status: "running",
        startedAt: expect.any(String),
        command: "echo begun; sleep 600",
        attachmentMode: "detached",
        executionMode: "background",
        canPromoteToBackground: false,
        pid: expect.any(Number),
      },
    ]);
    await expect
      .poll(async () => (await call("tasks.getProgress", { id: "job" })).progress)
      .toMatchObject({ type: "shell", recentOutput: "begun\n" });
    expect(await call("tasks.cancel", { id: "job" })).toEqual({ cancelled: true });
    expect((await call("tasks.list")).tasks).toMatchObject([
      { status: "cancelled", completedAt: expect.any(String) },
    ]);
    expect(await call("tasks.cancel", { id: "job" })).toEqual({ cancelled: false });
  });

  test("lists one that took longer than its call waited, and none that its call has told of", async () => {
    const longer = await start("sleep 600", { initial_wait: 0 });
    expect((await longer.call("tasks.list")).tasks).toMatchObject([{ id: "job", status: "running" }]);
    await longer.call("tasks.cancel", { id: "job" });
    const told = await start("echo done", {});
    expect((await told.call("tasks.list")).tasks).toEqual([]);
  });

  test("reads its output piece by piece, waiting for what comes, to its end", async () => {
    const { read } = await start("read a; echo one $a; read b; echo two $b; exit 3");
    expect(await read()).toMatchObject({ text: "" });
    const { cursor: begun } = await read();
    const waited = read({ cursor: begun, waitMs: 30_000 });
    world.model.use([
      { toolCalls: [{ name: "write_bash", arguments: { shellId: "job", input: "x{enter}", delay: 0 } }] },
      { words: ["written"] },
    ]);
    await world.client.ask(`t${made - 1}`, "write");
    const { text, cursor, exit } = await waited;
    expect({ text, exit }).toEqual({ text: "one x\n", exit: undefined });
    world.model.use([
      { toolCalls: [{ name: "write_bash", arguments: { shellId: "job", input: "y{enter}", delay: 0 } }] },
      { words: ["written"] },
    ]);
    await world.client.ask(`t${made - 1}`, "write");
    let last: Fields = { cursor };
    let rest = "";
    while (last.exit === undefined) {
      last = await read({ cursor: last.cursor, waitMs: 30_000 });
      rest += last.text;
    }
    expect(rest).toBe("two y\n");
    expect(last.exit).toEqual({ status: "failed", exitCode: 3 });
    expect(await read({ cursor: last.cursor })).toEqual({ text: "", cursor: last.cursor, exit: last.exit });
    expect((await read()).text).toBe("one x\ntwo y\n");
  });

  test("reads a large output in whole lines of at most 64 KiB", async () => {
    const { read } = await start('for i in $(seq 9000); do echo "$i"ü0123456789012345; done');
    await expect
      .poll(async () => (await read()).exit === undefined && (await read()).text.length)
      .toBeGreaterThan(0);
    const parts: string[] = [];
    let last: Fields = {};
    while (last.exit === undefined) {
      last = await read({ cursor: last.cursor, waitMs: 1000 });
      parts.push(last.text);
    }
    expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(65_536);
    const lines = parts.join("").split("\n");
    expect(lines.slice(0, 2)).toEqual(["1ü0123456789012345", "2ü0123456789012345"]);
    expect(lines).toHaveLength(9001);
  });

  test("begins with what is kept of an output that is larger, and refuses what is not", async () => {
    const { read } = await start("read a; head -c 600000 /dev/zero | tr '\\0' x; echo; echo end");
    const { cursor } = await read();
    world.model.use([
      { toolCalls: [{ name: "write_bash", arguments: { shellId: "job", input: "{enter}", delay: 0 } }] },
      { words: ["written"] },
    ]);
    await world.client.ask(`t${made - 1}`, "write");
    await expect
      .poll(async () => {
        const { tasks } = await world.client.request("session.tasks.list", { sessionId: `t${made - 1}` });
        return tasks[0].status;
      })
      .toBe("completed");
    await expect(read({ cursor })).rejects.toMatchObject({ data: { path: "cursor" } });
    let last: Fields = {};
    let text = "";
    while (last.exit === undefined) {
      last = await read({ cursor: last.cursor });
      text += last.text;
    }
    expect(text).toMatch(/^x{131000,262144}\nend\n$/);
  });

  test.each([
    [{ id: "other" }, "id"],
    [{ cursor: "no cursor" }, "cursor"],
    [{ cursor: "1.0" }, "cursor"],
  ])("refuses to read %j", async (params, path) => {
    const { call, read } = await start("sleep 600");
    await expect(read(params)).rejects.toMatchObject({ data: { reason: "invalid_params", path } });
    const { cursor } = await read();
    await expect(read({ cursor: `${cursor}9` })).rejects.toMatchObject({ data: { path: "cursor" } });
    await call("tasks.cancel", { id: "job" });
  });
});
