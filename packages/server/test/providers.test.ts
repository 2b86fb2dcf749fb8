/** Sessions with models whose providers are strict or odd: what they must not cost the session. */

import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
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
    sessionId: `providers-${next++}`,
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" },
    ...more,
  });
  return sessionId;
}

describe("half a surrogate pair", () => {
  test("in a prompt reaches neither the model, nor clients, nor the list of sessions", async () => {
    const sessionId = await create();
    model.use(({ body }) => ({ text: isWellFormed(body) ? "whole" : "broken" }));
    expect(await client.ask(sessionId, "cut \ud83d")).toBe("whole");
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(isWellFormed(events)).toBe(true);
    expect(isWellFormed(client.of(sessionId))).toBe(true);
    const { sessions } = await client.request("session.list");
    const own = sessions.find((session: { sessionId: string }) => session.sessionId === sessionId);
    expect(own.summary).toBe("cut \ufffd");
  });

  test("is not made by the title that a session gets from a long prompt", async () => {
    const sessionId = await create();
    await client.ask(sessionId, `${"x".repeat(58)}😀😀`);
    const { sessions } = await client.request("session.list");
    const own = sessions.find((session: { sessionId: string }) => session.sessionId === sessionId);
    expect(own.summary).toBe(`${"x".repeat(58)}…`);
  });
});

describe("two calls of one answer with one id", () => {
  const add = {
    name: "add",
    description: "Adds",
    parameters: { type: "object", properties: { n: { type: "number" } } },
    skipPermission: true,
  };

  test("both run, and both results go back under ids of their own", async () => {
    const sessionId = await create({ tools: [add] });
    const call = (n: number) => ({ id: "call_0", name: "add", arguments: { n } });
    model.use([{ toolCalls: [call(1), call(2)] }, { text: "both" }]);
    const done = client.ask(sessionId, "go");
    const asked = await client.until(() => {
      const events = client.of(sessionId).filter(({ type }) => type === "external_tool.requested");
      return events.length === 2 && events;
    });
    for (const { data } of asked)
      await client.request("session.tools.handlePendingToolCall", {
        sessionId,
        requestId: data.requestId,
        result: `got ${data.arguments.n}`,
      });
    expect(await done).toBe("both");
    const messages = model.requests.at(-1)?.body["messages"] as Record<string, unknown>[];
    expect(messages.filter(({ role }) => role === "tool")).toEqual([
      { role: "tool", tool_call_id: "call_0", content: "got 1" },
      { role: "tool", tool_call_id: "call_0_2", content: "got 2" },
    ]);
  });
});

describe("reasoning", () => {
  test("of a call is sent back to its provider after a restart, and to no other model", async () => {
    const sessionId = await create({ streaming: false });
    const extra_content = { google: { thought_signature: "c2ln" } };
    const toolCalls = [
      { id: "a", type: "function", extra_content, function: { name: "none", arguments: "{}" } },
    ];
    const message = { role: "assistant", reasoning_content: "I look.", tool_calls: toolCalls };
    model.use([
      { body: { choices: [{ index: 0, finish_reason: "tool_calls", message }] } },
      { text: "done" },
    ]);
    expect(await client.ask(sessionId, "go")).toBe("done");
    expect(sentCalls()).toMatchObject({ reasoning_content: "I look.", tool_calls: [{ extra_content }] });
    await client.request("session.destroy", { sessionId });
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" };
    await client.request("session.resume", { sessionId, model: "scripted", provider });
    await client.ask(sessionId, "again");
    expect(sentCalls()).toMatchObject({ reasoning_content: "I look.", tool_calls: [{ extra_content }] });
    await client.request("session.model.switchTo", { sessionId, modelId: "another" });
    await client.ask(sessionId, "and now");
    expect(sentCalls()).toBeDefined();
    expect(JSON.stringify(sentCalls())).not.toMatch(/I look|extra_content/);
  });

  function sentCalls(): Record<string, unknown> | undefined {
    const messages = model.requests.at(-1)?.body["messages"] as Record<string, unknown>[];
    return messages.find((one) => one["tool_calls"] !== undefined);
  }
});

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("an image that is not what it is said to be", () => {
  test.each([
    ["text", Buffer.from("hello").toString("base64"), "it is not a PNG, JPEG, GIF or WebP image"],
    ["half of one", PNG.slice(0, 40), "it is cut short"],
    ["nothing", "", "it is empty"],
  ])("is a line in a tool's result: %s", async (_title, data, problem) => {
    const { content, images } = await resultWith({ data, mimeType: "image/png" });
    expect(content).toBe(`here\n[An image was left out: ${problem}.]`);
    expect(images).toEqual([]);
  });

  test("is sent with its real type and as plain base64", async () => {
    const data = `data:image/jpeg;base64,${PNG.slice(0, 20)}\n${PNG.slice(20)}`;
    const { content, images } = await resultWith({ data, mimeType: "image/jpeg" });
    expect(content).toBe("here");
    expect(images).toEqual([`data:image/png;base64,${PNG}`]);
  });

  test("is a line in a prompt", async () => {
    const sessionId = await create(VISION);
    const attachments = [
      { type: "blob", data: PNG.slice(0, 40), mimeType: "image/png", displayName: "x.png" },
    ];
    await client.ask(sessionId, "see", { attachments });
    const sent = JSON.stringify(model.requests.at(-1)?.body);
    expect(sent).toContain("[An image was left out: it is cut short.]");
    expect(sent).not.toContain("image_url");
  });

  const VISION = {
    modelCapabilities: { supports: { vision: true } },
    tools: [{ name: "picture", description: "d", parameters: {}, skipPermission: true }],
  };

  async function resultWith(image: object): Promise<{ content: string; images: string[] }> {
    const sessionId = await create(VISION);
    model.use([{ toolCalls: [{ id: "a", name: "picture", arguments: {} }] }, { text: "seen" }]);
    const done = client.ask(sessionId, "go");
    const { data } = await client.event(sessionId, "external_tool.requested");
    await client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: {
        textResultForLlm: "here",
        resultType: "success",
        binaryResultsForLlm: [{ type: "image", ...image }],
      },
    });
    expect(await done).toBe("seen");
    // biome-ignore lint/suspicious/noExplicitAny: a body is looked into as it is
    const messages = model.requests.at(-1)?.body["messages"] as any[];
    const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    return {
      content: messages.find(({ role }) => role === "tool").content,
      images: parts.flatMap((part) => (part.image_url ? [part.image_url.url] : [])),
    };
  }
});

function isWellFormed(value: unknown): boolean {
  return !/\\ud[89a-f]/.test(JSON.stringify(value));
}
