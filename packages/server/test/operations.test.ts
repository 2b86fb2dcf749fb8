/** The port for operators: alive, ready, measured. */
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import { StoreError } from "../src/store/store-error.ts";
import { overriding } from "./support/overriding.ts";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";

const FLAGS = ["--demo", "--http-port", "0"];

async function get(port: number | undefined, path: string, timeoutMs = 5_000) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(timeoutMs) });
  return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
}

describe("the HTTP port", () => {
  test("is off unless it is asked for", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"] });
    expect(server.httpPort).toBeUndefined();
  });

  test("tells that the server lives, that it is ready, and what it is", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: FLAGS });
    expect(await get(server.httpPort, "/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    const ready = await get(server.httpPort, "/readyz");
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toEqual({
      ready: true,
      checks: { draining: "ok", eventLoop: "ok", store: "ok" },
    });
    expect(JSON.parse((await get(server.httpPort, "/version")).body)).toMatchObject({
      version: "0.0.0-test",
      protocolVersion: 3,
    });
    expect(await get(server.httpPort, "/nothing")).toMatchObject({ status: 404 });
    const posted = await fetch(`http://127.0.0.1:${server.httpPort}/healthz`, { method: "POST" });
    expect(posted.status).toBe(405);
  });

  test("is not ready while the store takes no writes, and ready again after", async () => {
    await using home = await tempHome();
    let why: StoreError | undefined;
    const check = async () => {
      if (why) throw why;
    };
    const store = { ...createMemoryStore(), check };
    await using server = await startServer(home.path, { flags: FLAGS, store });
    expect((await get(server.httpPort, "/readyz")).status).toBe(200);
    why = new StoreError("unavailable", "no space left on the device");
    const bad = await until(async () => {
      const answer = await get(server.httpPort, "/readyz");
      return answer.status === 503 && answer;
    });
    expect(JSON.parse(bad.body).checks.store).toBe("no space left on the device");
    why = undefined;
    await until(async () => (await get(server.httpPort, "/readyz")).status === 200);
  });

  test("what the store refuses in the middle of a call is a typed error, not an unexpected one", async () => {
    await using home = await tempHome();
    let why: StoreError | undefined;
    const memory = createMemoryStore();
    const catalogue = overriding(memory.catalogue, {
      list: async (...args) => {
        if (why) throw why;
        return memory.catalogue.list(...args);
      },
    });
    const log = overriding(memory.log, {
      read: (...args) => {
        if (why) throw why;
        return memory.log.read(...args);
      },
    });
    await using server = await startServer(home.path, {
      flags: ["--demo"],
      store: { ...memory, catalogue, log },
    });
    const client = await server.connect();
    const { sessionId } = await client.request("session.create", { model: "demo" });
    why = new StoreError("unavailable", "no space left on the device");
    for (const method of ["session.list", "session.getMessages"])
      await expect(client.request(method, { sessionId })).rejects.toMatchObject({
        data: { reason: "storage_unavailable" },
      });
    why = new StoreError("not-found", "it is gone");
    await expect(client.request("session.getMessages", { sessionId })).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
    expect(server.log.filter(({ level }) => level === "error")).toEqual([]);
    await client.close();
  });

  test("notices a home that cannot be written", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: FLAGS, storeKind: "files" });
    const client = await server.connect();
    await client.request("session.create", { model: "demo" });
    // A file where the home should be: nobody, whatever their rights, can write into that.
    await rename(home.path, `${home.path}-away`);
    await writeFile(home.path, "");
    await until(async () => (await get(server.httpPort, "/readyz")).status === 503);
    await rm(home.path);
    await rename(`${home.path}-away`, home.path);
    await until(async () => (await get(server.httpPort, "/readyz")).status === 200);
    await client.close();
  });

  test("an event loop that stood still is told of, and forgotten", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: FLAGS });
    expect((await get(server.httpPort, "/readyz")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const until1200 = performance.now() + 1_200;
    while (performance.now() < until1200);
    const bad = await get(server.httpPort, "/readyz");
    expect(bad.status).toBe(503);
    expect(JSON.parse(bad.body).checks.eventLoop).toMatch(/stood still for \d+ ms/);
    await until(async () => (await get(server.httpPort, "/readyz")).status === 200);
  });

  test("a server whose process is stopped answers nothing, and goes on when it is woken", async () => {
    await using home = await tempHome();
    const server = await spawnServer(home.path, FLAGS);
    try {
      const port = Number(/metrics on http:\/\/[^:]+:(\d+)/.exec(await output(server.output))?.[1]);
      expect((await get(port, "/readyz")).status).toBe(200);
      server.child.kill("SIGSTOP");
      await expect(get(port, "/readyz", 1_000)).rejects.toThrow(/timeout|aborted/i);
      server.child.kill("SIGCONT");
      await until(async () => (await get(port, "/readyz")).status === 200);
    } finally {
      await server.kill("SIGKILL");
    }
  });

  test.runIf(process.platform === "linux")(
    "costs a server with nothing to do next to no wake-ups",
    async () => {
      await using home = await tempHome();
      const server = await spawnServer(home.path, FLAGS);
      try {
        const port = Number(/metrics on http:\/\/[^:]+:(\d+)/.exec(await output(server.output))?.[1]);
        expect((await get(port, "/metrics")).status).toBe(200);
        const wakeUps = async () => {
          const status = await readFile(`/proc/${server.child.pid}/status`, "utf8");
          return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
        };
        const before = await wakeUps();
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        // A monitor with the library's resolution makes three hundred of them.
        expect((await wakeUps()) - before).toBeLessThan(90);
      } finally {
        await server.kill("SIGKILL");
      }
    },
  );

  test("metrics count connections, sessions, runs, tokens and errors, by tenant and model", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: FLAGS });
    const client = await server.connect();
    const { sessionId } = await client.request("session.create", { model: "demo" });
    await client.ask(sessionId, "hello");
    await client.request("session.send", { sessionId: randomUUID(), prompt: "x" }).catch(() => undefined);
    const { body, type } = await get(server.httpPort, "/metrics");
    expect(type).toContain("text/plain");
    const value = (series: string) =>
      Number(
        body
          .split("\n")
          .find((line) => line.startsWith(`${series} `))
          ?.slice(series.length + 1),
      );
    expect(value("rightseat_connections")).toBe(1);
    expect(value('rightseat_sessions{state="awake"}')).toBe(1);
    expect(value('rightseat_runs_total{tenant="default",outcome="done"}')).toBe(1);
    expect(value('rightseat_tokens_total{tenant="default",model="demo",kind="output"}')).toBeGreaterThan(0);
    expect(value('rightseat_request_errors_total{reason="session_not_found"}')).toBe(1);
    expect(value('rightseat_store_commit_duration_seconds_count{ok="true"}')).toBeGreaterThan(1);
    expect(value("nodejs_eventloop_lag_seconds")).toBeGreaterThanOrEqual(0);
    expect(body).not.toContain(sessionId);
    await client.close();
  });
});

async function output(read: () => string): Promise<string> {
  await until(() => read().includes("metrics on"));
  return read();
}

async function until<T>(condition: () => T | false | Promise<T | false>): Promise<T> {
  for (;;) {
    const value = await condition();
    if (value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
