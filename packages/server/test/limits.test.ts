/** How much tenants and the server may do: what is over the limit is refused at once, and says for how long. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test, vi } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { Retention } from "../src/limits/retention.ts";
import { createFileStore } from "../src/store/files/file-store.ts";
import { startServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const acme = createToken();
const globex = createToken();

/** Where sessions work, beside the home. */
const workOf = (home: string) => join(home, "..", "work");

async function serve(home: string, limits: unknown, env: Record<string, string> = {}) {
  const file = join(home, "rightseat.json");
  const auth = {
    principals: [
      { name: "acme", tenant: "acme", tokens: [{ sha256: acme.sha256 }] },
      { name: "globex", tenant: "globex", tokens: [{ sha256: globex.sha256 }] },
    ],
  };
  await writeFile(file, JSON.stringify({ auth, limits }));
  const flags = [...(env.COPILOT_PROVIDER_BASE_URL ? [] : ["--demo"]), "--config", file];
  const server = await startServer(home, { flags, env, pace: { storedBytesKeptMs: 1 } });
  const connect = async (token: string): Promise<WireClient> => {
    const client = await server.connect();
    await client.request("connect", { token });
    return client;
  };
  const rewrite = async (changed: unknown) => {
    await writeFile(file, JSON.stringify({ auth, limits: changed }));
    server.reload();
  };
  return { server, connect, rewrite };
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: { data?: Record<string, unknown> }) => error.data,
  );

describe("limits of a tenant", () => {
  test("open sessions: one too many is refused, other tenants go on, and closing one makes room", async () => {
    await using home = await tempHome();
    const { server, connect } = await serve(home.path, { default: { openSessions: 2 } });
    await using _ = server;
    const [one, other] = [await connect(acme.token), await connect(globex.token)];
    const created = await Promise.all(
      Array.from({ length: 10 }, () => refusal(one.request("session.create", { model: "demo" }))),
    );
    const refused = created.filter((data) => data !== undefined);
    expect(refused).toHaveLength(8);
    for (const data of refused)
      expect(data).toMatchObject({
        reason: "limit_exceeded",
        limit: "openSessions",
        max: 2,
        retryAfterMs: 1000,
      });
    await other.request("session.create", { model: "demo" });
    const { sessions } = await one.request("session.list");
    await one.request("session.detach", { sessionId: sessions[0].sessionId });
    await one.request("session.create", { model: "demo" });
    expect(await refusal(one.request("session.resume", { sessionId: sessions[0].sessionId }))).toMatchObject({
      limit: "openSessions",
    });
    await Promise.all([one.close(), other.close()]);
  });

  test("prompts a minute: refused before they are in the log, with the time to wait", async () => {
    await using home = await tempHome();
    const { server, connect, rewrite } = await serve(home.path, { tenants: { acme: { turnsPerMinute: 2 } } });
    await using _ = server;
    const client = await connect(acme.token);
    const { sessionId } = await client.request("session.create", { model: "demo" });
    await client.ask(sessionId, "one");
    await client.ask(sessionId, "two");
    const refused = await refusal(client.request("session.send", { sessionId, prompt: "three" }));
    expect(refused).toMatchObject({ reason: "limit_exceeded", limit: "turnsPerMinute", max: 2 });
    expect(refused?.retryAfterMs).toBeGreaterThan(0);
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(60_000);
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(JSON.stringify(events)).not.toContain("three");
    await rewrite({ tenants: { acme: { turnsPerMinute: 3 } } });
    expect(await client.ask(sessionId, "three")).toBeDefined();
    await client.close();
  });

  test("tokens a day: the prompt after the one that used them up is refused", async () => {
    await using home = await tempHome();
    const { server, connect } = await serve(home.path, { default: { tokensPerDay: 10 } });
    await using _ = server;
    const client = await connect(acme.token);
    const { sessionId } = await client.request("session.create", { model: "demo" });
    await client.ask(sessionId, "hello there, how are you?");
    expect(await refusal(client.request("session.send", { sessionId, prompt: "more" }))).toMatchObject({
      limit: "tokensPerDay",
    });
    await client.close();
  });

  test("stored bytes, and the size of a message", async () => {
    await using home = await tempHome();
    const { server, connect } = await serve(home.path, {
      tenants: { acme: { storedBytes: 1 }, globex: { messageBytes: 2_000 } },
    });
    await using _ = server;
    const [full, terse] = [await connect(acme.token), await connect(globex.token)];
    // Nothing is stored yet: the first is made, and uses the place up.
    const { sessionId } = await full.request("session.create", { model: "demo" });
    await expect
      .poll(() => refusal(full.request("session.send", { sessionId, prompt: "hello" })), {
        timeout: 20_000,
      })
      .toMatchObject({ limit: "storedBytes" });
    await expect(terse.request("ping", { message: "x".repeat(3_000) })).rejects.toMatchObject({
      data: { reason: "frame_too_large" },
    });
    await Promise.all([full.close(), terse.close()]);
  });

  test("bytes a second: what comes faster is read later, others are served meanwhile, and nothing is lost", async () => {
    await using home = await tempHome();
    const { server, connect } = await serve(home.path, { tenants: { acme: { bytesPerSecond: 100_000 } } });
    await using _ = server;
    const [fast, other] = [await connect(acme.token), await connect(globex.token)];
    const message = "x".repeat(50_000);
    let answered = 0;
    const pings = Array.from({ length: 40 }, async () => {
      await fast.request("ping", { message });
      answered += 1;
    });
    const all = Promise.allSettled(pings);
    const { sessionId } = await other.request("session.create", { model: "demo" });
    await other.ask(sessionId, "hello");
    // 2 MB take twenty seconds; a turn does not.
    expect(answered).toBeLessThan(40);
    await expect.poll(() => answered, { timeout: 20_000 }).toBeGreaterThan(4);
    await Promise.all([fast.close(), other.close()]);
    await all;
  });

  test("runs at once: refused while they run, taken when they have ended", async () => {
    await using home = await tempHome();
    const model = await startScriptedModelServer({ script: [{ hang: true }] });
    try {
      const { server, connect } = await serve(
        home.path,
        { default: { runningTurns: 1 } },
        { COPILOT_PROVIDER_BASE_URL: model.url, COPILOT_MODEL: "gpt-4o" },
      );
      await using _ = server;
      const client = await connect(acme.token);
      const [first, second] = [
        (await client.request("session.create", {})).sessionId,
        (await client.request("session.create", {})).sessionId,
      ];
      await client.request("session.send", { sessionId: first, prompt: "take your time" });
      await model.until((now) => now.requests.length === 1);
      expect(
        await refusal(client.request("session.send", { sessionId: second, prompt: "echo hi" })),
      ).toMatchObject({
        limit: "runningTurns",
      });
      await client.request("session.abort", { sessionId: first });
      expect(await client.ask(second, "echo hi")).toBeDefined();
      await client.close();
    } finally {
      await model.close();
    }
  });
});

describe("child processes", () => {
  async function world(home: string, childProcesses: number) {
    const model = await startScriptedModelServer();
    const served = await serve(
      home,
      { tenants: { acme: { childProcesses } } },
      { COPILOT_PROVIDER_BASE_URL: model.url, COPILOT_MODEL: "gpt-4o", PATH: process.env.PATH ?? "" },
    );
    const client = await served.connect(acme.token);
    const create = async (fields: object = {}): Promise<string> => {
      const { sessionId } = await client.request("session.create", {
        workingDirectory: workOf(home),
        ...fields,
      });
      await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
      return sessionId;
    };
    const results = (sessionId: string, after = 0) =>
      client
        .of(sessionId)
        .slice(after)
        .filter(({ type }) => type === "tool.execution_complete")
        .map(({ data }) => data);
    return {
      ...served,
      model,
      client,
      create,
      results,
      exec: (sessionId: string, command: string) =>
        client.request("session.shell.exec", { sessionId, command }),
      [Symbol.asyncDispose]: async () => {
        await client.close();
        await served.server.shutdown();
        await model.close();
      },
    };
  }
  const bash = (command: string, more: object = {}) => ({
    name: "bash",
    arguments: { command, description: "", ...more },
  });
  const TOO_MANY = { reason: "limit_exceeded", limit: "childProcesses", retryAfterMs: 1000 };

  test("people's: one too many is refused, other tenants go on, and one that ends makes room", async () => {
    await using home = await tempHome();
    await using own = await world(home.path, 2);
    const { client, exec } = own;
    const [a, b] = [await own.create(), await own.create()];
    const { processId } = await exec(a, "sleep 1000");
    await exec(b, "sleep 1000");
    expect(await refusal(exec(a, "echo no"))).toMatchObject({ ...TOO_MANY, max: 2 });
    const asked = client.request("session.shell.executeUserRequested", {
      sessionId: a,
      requestId: "r",
      command: "echo no",
    });
    expect(await refusal(asked)).toMatchObject(TOO_MANY);
    expect(own.results(a).at(-1)).toMatchObject({ success: false, isUserRequested: true });
    const stranger = await own.connect(globex.token);
    const { sessionId: theirs } = await stranger.request("session.create", { workingDirectory: home.work });
    await stranger.request("session.shell.exec", { sessionId: theirs, command: "true" });
    await stranger.close();

    await client.request("session.shell.kill", { sessionId: a, processId, signal: "SIGKILL" });
    await expect.poll(() => refusal(exec(a, "sleep 1000"))).toBeUndefined();
    // A session's commands end with it.
    await client.request("session.delete", { sessionId: b });
    expect(await refusal(exec(a, "true"))).toBeUndefined();
  });

  test("a model's: refused as a result that it reads, in every session of the tenant", async () => {
    await using home = await tempHome();
    await using own = await world(home.path, 2);
    const [a, b] = [await own.create(), await own.create()];
    own.model.use([
      { toolCalls: [1, 2, 3].map((n) => bash(`sleep 1000; echo ${n}`, { mode: "async" })) },
      { text: "done" },
      { toolCalls: [bash("echo no")] },
      { text: "done" },
    ]);
    await own.client.ask(a, "start three");
    const refused = own.results(a).filter(({ success }) => !success);
    expect(own.results(a)).toHaveLength(3);
    expect(refused).toMatchObject([{ error: { code: "limit_exceeded" } }]);
    expect(refused[0].error.message).toContain("2 commands are running; end some first");
    expect(JSON.stringify(own.model.requests[1]?.body)).toContain("2 commands are running; end some first");
    await own.client.ask(b, "start one");
    expect(own.results(b)).toMatchObject([{ success: false, error: { code: "limit_exceeded" } }]);
    await own.client.request("session.detach", { sessionId: a });
    // Its commands end with it; what they are told has to reach them first.
    await expect.poll(() => refusal(own.exec(b, "true")), { timeout: 5_000 }).toBeUndefined();
    own.model.use([{ toolCalls: [bash("echo yes")] }, { text: "done" }]);
    await own.client.ask(b, "again");
    expect(own.results(b).at(-1)).toMatchObject({ success: true });
  });

  test("one after the other is never one too many; what a command leaves behind counts until it is gone", async () => {
    await using home = await tempHome();
    await using own = await world(home.path, 1);
    const session = await own.create();
    const calls = Array.from({ length: 5 }, (_, n) => ({ toolCalls: [bash(`echo ${n}`)] }));
    own.model.use([
      ...calls,
      { toolCalls: [bash("sleep 1000 > /dev/null 2>&1 & echo $!")] },
      { text: "done" },
    ]);
    await own.client.ask(session, "count");
    expect(own.results(session).map(({ success }) => success)).toEqual(Array(6).fill(true));
    const left = Number(/\d+/.exec(own.results(session).at(-1).result.content)?.[0]);
    expect(await refusal(own.exec(session, "true"))).toMatchObject(TOO_MANY);
    process.kill(left, "SIGKILL");
    await expect.poll(() => refusal(own.exec(session, "true")), { timeout: 5_000 }).toBeUndefined();
  });

  test("git for what changed counts, and gives its place back", async () => {
    await using home = await tempHome();
    await using own = await world(home.path, 1);
    const session = await own.create();
    const diff = (sessionId: string) =>
      own.client.request("session.workspaces.diff", { sessionId, mode: "unstaged" });
    for (let n = 0; n < 3; n += 1) expect(await refusal(diff(session))).toBeUndefined();
    const { processId } = await own.exec(session, "sleep 1000");
    expect(await refusal(diff(session))).toMatchObject(TOO_MANY);
    const without = await own.create({ enableHostGitOperations: false });
    expect(await refusal(diff(without))).toBeUndefined();
    await own.client.request("session.shell.kill", { sessionId: session, processId, signal: "SIGKILL" });
    await expect.poll(() => refusal(diff(session)), { timeout: 5_000 }).toBeUndefined();
  });

  test("hooks of the repository count: one that cannot be run denies the call that it guards", async () => {
    await using home = await tempHome();
    await mkdir(join(home.work, ".github", "hooks"), { recursive: true });
    await writeFile(
      join(home.work, ".github", "hooks", "guard.json"),
      JSON.stringify({ version: 1, hooks: { preToolUse: [{ type: "command", bash: "exit 0" }] } }),
    );
    await using own = await world(home.path, 1);
    const session = await own.create({ enableFileHooks: true });
    own.model.use([
      { toolCalls: [bash("echo a")] },
      { text: "done" },
      { toolCalls: [bash("echo b")] },
      { text: "done" },
    ]);
    await own.client.ask(session, "go");
    expect(own.results(session).at(-1)).toMatchObject({ success: true });
    const { processId } = await own.exec(session, "sleep 1000");
    await own.client.ask(session, "go");
    expect(own.results(session).at(-1)).toMatchObject({ success: false });
    expect(JSON.stringify(own.results(session).at(-1))).toContain("the hook could not be run");
    await own.client.request("session.shell.kill", { sessionId: session, processId, signal: "SIGKILL" });
  });
});

describe("limits of the server", () => {
  test("a full server lets runs wait, in fair turn between tenants, and refuses what would wait too long", async () => {
    await using home = await tempHome();
    const model = await startScriptedModelServer({ script: () => ({ hang: true }) });
    try {
      const { server, connect } = await serve(
        home.path,
        { server: { runningTurns: 1, waitingTurns: 3 } },
        { COPILOT_PROVIDER_BASE_URL: model.url, COPILOT_MODEL: "gpt-4o" },
      );
      await using _ = server;
      const [busy, small] = [await connect(acme.token), await connect(globex.token)];
      const sessions: string[] = [];
      for (let n = 0; n < 4; n += 1) sessions.push((await busy.request("session.create", {})).sessionId);
      const { sessionId: single } = await small.request("session.create", {});
      for (const sessionId of sessions.slice(0, 3))
        await busy.request("session.send", { sessionId, prompt: "take your time" });
      await small.request("session.send", { sessionId: single, prompt: "just one" });
      const [, , , fourth] = sessions;
      expect(
        await refusal(busy.request("session.send", { sessionId: fourth, prompt: "too many" })),
      ).toMatchObject({
        reason: "limit_exceeded",
        limit: "waitingTurns",
        retryAfterMs: 1000,
      });
      await model.until((now) => now.requests.length === 1);
      // The first place that is free goes to the tenant that has none.
      await busy.request("session.abort", { sessionId: sessions[0] });
      await model.until((now) => now.requests.length === 2);
      expect(JSON.stringify(model.requests[1]?.body)).toContain("just one");
      // One that waits can be aborted without ever having run.
      const before = busy.of(sessions[2] as string).length;
      await busy.request("session.abort", { sessionId: sessions[2] });
      await busy.event(sessions[2] as string, "session.idle", before);
      model.use(undefined);
      await small.request("session.abort", { sessionId: single });
      await busy.event(sessions[1] as string, "session.idle");
      expect(model.requests).toHaveLength(3);
      await Promise.all([busy.close(), small.close()]);
    } finally {
      await model.close();
    }
  });
});

describe("retention", () => {
  test("sessions that nobody used for too long are deleted, tenant by tenant; open ones are not", async () => {
    await using home = await tempHome();
    const store = createFileStore({ home: home.path, durability: "os" });
    const day = 24 * 60 * 60_000;
    const now = Date.parse("2026-06-01T00:00:00Z");
    const summary = (sessionId: string, daysOld: number) => {
      const modifiedTime = new Date(now - daysOld * day).toISOString();
      return { sessionId, startTime: modifiedTime, modifiedTime };
    };
    for (const tenant of ["acme", "globex"]) {
      for (const [id, age] of [
        ["old", 40],
        ["open", 40],
        ["new", 5],
      ] as const)
        await store.ownership.release(
          await store.ownership.create({ tenant, sessionId: id }, summary(id, age)),
        );
    }
    const deleted: [string, number][] = [];
    const retention = new Retention({
      catalogue: store.catalogue,
      retentionDays: (tenant) => (tenant === "acme" ? 30 : undefined),
      isOpen: ({ sessionId }) => sessionId === "open",
      delete: (key) => store.ownership.delete(key),
      onDeleted: (tenant, sessions) => deleted.push([tenant, sessions]),
      onError: (error) => {
        throw error;
      },
    });
    await retention.look(now);
    retention.close();
    expect(deleted).toEqual([["acme", 1]]);
    expect((await store.catalogue.list("acme")).map(({ sessionId }) => sessionId).sort()).toEqual([
      "new",
      "open",
    ]);
    expect(await store.catalogue.list("globex")).toHaveLength(3);
    await store.close();
  });

  test("on a full disk they are deleted, too", async () => {
    await using home = await tempHome();
    const store = createFileStore({ home: home.path, durability: "os" });
    const longAgo = "2020-01-01T00:00:00Z";
    for (const sessionId of ["old-1", "old-2"]) {
      const summary = { sessionId, startTime: longAgo, modifiedTime: longAgo };
      await store.ownership.release(await store.ownership.create({ tenant: "default", sessionId }, summary));
    }
    await store.close();
    const file = join(home.work, "config.json");
    await writeFile(file, JSON.stringify({ limits: { tenants: { default: { retentionDays: 30 } } } }));
    // No file of this process grows from here on.
    const mayGrow = (bytes: "0" | "unlimited") =>
      execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:`]);
    mayGrow("0");
    try {
      await using server = await startServer(home.path, {
        flags: ["--config", file],
        pace: { retentionMs: 50 },
        storeKind: "files",
      });
      await vi.waitUntil(
        async () => !(await readdir(join(home.path, "session-state"))).some((name) => name.startsWith("old")),
        { timeout: 30_000 },
      );
      await vi.waitUntil(() => server.log.some(({ message }) => message === "old sessions were deleted"));
      expect(server.log.filter(({ message }) => message.includes("could not be deleted"))).toEqual([]);
    } finally {
      mayGrow("unlimited");
    }
  });
});
