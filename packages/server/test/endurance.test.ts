/** What people who run such a server complain of (slow readers, leaks, evictions), as tests. */
import { readdirSync } from "node:fs";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";

const lookup = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
  skipPermission: true,
};

describe("a client that stops reading", () => {
  test("while 100,000 deltas flow loses none of 1,000 tool calls, runs none twice, and holds up nobody else", async () => {
    await using home = await tempHome();
    await using model = await startScriptedModelServer();
    await using server = await startServer(home.path);
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    const slow = await server.connect();
    const other = await server.connect();
    const common = { model: "scripted", streaming: true, provider, availableTools: ["custom:*"] };
    for (const sessionId of ["talker-1", "talker-2"])
      await slow.request("session.create", { sessionId, ...common });
    await slow.request("session.create", { sessionId: "tools", ...common, tools: [lookup] });
    await other.request("session.create", { sessionId: "other", ...common });
    const asked: string[] = [];
    const done = slow.until(() => {
      const events = slow.of("tools");
      for (const event of events.splice(0)) {
        if (event.type === "external_tool.requested") {
          asked.push(event.data.toolCallId);
          slow
            .request("session.tools.handlePendingToolCall", {
              sessionId: "tools",
              requestId: event.data.requestId,
              result: "found",
            })
            .catch(() => undefined);
        }
        if (event.type === "session.idle") return true;
      }
      return undefined;
    });
    await slow.request("session.send", { sessionId: "tools", prompt: "tool lookup 1000" });
    for (const sessionId of ["talker-1", "talker-2"])
      await slow.request("session.send", { sessionId, prompt: "words 50000" });
    slow.stream.pause();
    // Somebody else's turns go on as if nothing were the matter.
    for (let turn = 0; turn < 20; turn += 1)
      expect(await other.ask("other", `echo ${turn}`)).toBe(String(turn));
    slow.stream.resume();
    await done;
    for (const sessionId of ["talker-1", "talker-2"]) await slow.event(sessionId, "session.idle");
    expect(asked).toHaveLength(1000);
    expect(new Set(asked).size).toBe(1000);
    for (const sessionId of ["talker-1", "talker-2"]) {
      const text = slow
        .of(sessionId)
        .filter((event) => event.type === "assistant.message_delta")
        .map((event) => event.data.deltaContent)
        .join("");
      const message = await slow.event(sessionId, "assistant.message");
      expect(text).toBe(message.data.content);
      expect(text.length).toBeGreaterThan(250_000);
    }
    await slow.close();
    await other.close();
  }, 120_000);

  test("for good is cut off, with its sessions unharmed", async () => {
    await using home = await tempHome();
    await using model = await startScriptedModelServer();
    await using server = await startServer(home.path, { flags: ["--max-waiting-bytes", "300000"] });
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    const stuck = await server.connect();
    await stuck.request("session.create", { sessionId: "s", model: "scripted", provider, streaming: true });
    stuck.stream.pause();
    const watcher = await server.connect();
    await watcher.request("session.resume", { sessionId: "s" });
    // Durable events, which may not be dropped, until the system's own buffers and the queue are full.
    let logged = 0;
    while (!server.log.some((line) => line.message.includes("does not read")) && logged < 400) {
      await watcher.request("session.log", { sessionId: "s", message: "x".repeat(100_000) });
      logged += 1;
    }
    expect(server.log.some((line) => line.message.includes("does not read"))).toBe(true);
    expect(await watcher.ask("s", "echo still here")).toBe("still here");
    const { events } = await watcher.request("session.getMessages", { sessionId: "s" });
    expect(events.filter((event: { type: string }) => event.type === "session.info")).toHaveLength(logged);
    await stuck.close();
    await watcher.close();
  }, 60_000);
});

test("a turn in progress is never evicted, however short the idle timeout", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  await using server = await startServer(home.path, {
    flags: ["--session-idle-timeout", "1", "--hibernate-after", "1"],
  });
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const client = await server.connect();
  await client.request("session.create", { sessionId: "busy", model: "scripted", provider, tools: [lookup] });
  await client.request("session.create", { sessionId: "idle", model: "scripted", provider });
  await client.request("session.send", { sessionId: "busy", prompt: "tool lookup 1" });
  const { data } = await client.event("busy", "external_tool.requested");
  // The other session is shut down in the meantime: the sweep has been, and left the busy one alone.
  await client.event("idle", "session.shutdown");
  const answer = { sessionId: "busy", requestId: data.requestId, result: "found" };
  expect(await client.request("session.tools.handlePendingToolCall", answer)).toEqual({ success: true });
  await client.event("busy", "session.idle");
  await client.close();
}, 30_000);

test("sessions made, used, left and deleted leave no descriptor and no directory behind", async () => {
  await using home = await tempHome();
  const server = await spawnServer(home.path, ["--demo", "--log-level", "error"]);
  const client = await server.connect();
  const descriptors = () => readdirSync(`/proc/${server.child.pid}/fd`).length;
  const cycle = async (index: number) => {
    const sessionId = `cycle-${index}`;
    await client.request("session.create", { sessionId, tools: [lookup] });
    await client.ask(sessionId, "echo hi");
    await client.request("session.detach", { sessionId });
    await client.request("session.delete", { sessionId });
  };
  for (let index = 0; index < 20; index += 1) await cycle(index);
  const before = descriptors();
  for (let index = 20; index < 320; index += 1) await cycle(index);
  await expect.poll(descriptors).toBeLessThanOrEqual(before + 2);
  expect(readdirSync(`${home.path}/session-state`).filter((name) => name.startsWith("cycle-"))).toEqual([]);
  expect(await client.request("session.list")).toEqual({ sessions: [] });
  await client.close();
  expect(await server.kill("SIGTERM")).toBe(0);
}, 60_000);

test("a server that has nothing to do any more gives the memory of its work back", async () => {
  await using home = await tempHome();
  const server = await spawnServer(home.path, ["--demo", "--log-level", "debug"]);
  const client = await server.connect();
  // What stays in use is enough for it to be worth while, whatever V8 has collected by itself.
  for (let index = 0; index < 150; index += 1) {
    await client.request("session.create", { sessionId: `s${index}` });
    await client.ask(`s${index}`, `echo ${"x".repeat(100_000)}`);
  }
  await new Promise<void>((resolve) => {
    const look = () => {
      if (!/"returnedBytes":[1-9]\d{6,}/.test(server.output())) return;
      server.child.stderr?.off("data", look);
      resolve();
    };
    server.child.stderr?.on("data", look);
    look();
  });
  expect(await client.ask("s0", "echo and goes on")).toBe("and goes on");
  await client.close();
  expect(await server.kill("SIGTERM")).toBe(0);
}, 60_000);

test("making a session is not held up by a GitHub that does not answer", async () => {
  await using home = await tempHome();
  const { createServer } = await import("node:net");
  const sockets = new Set<import("node:net").Socket>();
  const hole = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => hole.once("listening", resolve));
  const { port } = hole.address() as { port: number };
  await using server = await startServer(home.path, {
    env: { COPILOT_DEBUG_GITHUB_API_URL: `http://127.0.0.1:${port}`, COPILOT_GITHUB_TOKEN: "t" },
  });
  const client = await server.connect();
  await client.request("session.create", { sessionId: "own", gitHubToken: "hung", model: "gpt-5" });
  await client.request("session.create", { sessionId: "server's", model: "gpt-5" }).catch(() => undefined);
  expect(
    (await client.request("session.list")).sessions.map(
      (session: { sessionId: string }) => session.sessionId,
    ),
  ).toContain("own");
  await client.close();
  for (const socket of sockets) socket.destroy();
  hole.close();
}, 30_000);
