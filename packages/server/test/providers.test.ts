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

/** A provider that refuses requests in whose body the pattern is found. */
const refusing =
  (pattern: RegExp, message = "Bad request") =>
  ({ body }: { body: Record<string, unknown> }) =>
    pattern.test(JSON.stringify(body["messages"]))
      ? { status: 400, body: { error: { message, type: "invalid_request_error" } } }
      : { text: "taken" };

describe("a conversation that the provider refuses", () => {
  const warnings = (sessionId: string) =>
    client.of(sessionId).filter(({ type }) => type === "session.warning");

  test("is tried once without its image, which is told, and stays without it", async () => {
    const sessionId = await create({ modelCapabilities: { supports: { vision: true } } });
    model.use(refusing(/image_url/));
    const attachments = [{ type: "blob", data: PNG, mimeType: "image/png", displayName: "x.png" }];
    const before = model.requests.length;
    expect(await client.ask(sessionId, "see", { attachments })).toBe("taken");
    expect(model.requests.length - before).toBe(2);
    expect(warnings(sessionId).map(({ data }) => data)).toMatchObject([
      {
        warningType: "conversation_refused",
        message: expect.stringContaining("tried once more without its images and documents"),
      },
    ]);
    expect(await client.ask(sessionId, "and now")).toBe("taken");
    expect(model.requests.length - before).toBe(3);
    await client.request("session.destroy", { sessionId });
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" };
    await client.request("session.resume", { sessionId, model: "scripted", provider });
    expect(await client.ask(sessionId, "again")).toBe("taken");
    expect(model.requests.length - before).toBe(4);
  });

  test("for the prompt itself takes the next one", async () => {
    const sessionId = await create();
    model.use(refusing(/forbidden words/, "The response was filtered"));
    await client.request("session.send", { sessionId, prompt: "forbidden words" });
    expect((await client.event(sessionId, "session.error")).data).toMatchObject({ statusCode: 400 });
    expect(await client.ask(sessionId, "hello")).toBe("taken");
    expect(await client.ask(sessionId, "again")).toBe("taken");
    expect(warnings(sessionId)).toHaveLength(1);
  });

  test("for its calls goes on with them as text", async () => {
    const sessionId = await create();
    model.use(({ body }) => {
      const sent = JSON.stringify(body["messages"]);
      if (sent.includes("tool_calls")) return refusing(/./)({ body });
      return sent.includes("Call of the tool")
        ? { text: "gone on" }
        : { toolCalls: [{ name: "no", arguments: {} }] };
    });
    expect(await client.ask(sessionId, "go")).toBe("gone on");
  });

  test("is not tried for ever: each run tries once, and leaves out more than the one before", async () => {
    const sessionId = await create();
    model.use([{ toolCalls: [{ name: "no", arguments: {} }] }, { text: "first" }]);
    await client.ask(sessionId, "go");
    model.use(refusing(/./));
    const before = model.requests.length;
    await client.ask(sessionId, "a").catch(() => undefined);
    await client.ask(sessionId, "b").catch(() => undefined);
    await client.ask(sessionId, "c").catch(() => undefined);
    // With its calls as text; then without the prompts before, too; then all that again.
    expect(model.requests.length - before).toBe(6);
    model.use(refusing(/"tool_calls"|"a"/));
    expect(await client.ask(sessionId, "d")).toBe("taken");
  });
});

describe("a part of a request that the provider refuses", () => {
  const refusal = (message: string) => ({
    status: 400,
    body: { error: { message, type: "invalid_request_error" } },
  });
  const warnings = (sessionId: string) =>
    client.of(sessionId).flatMap(({ type, data }) => (type === "session.warning" ? [data] : []));

  test("is left out and told once, also by the session when it is resumed", async () => {
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "of-one-that-refuses" };
    const sessionId = await create({ provider, model: "scripted" });
    model.use(({ body }) =>
      "stream_options" in body ? refusal("Unknown parameter: 'stream_options'.") : { text: "taken" },
    );
    await client.request("session.resume", { sessionId, model: "scripted", provider, streaming: true });
    const before = model.requests.length;
    expect(await client.ask(sessionId, "one")).toBe("taken");
    expect(await client.ask(sessionId, "two")).toBe("taken");
    expect(model.requests.length - before).toBe(3);
    await client.request("session.destroy", { sessionId });
    await client.request("session.resume", { sessionId, model: "scripted", provider, streaming: true });
    expect(await client.ask(sessionId, "three")).toBe("taken");
    expect(model.requests.length - before).toBe(4);
    expect(warnings(sessionId)).toMatchObject([
      { warningType: "request_refused", message: expect.stringContaining("stream_options is left out") },
    ]);
  });

  test("that the application asked for is refused by name, and the conversation stays whole", async () => {
    const sessionId = await create();
    model.use([{ toolCalls: [{ name: "no", arguments: {} }] }, { text: "first" }]);
    await client.ask(sessionId, "go");
    model.use(({ body }) =>
      "response_format" in body
        ? refusal("Invalid parameter: 'response_format' of type 'json_schema' is not supported")
        : { text: "taken" },
    );
    const before = model.requests.length;
    const jsonSchema = { name: "answer", schema: { type: "object" } };
    await client.request("session.send", {
      sessionId,
      prompt: "as JSON",
      responseFormat: { type: "json_schema", jsonSchema },
    });
    expect((await client.event(sessionId, "session.error")).data).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("The application asked for response_format, so it is not left out"),
    });
    expect(model.requests.length - before).toBe(1);
    expect(await client.ask(sessionId, "as text")).toBe("taken");
    expect(warnings(sessionId)).toEqual([]);
  });
});

describe("a base URL as it is pasted", () => {
  test.each([
    ["chat", { type: "openai" }, "/v1/chat/completions"],
    ["responses", { type: "openai", wireApi: "responses" }, "/v1/responses"],
    ["messages", { type: "anthropic" }, "/v1/messages"],
    ["responses, told by the path alone", {}, "/v1/responses"],
    ["messages, told by the path alone", {}, "/v1/messages"],
  ])("with the whole path, a query, and newlines around it and its secrets: %s", async (_title, by, path) => {
    const provider = {
      ...by,
      baseUrl: ` ${model.url}${path}/?api-version=2024-10-21&team=a%20b\n`,
      apiKey: "secret-key\n",
      headers: { "X-Team": "blue\n" },
    };
    const sessionId = await create({ provider });
    expect(await client.ask(sessionId, "echo there")).toBe("there");
    const { url = "", headers: sent = {} } = model.requests.at(-1) ?? {};
    const headers: Record<string, unknown> = sent;
    const asked = new URL(url, model.url);
    expect(asked.pathname).toBe(path);
    expect(Object.fromEntries(asked.searchParams)).toEqual({ "api-version": "2024-10-21", team: "a b" });
    expect(headers["x-team"]).toBe("blue");
    expect([headers["authorization"], headers["x-api-key"]]).toContain(
      path.endsWith("messages") ? "secret-key" : "Bearer secret-key",
    );
  });

  test.each([
    ["without a scheme", { baseUrl: "api.example.com/v1" }, "baseUrl"],
    ["of another wire", { type: "openai", baseUrl: "https://api.example.com/v1/messages" }, "baseUrl"],
    ["with a key of two lines", { baseUrl: "https://api.example.com/v1", apiKey: "one\ntwo" }, "apiKey"],
  ])("%s is refused when the session is made, by its field", async (_title, provider, field) => {
    const path = `provider.${field}`;
    await expect(create({ provider })).rejects.toMatchObject({
      message: expect.stringContaining(path),
      data: { reason: "invalid_params", path },
    });
    const named = { ...provider, name: "own" };
    await expect(create({ provider: undefined, providers: [named] })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: `providers[0].${field}` },
    });
  });
});

describe("structured output", () => {
  const jsonSchema = { name: "answer", schema: { type: "object", properties: { n: {} } }, strict: true };
  const responseFormat = { type: "json_schema", jsonSchema };
  const provider = (more: object) => ({ baseUrl: `${model.url}/v1`, apiKey: "secret-key", ...more });
  const formatOf = ({ body }: { body: Record<string, unknown> }) =>
    // biome-ignore lint/suspicious/noExplicitAny: a body is looked into as it is
    body["response_format"] ?? (body["text"] as any)?.format ?? (body["output_config"] as any)?.format;

  test.each([
    ["chat", { type: "openai" }, { type: "json_schema", json_schema: jsonSchema }],
    ["responses", { type: "openai", wireApi: "responses" }, { type: "json_schema", ...jsonSchema }],
    ["messages", { type: "anthropic" }, { type: "json_schema", schema: jsonSchema.schema }],
    ["azure", { type: "azure" }, { type: "json_schema", json_schema: jsonSchema }],
  ])(
    "is asked for on the wire %s, over calls of tools, and not of the next prompt",
    async (_title, by, format) => {
      const sessionId = await create({ provider: provider(by) });
      model.use([{ toolCalls: [{ name: "no", arguments: {} }] }, { text: '{"n":1}' }, { text: "plain" }]);
      const before = model.requests.length;
      expect(await client.ask(sessionId, "go", { responseFormat })).toBe('{"n":1}');
      expect(await client.ask(sessionId, "and now")).toBe("plain");
      expect(model.requests.slice(before).map(formatOf)).toEqual([format, format, undefined]);
    },
  );

  test("is kept when the run is steered, and by a prompt that waits", async () => {
    const sessionId = await create();
    let answer: (reply: { text: string }) => void = () => undefined;
    model.use((_request, index) =>
      index === 0 ? new Promise((resolve) => (answer = resolve)) : { text: `answer ${index}` },
    );
    const before = model.requests.length;
    await client.request("session.send", { sessionId, prompt: "go", responseFormat });
    await model.until(({ requests }) => requests.length > before);
    await client.request("session.send", { sessionId, prompt: "waits", responseFormat });
    await client.request("session.send", { sessionId, prompt: "steers", mode: "immediate" });
    answer({ text: "answer 0" });
    await client.event(sessionId, "session.idle");
    const formats = model.requests.slice(before).map(formatOf);
    expect(formats).toHaveLength(3);
    expect(formats.every((format) => format !== undefined)).toBe(true);
  });

  test("cannot be asked for by a message that steers, nor with a schema of another type", async () => {
    const sessionId = await create();
    const send = (more: object) => client.request("session.send", { sessionId, prompt: "x", ...more });
    await expect(send({ mode: "immediate", responseFormat })).rejects.toThrow(/responseFormat/);
    await expect(send({ responseFormat: { type: "grammar" } })).rejects.toThrow(/responseFormat/);
  });

  test("is refused by name where the model cannot give it", async () => {
    const demo = await client.request("session.create", { sessionId: `providers-${next++}`, model: "demo" });
    await client.request("session.send", { sessionId: demo.sessionId, prompt: "x", responseFormat });
    const { data } = await client.event(demo.sessionId, "session.error");
    expect(data.message).toContain("responseFormat");
  });
});

function isWellFormed(value: unknown): boolean {
  return !/\\ud[89a-f]/.test(JSON.stringify(value));
}
