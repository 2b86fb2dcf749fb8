import { describe, expect, it } from "vitest";
import { parseErrorBody, toErrorKind } from "./error-kind.ts";
import { toBrokenAnswerError, toConnectionError, toStatusError } from "./errors.ts";
import { createRedact, toSafeCause } from "./redact.ts";
import { parseRetryAfter } from "./response-headers.ts";

const keep = (text: string): string => text;

describe("parseErrorBody", () => {
  it.each([
    ['{"error":{"message":"m","code":"c","type":"t"}}', { message: "m", code: "c", type: "t" }],
    [
      '{"type":"error","error":{"type":"overloaded_error","message":"m"},"request_id":"r"}',
      { message: "m", type: "overloaded_error" },
    ],
    ['{"error":"model not loaded"}', { message: "model not loaded" }],
    [
      '[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]',
      { message: "m", code: "RESOURCE_EXHAUSTED", status: 429 },
    ],
    ['{"detail":"m"}', { message: "m" }],
    ["plain words", { message: "plain words" }],
    ["<html>no</html>", {}],
    [
      "<!DOCTYPE html><html><head><title>example.com | 502: Bad\n gateway</title>",
      { message: "example.com | 502: Bad gateway" },
    ],
    ['{"Message":"m"}', { message: "m" }],
    [
      '{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"},{"msg":"n"}]}',
      { message: "body.model: field required; n" },
    ],
    [
      '{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"bad tool\\"}}","provider_name":"X"}}}',
      { message: "Provider returned error: X: bad tool", status: 400 },
    ],
    ['{"error":{"message":"m","metadata":{"raw":"plain"}}}', { message: "m: plain" }],
    ['{"errors":[{"message":"a"},{"message":"b"}]}', { message: "a; b" }],
    ['{"cut off', { message: '{"cut off' }],
    ["null", { message: "null" }],
    ["", {}],
  ])("reads %s", (text, expected) => {
    expect(parseErrorBody(text)).toEqual(expected);
  });
});

describe("toErrorKind", () => {
  it.each([
    [
      400,
      { message: "prompt is too long: 210000 tokens > 200000 maximum", type: "invalid_request_error" },
      "context-length",
    ],
    [400, { message: "This model's maximum context length is 8192 tokens" }, "context-length"],
    ...[
      // Gemini, xAI, Bedrock, a Bedrock gateway, Kimi, Mistral
      "The input token count (1189000) exceeds the maximum number of tokens allowed (1048576).",
      "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
      "Input is too long for requested model.",
      "ValidationException: input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
      "Invalid request: Your request exceeded model token limit: 262144",
      "Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
      // Together, TGI, LM Studio, llama.cpp, Groq, GitHub
      "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`",
      "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
      "Trying to keep the first 5125 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
      "the request exceeds the available context size. try increasing the context size or enable context shift",
      "Please reduce the length of the messages or completion.",
      "prompt token count of 140000 exceeds the limit of 128000",
      // Qwen, GLM, MiniMax, Ollama, SGLang
      "Range of input length should be [1, 129024]",
      // vLLM, Volcengine
      "The decoder prompt (length 70000) is longer than the maximum model length of 32768.",
      "Input prompt (2664 tokens) is too long and exceeds limit of 2048",
      "Total tokens of image and text exceed max message tokens",
      // LiteLLM in front of SGLang, llama-cpp-python
      "OpenAIException - Requested token count exceeds the model's maximum context length of 163840 tokens.",
      "Requested tokens (600) exceed context window of 512",
      "Prompt exceeds max length",
      "invalid params, context window exceeds limit (2013)",
      "prompt too long; exceeded max context length by 1200 tokens",
      "The input (140000 tokens) is longer than the model's context length (131072 tokens).",
    ].map((message) => [400, { message }, "context-length"] as const),
    [
      500,
      { message: "the request exceeds the available context size", type: "server_error" },
      "context-length",
    ],
    [422, { message: "Input validation error: `inputs` must have less than 4095 tokens." }, "context-length"],
    [413, { message: "413 Request Entity Too Large" }, "context-length"],
    [
      413,
      {
        message: "Request too large on tokens per minute (TPM): Limit 6000, Requested 9000",
        code: "rate_limit_exceeded",
      },
      "rate-limit",
    ],
    [400, { message: "Unknown tool: context_reader" }, "invalid-request"],
    [400, { message: "max_tokens is too large: 99999" }, "invalid-request"],
    [500, { message: "internal error" }, "server"],
    [400, { message: "Your credit balance is too low", type: "invalid_request_error" }, "quota"],
    [400, { code: "model_not_found" }, "not-found"],
    [402, {}, "quota"],
    [408, {}, "timeout"],
    [409, {}, "server"],
    [418, {}, "invalid-request"],
    [429, { message: "You exceeded your current quota" }, "rate-limit"],
    [500, { code: "context_length_exceeded" }, "context-length"],
    [undefined, { type: "rate_limit_error" }, "rate-limit"],
    [undefined, { type: "invalid_request_error" }, "invalid-request"],
    [undefined, { status: 429 }, "rate-limit"],
    [498, { message: "Flex tier capacity exceeded" }, "server"],
    [undefined, {}, "server"],
  ] as const)("%s with %o is %s", (status, body, kind) => {
    expect(toErrorKind(status, body)).toBe(kind);
  });
});

describe("parseRetryAfter", () => {
  const now = Date.parse("Tue, 02 Jan 2024 03:04:05 GMT");
  it.each([
    [{ "retry-after": "3" }, 3000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after": "Tue, 02 Jan 2024 03:04:15 GMT" }, 10_000],
    [{ "retry-after": "Tue, 02 Jan 2024 03:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "-1.5" }, undefined],
    [{ "retry-after": "1,2" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "20s" }, 20_000],
    [{ "retry-after": "1m30s" }, 90_000],
    [{ "retry-after-ms": "soon", "retry-after": "2.5" }, 2500],
    [{}, undefined],
  ])("reads %o as %s", (headers, expected) => {
    expect(parseRetryAfter(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});

describe("messages", () => {
  it("say what happened, where, and what to do", () => {
    const error = toStatusError(
      {
        provider: "openai",
        url: "https://user:pass@api.example.com/v1/chat/completions?key=abcdef",
        status: 429,
        headers: new Headers({ "retry-after": "2", "request-id": "r1" }),
        body: '{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}',
      },
      keep,
    );
    expect({ ...error, message: error.message }).toMatchObject({
      message: "openai answered 429 at api.example.com/v1/chat/completions: Slow down. Try again in 2 s.",
      kind: "rate-limit",
      retryAfterMs: 2000,
      requestId: "r1",
      errorCode: "rate_limit_exceeded",
    });
  });

  it("do not blame the address for an answer that broke off", () => {
    const thrown = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    const error = toBrokenAnswerError(thrown, { provider: "openai", url: "http://h/p" }, keep);
    expect(error).toMatchObject({ kind: "network", errorCode: "ECONNRESET" });
    expect(error.message).not.toContain("address is right");
    expect(error.message).toContain("broke off");
  });

  it.each([
    ["", true],
    ['{"error":{"message":"Bad Request"}}', true],
    ['{"error":{"message":"tools.0.name: expected a name"}}', undefined],
  ])("tell when a provider did not say why (%s)", (body, unexplained) => {
    const failed = { provider: "openai", url: "http://h/p", status: 400, headers: new Headers(), body };
    expect(toStatusError(failed, keep).unexplained).toBe(unexplained);
  });

  it("are short however much the provider writes", () => {
    const failed = {
      provider: "openai",
      url: "http://h/p",
      status: 500,
      headers: new Headers(),
      body: "x".repeat(100_000),
    };
    expect(toStatusError(failed, keep).message.length).toBeLessThan(1000);
  });

  it("tell a silent connection from a broken one", () => {
    const thrown = (code: string) =>
      new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) });
    const at = { provider: "openai", url: "http://h/p" };
    expect(toConnectionError(thrown("UND_ERR_BODY_TIMEOUT"), at, keep).kind).toBe("timeout");
    expect(toConnectionError(thrown("ECONNRESET"), at, keep)).toMatchObject({
      kind: "network",
      errorCode: "ECONNRESET",
    });
  });
});

describe("redacting", () => {
  const redact = createRedact({
    secrets: ["hunter2!"],
    headers: [{ Authorization: "Bearer abc.def", "X-Custom-Token": "t0k3n", Accept: "application/json" }],
    url: "https://me:p%40ss@host/path?sig=s1gnature&api-version=2024-10-21",
  });

  it("takes out keys, secret headers, and what a URL holds", () => {
    const text = "hunter2! abc.def t0k3n p%40ss p@ss s1gnature application/json 2024-10-21";
    expect(redact(text)).toBe(`${"[redacted] ".repeat(6)}application/json 2024-10-21`);
  });

  it("takes out what looks like a key, whoever's it is", () => {
    expect(redact("sk-proj-12345678 ghp_0123456789ab Bearer eyJhbGci.x")).toBe(
      "[redacted] [redacted] [redacted]",
    );
  });

  it("cleans every cause in the chain", () => {
    const dirty = new Error("outer hunter2!", {
      cause: Object.assign(new Error("inner hunter2!"), { code: "E1", headers: { key: "hunter2!" } }),
    });
    const clean = toSafeCause(dirty, redact);
    const cause = clean?.cause as Error;
    const shown = [clean?.message, clean?.stack, cause.message, cause.stack, Object.entries(cause)];
    expect(JSON.stringify(shown)).not.toContain("hunter2!");
    expect(cause).toMatchObject({ code: "E1", message: "inner [redacted]" });
  });
});
