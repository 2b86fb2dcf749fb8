/** Conversations over the bare wire with a scripted model: what clients are told, in what order. */

import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path, { flags: ["--question-deadline", "3600"] });
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function create(more: object = {}): Promise<string> {
  const { sessionId } = await client.request("session.create", {
    sessionId: `conversation-${next++}`,
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" },
    ...more,
  });
  return sessionId;
}

const durable = (events: readonly WireEvent[]) =>
  events.filter((event) => !event.ephemeral).map((event) => event.type);
const textOf = (events: readonly WireEvent[]) =>
  events
    .filter((event) => event.type === "assistant.message_delta")
    .map((event) => event.data.deltaContent)
    .join("");

const lookup = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
};

describe("a turn", () => {
  test("is told in order, its durable events chained, and leaves the session idle", async () => {
    const sessionId = await create();
    expect(await client.ask(sessionId, "words 3")).toBe("w0 w1 w2 ");
    const events = client.of(sessionId);
    expect(durable(events)).toEqual([
      "session.start",
      "user.message",
      "system.message",
      "assistant.turn_start",
      "assistant.message",
      "assistant.turn_end",
    ]);
    expect(textOf(events)).toBe("w0 w1 w2 ");
    expect(events.at(-1)).toMatchObject({ type: "session.idle", ephemeral: true });
    const chain = events.filter((event) => !event.ephemeral);
    expect(chain.map((event) => event.parentId)).toEqual([
      null,
      ...chain.slice(0, -1).map((event) => event.id),
    ]);
  });

  test("without streaming brings the message and no deltas", async () => {
    const sessionId = await create({ streaming: false });
    expect(await client.ask(sessionId, "words 3")).toBe("w0 w1 w2 ");
    expect(client.of(sessionId).filter((event) => event.type.endsWith("_delta"))).toEqual([]);
    expect(model.requests.at(-1)?.body.stream ?? false).toBe(false);
  });

  test("an unknown tool is answered by the names of those there are", async () => {
    const sessionId = await create({ tools: [lookup] });
    model.use([{ toolCalls: [{ name: "launch", arguments: {} }] }, { text: "sorry" }]);
    expect(await client.ask(sessionId, "go")).toBe("sorry");
    const told = await client.event(sessionId, "tool.execution_complete");
    expect(told.data).toMatchObject({ success: false, error: { code: "unknown_tool" } });
    expect(told.data.result.content).toMatch(
      /^Tool 'launch' does not exist\. Available tools that can be called are .*lookup/,
    );
  });

  test("arguments that are not JSON are told to the model, not to the tool", async () => {
    const sessionId = await create({ tools: [{ ...lookup, skipPermission: true }] });
    model.use([{ toolCalls: [{ name: "lookup", arguments: '{"n": ' }] }, { text: "again then" }]);
    expect(await client.ask(sessionId, "go")).toBe("again then");
    expect((await client.event(sessionId, "tool.execution_complete")).data.error.code).toBe(
      "invalid_arguments",
    );
    expect(client.of(sessionId).some((event) => event.type === "external_tool.requested")).toBe(false);
  });

  test("usage counts what the provider counted, over turns and after a restart of the session", async () => {
    const sessionId = await create();
    model.use(() => ({ text: "ok", usage: { inputTokens: 10, outputTokens: 3, cacheReadTokens: 4 } }));
    for (let turn = 0; turn < 5; turn += 1) await client.ask(sessionId, "go");
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", { sessionId });
    const metrics = await client.request("session.usage.getMetrics", { sessionId });
    expect(metrics.modelMetrics.scripted).toMatchObject({
      requests: { count: 5 },
      usage: { inputTokens: 50, outputTokens: 15, cacheReadTokens: 20 },
    });
    expect(metrics).toMatchObject({ totalUserRequests: 5, lastCallInputTokens: 10, lastCallOutputTokens: 3 });
  });
});

describe("retries", () => {
  test("a 429 is tried again after the time the provider asks for, and clients are told that it waits", async () => {
    const sessionId = await create();
    model.use([{ status: 429, headers: { "retry-after-ms": "20" } }, { text: "at last" }]);
    expect(await client.ask(sessionId, "go")).toBe("at last");
    expect((await client.event(sessionId, "assistant.turn_retry")).data.reason).toContain("attempt 2");
    expect((await client.event(sessionId, "model.call_failure")).data.statusCode).toBe(429);
  });

  test("a stream that breaks off is gone on with where it was: no delta is shown twice", async () => {
    const sessionId = await create();
    const words = Array.from({ length: 40 }, (_, index) => `w${index} `);
    model.use([{ words, dropAfter: 20 }, { words, dropAfter: 30 }, { words }]);
    expect(await client.ask(sessionId, "go")).toBe(words.join(""));
    expect(textOf(client.of(sessionId))).toBe(words.join(""));
    const ids = new Set(
      client
        .of(sessionId)
        .filter((event) => event.type === "assistant.message_delta")
        .map((event) => event.data.messageId),
    );
    expect([...ids]).toEqual([(await client.event(sessionId, "assistant.message")).data.messageId]);
  }, 30_000);

  test("an attempt that says something else is shown as a message of its own", async () => {
    const sessionId = await create();
    model.use([{ words: ["one ", "two ", "three "], dropAfter: 3 }, { words: ["uno ", "dos "] }]);
    expect(await client.ask(sessionId, "go")).toBe("uno dos ");
    const { messageId } = (await client.event(sessionId, "assistant.message")).data;
    const shown = client
      .of(sessionId)
      .filter((event) => event.type === "assistant.message_delta" && event.data.messageId === messageId);
    expect(textOf(shown)).toBe("uno dos ");
  });

  test("a request that no retry helps fails at once, without the key", async () => {
    const sessionId = await create();
    model.use([{ status: 401, body: { error: { message: "bad key secret-key" } } }]);
    const before = model.requests.length;
    await client.ask(sessionId, "go");
    const error = await client.event(sessionId, "session.error");
    expect(error.data).toMatchObject({ errorType: "authentication", statusCode: 401 });
    expect(JSON.stringify(client.of(sessionId))).not.toContain("secret-key");
    expect(model.requests.length - before).toBe(1);
    model.use(undefined);
    expect(await client.ask(sessionId, "echo fine again")).toBe("fine again");
  });
});

describe("abort", () => {
  test("closes the provider's stream and leaves the session usable", async () => {
    const sessionId = await create();
    model.use([{ words: ["one ", "two "], hang: true }]);
    const closedBefore = model.closedEarly;
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.event(sessionId, "assistant.message_delta");
    expect(await client.request("session.abort", { sessionId })).toEqual({ success: true });
    await model.until(() => model.closedEarly > closedBefore);
    expect(durable(client.of(sessionId))).toContain("abort");
    expect(client.of(sessionId).at(-1)).toMatchObject({ type: "session.idle", data: { aborted: true } });
    model.use(undefined);
    expect(await client.ask(sessionId, "echo on")).toBe("on");
  });

  test("ends a client's tool call, whose late answer is told that it came too late", async () => {
    const sessionId = await create({ tools: [{ ...lookup, skipPermission: true }] });
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    const { data } = await client.event(sessionId, "external_tool.requested");
    await client.request("session.abort", { sessionId });
    const late = await client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: "late",
    });
    expect(late).toEqual({ success: false });
    expect((await client.event(sessionId, "tool.execution_complete")).data).toMatchObject({
      success: false,
      error: { code: "interrupted" },
    });
  });

  test("without anything to abort succeeds", async () => {
    const sessionId = await create();
    expect(await client.request("session.abort", { sessionId })).toEqual({ success: true });
  });
});

describe("prompts while a turn runs", () => {
  test("are queued in order, each a run of its own", async () => {
    const sessionId = await create();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    model.use(async (_request, index) => {
      if (index === 0) await gate;
      return undefined;
    });
    const ids = [];
    for (const prompt of ["echo one", "echo two", "echo three"]) {
      ids.push((await client.request("session.send", { sessionId, prompt })).messageId);
    }
    const { items } = await client.request("session.queue.pendingItems", { sessionId });
    expect(items.map((item: { displayText: string }) => item.displayText)).toEqual([
      "echo two",
      "echo three",
    ]);
    open();
    await client.event(sessionId, "session.idle");
    const messages = client.of(sessionId).filter((event) => event.type === "user.message");
    expect(messages.map((event) => [event.data.messageId, event.data.delivery])).toEqual([
      [ids[0], "idle"],
      [ids[1], "queued"],
      [ids[2], "queued"],
    ]);
    const answers = client
      .of(sessionId)
      .filter((event) => event.type === "assistant.message")
      .map((event) => event.data.content);
    expect(answers).toEqual(["one", "two", "three"]);
    expect(client.of(sessionId).filter((event) => event.type === "session.idle")).toHaveLength(1);
  });

  test("in a mode that is not known wait for their turn", async () => {
    const sessionId = await create();
    await client.request("session.send", { sessionId, prompt: "echo one", mode: "agent" });
    await client.event(sessionId, "session.idle");
    const finished = client.of(sessionId).find(({ type }) => type === "assistant.usage");
    expect(finished?.data).toMatchObject({ finishReason: "stop" });
  });

  test("in immediate mode enter the turn between two model calls", async () => {
    const sessionId = await create({ tools: [{ ...lookup, skipPermission: true }] });
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    const { data } = await client.event(sessionId, "external_tool.requested");
    await client.request("session.send", { sessionId, prompt: "echo steered", mode: "immediate" });
    await client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: "found",
    });
    await client.event(sessionId, "session.idle");
    const steered = client.of(sessionId).filter((event) => event.type === "user.message")[1];
    expect(steered?.data).toMatchObject({ content: "echo steered", delivery: "steering" });
    expect(
      client
        .of(sessionId)
        .filter((event) => event.type === "assistant.message")
        .at(-1)?.data.content,
    ).toBe("steered");
  });
});

describe("questions", () => {
  test("the first answer counts, others are told so", async () => {
    const other = await server.connect();
    const sessionId = await create({ tools: [lookup] });
    await other.request("session.resume", { sessionId });
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    const { data } = await other.event(sessionId, "permission.requested");
    const answer = { sessionId, requestId: data.requestId, result: { kind: "approve-once" } };
    const answers = await Promise.all([
      other.request("session.permissions.handlePendingPermissionRequest", answer),
      client.request("session.permissions.handlePendingPermissionRequest", answer),
    ]);
    expect(answers.filter(({ success }) => success)).toHaveLength(1);
    await client.event(sessionId, "external_tool.requested");
    await other.close();
  });

  test("are shown again to a client that comes after the first one was lost", async () => {
    const sessionId = await create({ tools: [{ ...lookup, skipPermission: true }] });
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    const asked = await client.event(sessionId, "external_tool.requested");
    await client.close();
    client = await server.connect();
    await client.request("session.resume", {
      sessionId,
      tools: [{ ...lookup, skipPermission: true }],
      continuePendingWork: true,
    });
    const again = await client.event(sessionId, "external_tool.requested");
    expect(again.data.requestId).toBe(asked.data.requestId);
    await client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: again.data.requestId,
      result: "found",
    });
    await client.event(sessionId, "session.idle");
    expect(model.requests.at(-1)?.body.messages).toEqual(
      expect.arrayContaining([expect.objectContaining({ role: "tool", content: "found" })]),
    );
  });

  test("that nobody answers end with a typed result after their deadline", async () => {
    await using hasty = await tempHome();
    await using short = await startServer(hasty.path, { flags: ["--question-deadline", "1"] });
    const asker = await short.connect();
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    await asker.request("session.create", {
      sessionId: "hasty",
      model: "scripted",
      provider,
      tools: [{ ...lookup, skipPermission: true }],
    });
    await asker.ask("hasty", "tool lookup 1");
    expect((await asker.event("hasty", "tool.execution_complete")).data).toMatchObject({
      success: false,
      error: { code: "timeout" },
    });
    await asker.close();
  });
});

test("a session without any provider fails with the three ways to get one", async () => {
  const refused = await client
    .request("session.create", { sessionId: "poor", model: "gpt-5" })
    .catch((error) => error);
  expect(refused).toMatchObject({ data: { reason: "no_provider", model: "gpt-5" } });
  for (const way of ["'provider' in session.create", "OPENAI_API_KEY", "COPILOT_GITHUB_TOKEN"])
    expect(refused.message).toContain(way);
  await client.request("session.create", { sessionId: "demo", model: "demo" });
  expect(await client.ask("demo", "echo offline")).toBe("offline");
});
