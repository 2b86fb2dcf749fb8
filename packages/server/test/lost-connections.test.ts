/** What a client that loses its connection may count on: its prompts are taken once, its tools are waited for. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let model: ScriptedModelServer;
beforeAll(async () => {
  model = await startScriptedModelServer();
});
beforeEach(() => model.use(undefined));
afterAll(() => model.close());

const join = (sessionId: string, more: object = {}) => ({
  sessionId,
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  ...more,
});

const userMessages = async (client: WireClient, sessionId: string) => {
  const { events } = await client.request("session.getMessages", { sessionId });
  return events
    .filter((event: { type: string }) => event.type === "user.message")
    .map((event: { data: { messageId: string; content: string } }) => [
      event.data.messageId,
      event.data.content,
    ]);
};

describe("a prompt with a message id of the client's", () => {
  test("is taken once, however often it is sent, and bears that id", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    const joined = await client.request("session.create", join("once"));
    expect(joined).toMatchObject({ acceptsMessageIds: true, eventCursor: expect.stringMatching(/^\d+$/) });
    const prompt = { sessionId: "once", prompt: "echo one", messageId: "job-1" };
    const sent = await Promise.all([1, 2, 3].map(() => client.request("session.send", prompt)));
    expect(sent).toEqual(Array(3).fill({ messageId: "job-1" }));
    await client.event("once", "session.idle");
    expect(await client.request("session.send", prompt)).toEqual({ messageId: "job-1" });
    expect(await userMessages(client, "once")).toEqual([["job-1", "echo one"]]);
    await client.close();
  });

  test("is taken once while it waits behind another one, and after it was taken out again", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    model.use([{ hang: true }]);
    const client = await server.connect();
    await client.request("session.create", join("queued"));
    await client.request("session.send", { sessionId: "queued", prompt: "wait" });
    const prompt = { sessionId: "queued", prompt: "echo later", messageId: "job-2" };
    await client.request("session.send", prompt);
    await client.request("session.send", prompt);
    const { items } = await client.request("session.queue.pendingItems", { sessionId: "queued" });
    expect(items.map((item: { messageId: string }) => item.messageId)).toEqual(["job-2"]);
    await client.request("session.queue.clear", { sessionId: "queued" });
    await client.request("session.send", prompt);
    expect((await client.request("session.queue.pendingItems", { sessionId: "queued" })).items).toEqual([]);
    await client.request("session.abort", { sessionId: "queued" });
    await client.close();
  });

  test("is known to the server that comes after a kill -9", async () => {
    await using home = await tempHome();
    const first = await spawnServer(home.path, ["--log-level", "error"]);
    const before = await first.connect();
    await before.request("session.create", join("killed"));
    const prompt = { sessionId: "killed", prompt: "echo survived", messageId: "job-3" };
    await before.request("session.send", prompt);
    await first.kill("SIGKILL");
    const second = await spawnServer(home.path, ["--log-level", "error"]);
    const after = await second.connect();
    await after.request("session.resume", join("killed", { continuePendingWork: true }));
    expect(await after.request("session.send", prompt)).toEqual({ messageId: "job-3" });
    await after.event("killed", "session.idle");
    expect(await userMessages(after, "killed")).toEqual([["job-3", "echo survived"]]);
    await after.close();
    await second.kill("SIGTERM");
  });

  test.each([
    ["an empty text", ""],
    ["a number", 7],
    ["a text with spaces", "a b"],
    ["a long text", "x".repeat(129)],
  ])("that is %s is refused", async (_what, messageId) => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    await client.request("session.create", join("refused"));
    await expect(
      client.request("session.send", { sessionId: "refused", prompt: "echo", messageId }),
    ).rejects.toMatchObject({ data: { reason: "invalid_params", path: "messageId" } });
    await client.close();
  });
});

describe("a client that comes to a session", () => {
  const comeAndSee = (client: WireClient, sessionId: string) =>
    client.request("session.resume", join(sessionId, { disableResume: true }));

  test("and gives up is taken off again, unless it was there before or has come again since", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    const other = await server.connect();
    await other.request("session.create", join("again"));
    for (let round = 0; round < 40; round++) {
      if (round % 2 === 0) await client.request("session.detach", { sessionId: "again" });
      const controller = new AbortController();
      const given = client
        .request("session.resume", join("again", { disableResume: true }), controller.signal)
        .catch(() => undefined);
      for (let turn = 0; turn < round / 4; turn++) await new Promise(setImmediate);
      controller.abort();
      await comeAndSee(client, "again");
      await given;
      const before = client.of("again").length;
      await other.request("session.log", { sessionId: "again", message: `round ${round}` });
      // Whatever comes of the request that was given up has come of it by now.
      await other.request("session.log", { sessionId: "again", message: "and on" });
      await client.request("session.getMessages", { sessionId: "again" });
      const told = client.of("again").slice(before);
      expect({ round, told: told.map(({ type }) => type) }).toEqual({
        round,
        told: ["session.info", "session.info"],
      });
    }
    await Promise.all([client.close(), other.close()]);
  });

  test("and is gone before it was let in is not in it", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    await client.request("session.create", join("gone"));
    for (let round = 0; round < 40; round++) {
      const visitor = await server.connect();
      const asked = visitor
        .request("session.resume", join("gone", { disableResume: true, requestElicitation: true }))
        .catch(() => undefined);
      for (let turn = 0; turn < round / 4; turn++) await new Promise(setImmediate);
      await visitor.close();
      await asked;
      const isAsked = async () => (await comeAndSee(client, "gone")).capabilities.ui.elicitation;
      await expect.poll(isAsked).toBe(false);
      // It does not come in later, either.
      for (let turn = 0; turn < 10; turn++)
        await client.request("session.getMessages", { sessionId: "gone" });
      expect(await isAsked()).toBe(false);
    }
    await client.close();
  });
});

describe("a client whose connection is lost", () => {
  const tools = [
    { name: "lookup", description: "Looks up", parameters: { type: "object" }, skipPermission: true },
  ];

  test("is waited for when the model calls its tool before it is back", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    // The model decides while nobody is there.
    let lost: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      lost = resolve;
    });
    model.use(async (_request, index) => {
      if (index > 0) return { text: "done" };
      await gone;
      return { toolCalls: [{ name: "lookup", arguments: {} }] };
    });
    const client = await server.connect();
    await client.request("session.create", join("tool", { tools }));
    await client.request("session.send", { sessionId: "tool", prompt: "look it up" });
    await model.until(({ requests }) => requests.length > 0);
    await client.close();
    const watcher = await server.connect();
    lost();
    await watcher.request(
      "session.resume",
      join("tool", { tools, continuePendingWork: true, disableResume: true }),
    );
    const { data } = await watcher.event("tool", "external_tool.requested");
    const answer = { sessionId: "tool", requestId: data.requestId, result: "found" };
    await watcher.request("session.tools.handlePendingToolCall", answer);
    await watcher.event("tool", "session.idle");
    expect(watcher.of("tool").find(({ type }) => type === "tool.execution_complete")?.data.success).toBe(
      true,
    );
    await watcher.close();
  });

  test("is not waited for when it left of its own accord", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const [client, other] = await Promise.all([server.connect(), server.connect()]);
    await client.request("session.create", join("left", { tools }));
    await other.request("session.resume", join("left"));
    await client.request("session.detach", { sessionId: "left" });
    await other.ask("left", "tool lookup 1");
    const [call] = other.of("left").filter(({ type }) => type === "tool.execution_complete");
    expect(call?.data).toMatchObject({ success: false, error: { code: "unknown_tool" } });
    await Promise.all([client.close(), other.close()]);
  });

  test("says itself what it offers once it is back", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    const more = {
      name: "second",
      description: "Another",
      parameters: { type: "object" },
      skipPermission: true,
    };
    await client.request("session.create", join("back", { tools: [...tools, more] }));
    await client.close();
    const back = await server.connect();
    await back.request("session.resume", join("back", { tools }));
    const { tools: offered } = await back.request("session.tools.getCurrentMetadata", { sessionId: "back" });
    const names = offered.map((tool: { name: string }) => tool.name);
    expect([names.includes("lookup"), names.includes("second")]).toEqual([true, false]);
    await back.close();
  });
});
