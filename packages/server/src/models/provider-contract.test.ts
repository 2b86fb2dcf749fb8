import {
  collect,
  type ScriptedModelServer,
  type ScriptedReply,
  startScriptedModelServer,
} from "@rightseat/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AnyProviderSettings, createProvider } from "./create-provider.ts";
import {
  type ModelAnswer,
  ModelError,
  type ModelEvent,
  type ModelMessage,
  type ModelProvider,
  type ModelRequest,
} from "./model-provider.ts";
import { COPILOT_MODELS, HOSTS, KEY } from "./test/hosts.ts";

/** Every provider passes this suite, over real HTTP. */
const IMAGE = { mimeType: "image/png", base64: "aW1hZ2U=" };
const WEATHER = {
  name: "get_weather",
  description: "The weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

describe.each(HOSTS)("$name", ({ wire, model, toSettings, path }) => {
  let server: ScriptedModelServer;
  let provider: ModelProvider;

  beforeEach(async () => {
    server = await startScriptedModelServer({ models: COPILOT_MODELS });
    provider = createProvider(toSettings(server.url));
  });
  afterEach(() => server.close());

  const toRequest = (request: Partial<ModelRequest> = {}): ModelRequest => ({
    model,
    system: "Be brief.",
    messages: [{ role: "user", content: "Hello" }],
    tools: [],
    stream: true,
    ...request,
  });
  const run = (
    reply: ScriptedReply | undefined,
    request: Partial<ModelRequest> = {},
    signal = new AbortController().signal,
  ) => {
    if (reply !== undefined) server.use([reply]);
    return collect(provider.generate(toRequest(request), signal));
  };
  const fail = async (reply: ScriptedReply, request: Partial<ModelRequest> = {}): Promise<ModelError> => {
    const error: unknown = await run(reply, request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelError);
    expect(everything(error)).not.toContain(KEY);
    return error as ModelError;
  };

  it("yields each delta once and then the whole answer", async () => {
    const events = await run({ words: ["Grüße", " aus", " 東京", " 🗼"] });
    expect(events.map(toDelta)).toEqual(["Grüße", " aus", " 東京", " 🗼", undefined]);
    expect(answerOf(events)).toMatchObject({
      content: "Grüße aus 東京 🗼",
      toolCalls: [],
      finishReason: "stop",
      model,
    });
    expect(answerOf(events).responseId).toBe("answer_1");
    expect(server.requests[0]?.url).toBe(path);
  });

  it("gives the same answer in one piece without a stream", async () => {
    const events = await run({ words: ["one ", "two"] }, { stream: false });
    expect(events.map(toDelta)).toEqual(["one two", undefined]);
    expect(answerOf(events)).toMatchObject({ content: "one two", finishReason: "stop" });
    expect(server.requests[0]?.body["stream"]).toBeUndefined();
  });

  it("reads an answer that came whole although a stream was asked for", async () => {
    const whole = await startScriptedModelServer({ script: [{ text: "whole" }], models: COPILOT_MODELS });
    server.use(async (request) => {
      const response = await fetch(whole.url + request.url, {
        method: "POST",
        body: JSON.stringify({ ...request.body, stream: false }),
      });
      return { headers: { "content-type": "application/json" }, body: await response.text() };
    });
    const events = await run(undefined);
    expect(answerOf(events).content).toBe("whole");
    await whole.close();
  });

  it.each([true, false])("collects parallel tool calls (stream: %s)", async (stream) => {
    const toolCalls = [
      { id: "call_a", name: "get_weather", arguments: { city: "Paris" } },
      { id: "call_b", name: "get_weather", arguments: { city: "Zürich" } },
    ];
    const events = await run({ words: ["Looking."], toolCalls }, { stream, tools: [WEATHER] });
    expect(answerOf(events)).toMatchObject({
      content: "Looking.",
      finishReason: "tool-calls",
      toolCalls: [
        { id: "call_a", name: "get_weather", arguments: '{"city":"Paris"}' },
        { id: "call_b", name: "get_weather", arguments: '{"city":"Zürich"}' },
      ],
    });
    expect(joinToolCalls(events)).toEqual(answerOf(events).toolCalls);
  });

  it.each([true, false])("reports usage with cached tokens (stream: %s)", async (stream) => {
    const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 };
    const events = await run({ text: "x", usage }, { stream });
    expect(answerOf(events).usage).toMatchObject(usage);
  });

  it("has no usage when the provider reports none", async () => {
    const events = await run({ text: "x", usage: false });
    expect(answerOf(events).usage?.inputTokens ?? 0).toBe(0);
  });

  it("says that an answer was cut off by its length limit", async () => {
    const finishReason = { chat: "length", responses: "max_output_tokens", messages: "max_tokens" }[wire];
    expect(answerOf(await run({ text: "x", finishReason })).finishReason).toBe("length");
  });

  it("gives reasoning back on the next request as it came", async () => {
    const reply = { reasoning: "Let me see.", reasoningOpaque: "c2lnbmF0dXJl", words: ["Yes"] };
    const request = { reasoningEffort: "high", model };
    const events = await run(reply, request);
    expect(events[0]).toEqual({ type: "reasoning", delta: "Let me see." });
    const { content, toolCalls, reasoning } = answerOf(events);
    expect(reasoning?.text).toBe("Let me see.");
    const messages: ModelMessage[] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content, toolCalls, reasoning },
      { role: "user", content: "And now?" },
    ];
    await run({ text: "ok" }, { ...request, messages });
    const sent = JSON.stringify(server.requests[1]?.body);
    // Plain Chat Completions has no place for it.
    if (path.includes("chat/completions") && !path.startsWith("/chat"))
      expect(sent).not.toContain("Let me see.");
    else {
      expect(sent).toContain("c2lnbmF0dXJl");
      expect(sent).toContain("Let me see.");
    }
  });

  it("sends images of users and of tool results", async () => {
    const messages: ModelMessage[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image", ...IMAGE },
        ],
      },
      { role: "assistant", content: "", toolCalls: [{ id: "c1", name: "view", arguments: "{}" }] },
      { role: "tool", toolCallId: "c1", content: "a picture", images: [IMAGE] },
    ];
    await run({ text: "ok" }, { messages, tools: [WEATHER] });
    const sent = JSON.stringify(server.requests[0]?.body);
    expect(sent.split(IMAGE.base64)).toHaveLength(3);
    expect(sent).toContain("a picture");
    expect(server.requests[0]?.headers["copilot-vision-request"]).toBe(
      provider.name === "copilot" ? "true" : undefined,
    );
  });

  it("passes texts on exactly as given", async () => {
    const text = '  spaces, "quotes",\n\ttabs, \u{1F600} and </tags>  ';
    const messages: ModelMessage[] = [
      { role: "user", content: text },
      { role: "assistant", content: text, toolCalls: [{ id: "c1", name: "view", arguments: '{"a":1}' }] },
      { role: "tool", toolCallId: "c1", content: text },
    ];
    await run({ text: "ok" }, { system: text, messages, tools: [WEATHER] });
    expect(JSON.stringify(server.requests[0]?.body).split(JSON.stringify(text).slice(1, -1))).toHaveLength(5);
  });

  it("sends the request's headers over the settings' own", async () => {
    await run({ text: "ok" }, { headers: { "x-tenant": "blue" } });
    expect(server.requests[0]?.headers["x-tenant"]).toBe("blue");
    expect(JSON.stringify(server.requests[0]?.headers)).toContain(KEY);
  });

  it("throws for a connection that broke off in the stream", async () => {
    const error = await fail({ words: ["a ", "b ", "c "], dropAfter: 3 });
    expect(error).toMatchObject({ kind: "network", retryable: true });
  });

  it("throws for a stream that ended without its terminal marker", async () => {
    const error = await fail({ words: ["a ", "b ", "c "], endAfter: 2 });
    expect(error).toMatchObject({ kind: "network", retryable: true });
    expect(error.message).toContain("ended before the answer was complete");
  });

  it("throws for an empty stream", async () => {
    expect(await fail({ rawChunks: [] })).toMatchObject({ kind: "network" });
  });

  it.each([
    [400, { error: { message: "bad", type: "invalid_request_error" } }, "invalid-request"],
    [400, { error: { message: "too long", code: "context_length_exceeded" } }, "context-length"],
    [
      401,
      { error: { message: `Incorrect API key provided: ${KEY}`, code: "invalid_api_key" } },
      "authentication",
    ],
    [403, "<html>forbidden</html>", "authentication"],
    [404, { error: { message: "no such model", code: "model_not_found" } }, "not-found"],
    [413, { error: { message: "too large", type: "request_too_large" } }, "context-length"],
    [429, { error: { message: "slow down", type: "rate_limit_error" } }, "rate-limit"],
    [429, { error: { message: "pay", code: "insufficient_quota" } }, "quota"],
    [500, "", "server"],
    [503, { detail: "maintenance" }, "server"],
    [529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "server"],
  ])("turns status %i with %o into %s", async (status, body, kind) => {
    const error = await fail({ status, body, headers: { "x-request-id": "req_1" } });
    expect(error).toMatchObject({ kind, status, requestId: "req_1" });
    expect(error.message).toContain(new URL(server.url).host);
    expect(server.requests).toHaveLength(1);
  });

  it("keeps the time to wait that the provider names", async () => {
    expect(await fail({ status: 429, headers: { "retry-after": "7" } })).toMatchObject({
      retryAfterMs: 7000,
    });
  });

  it("throws for an error object in the stream", async () => {
    const rawChunks = [
      `data: ${JSON.stringify({ type: "error", error: { type: "overloaded_error", message: `Overloaded ${KEY}` } })}\n\n`,
    ];
    expect(await fail({ rawChunks })).toMatchObject({ kind: "server", errorCode: "overloaded_error" });
  });

  it("follows no redirect, so that no key goes to another host", async () => {
    const error = await fail({
      status: 307,
      headers: { location: "http://127.0.0.1:9/elsewhere" },
      body: "",
    });
    expect(error).toMatchObject({ kind: "invalid-request", status: 307 });
  });

  it("throws for a web page in place of an answer", async () => {
    expect(await fail({ headers: { "content-type": "text/html" }, body: "<html></html>" })).toMatchObject({
      kind: "not-found",
    });
  });

  it("throws when nobody listens", async () => {
    await server.close();
    expect(await fail({})).toMatchObject({ kind: "network", errorCode: "ECONNREFUSED" });
  });

  it("throws for a credential that is no header, and does not show it", async () => {
    const broken = {
      ...toSettings(server.url),
      credential: async () => ({ kind: "bearer", value: `${KEY}\nx` }),
    } as AnyProviderSettings;
    const error: unknown = await collect(
      createProvider(broken).generate(toRequest(), new AbortController().signal),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "ModelError", kind: "invalid-request" });
    expect(everything(error)).not.toContain(KEY);
  });

  it("throws an authentication error when no credential can be had", async () => {
    const broken = {
      ...toSettings(server.url),
      credential: () => Promise.reject(new Error(`keyring locked for ${KEY}`)),
    } as AnyProviderSettings;
    const error: unknown = await collect(
      createProvider(broken).generate(toRequest(), new AbortController().signal),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "ModelError", kind: "authentication" });
    expect(everything(error)).not.toContain(KEY);
  });

  it("needs no credential", async () => {
    const open = createProvider({ ...toSettings(server.url), credential: undefined } as AnyProviderSettings);
    await collect(open.generate(toRequest(), new AbortController().signal));
    const {
      authorization,
      "api-key": azureKey,
      "x-api-key": anthropicKey,
    } = server.requests[0]?.headers ?? {};
    expect([authorization, azureKey, anthropicKey]).toEqual([undefined, undefined, undefined]);
  });

  it("closes the stream and throws the signal's reason when the turn is aborted", async () => {
    server.use([{ words: ["a ", "b "], hang: true }]);
    const controller = new AbortController();
    const reason = new Error("the user has seen enough");
    const seen: string[] = [];
    const running = (async () => {
      for await (const event of provider.generate(toRequest(), controller.signal)) {
        if (event.type !== "text") continue;
        seen.push(event.delta);
        if (seen.length === 2) controller.abort(reason);
      }
    })();
    await expect(running).rejects.toBe(reason);
    expect(seen).toEqual(["a ", "b "]);
    await server.until(({ closedEarly }) => closedEarly === 1);
  });

  it("throws the signal's reason while it waits for an answer to begin", async () => {
    server.use([{ hang: true }]);
    const controller = new AbortController();
    const reason = new Error("never mind");
    const running = run(undefined, {}, controller.signal);
    const outcome = expect(running).rejects.toBe(reason);
    await server.until(({ requests }) => requests.length === 1);
    controller.abort(reason);
    await outcome;
    await server.until(({ closedEarly }) => closedEarly === 1);
  });

  it("sends nothing when the turn is aborted already", async () => {
    const reason = new Error("too late");
    await expect(run({ text: "x" }, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  it("closes the stream when the consumer stops early", async () => {
    server.use([{ words: ["a ", "b "], hang: true }]);
    for await (const event of provider.generate(toRequest(), new AbortController().signal))
      if (event.type === "text") break;
    await server.until(({ closedEarly }) => closedEarly === 1);
  });

  it("ends a silent stream with a timeout", async () => {
    server.use([{ words: ["a "], hang: true }]);
    const impatient = createProvider({
      ...toSettings(server.url),
      idleTimeoutMs: 400,
    } as AnyProviderSettings);
    const running = collect(impatient.generate(toRequest(), new AbortController().signal));
    await expect(running).rejects.toMatchObject({
      kind: "timeout",
      retryable: true,
      // The setting that the message advises to raise.
      message: expect.stringContaining("--model-idle-timeout"),
    });
    await server.until(({ closedEarly }) => closedEarly === 1);
  });

  it("leaves no listener on the turn's signal", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    await run({ text: "x" }, {}, signal);
    expect(add).toHaveBeenCalled();
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
  });

  it("keeps connections whose answers came to their end for the next requests", async () => {
    for (let round = 0; round < 10; round++) await run({ text: "x" });
    expect(server.closedEarly).toBe(0);
    expect(server.openSockets).toBeLessThan(10);
  });
});

function toDelta(event: ModelEvent): string | undefined {
  return event.type === "answer" ? undefined : event.delta;
}

function answerOf(events: readonly ModelEvent[]): ModelAnswer {
  expect(events.filter((event) => event.type === "answer")).toHaveLength(1);
  const last = events.at(-1);
  if (last?.type !== "answer") throw new Error("the last event is not the answer");
  return last.answer;
}

/** The calls as a consumer of the deltas alone would see them. */
function joinToolCalls(events: readonly ModelEvent[]) {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const event of events) {
    if (event.type !== "tool-call") continue;
    const call = (calls[event.index] ??= { id: "", name: "", arguments: "" });
    call.id ||= event.id ?? "";
    call.name ||= event.name ?? "";
    call.arguments += event.delta;
  }
  return calls;
}

/** All that an error could show to anybody: message, stack, fields, and those of its causes. */
function everything(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    parts.push(at.message, at.stack ?? "", JSON.stringify(at, Object.getOwnPropertyNames(at)));
  }
  return parts.join("\n");
}
