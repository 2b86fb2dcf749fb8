import { paramsValidators, type ValidationIssue } from "@rightseat/protocol/validators";
import { describe, expect, test } from "vitest";

function validate(method: string, params: unknown): ValidationIssue[] | undefined {
  const validator = paramsValidators[method];
  if (!validator) throw new Error(`no validator for ${method}`);
  return validator(params);
}

describe("what passes", () => {
  test("a prompt with an attachment as clients send it, without a display name", () => {
    const params = { sessionId: "s", prompt: "hi", attachments: [{ type: "file", path: "/a" }] };
    expect(validate("session.send", params)).toBeUndefined();
  });

  test("properties that nobody knows", () => {
    expect(
      validate("session.send", { sessionId: "s", prompt: "hi", fromTheFuture: { a: 1 } }),
    ).toBeUndefined();
  });

  test("absent parameters of a method that needs none", () => {
    expect(validate("ping", undefined)).toBeUndefined();
    expect(validate("status.get", null)).toBeUndefined();
  });

  test("each form of a system message, and a server of each kind", () => {
    for (const systemMessage of [
      { content: "more" },
      { mode: null, content: "more" },
      { mode: "append", content: "more" },
      { mode: "replace", content: "all" },
      { mode: "customize", sections: { tone: { action: "transform" }, safety: { action: "remove" } } },
    ]) {
      expect(validate("session.create", { systemMessage })).toBeUndefined();
    }
    const mcpServers = { a: { command: "a", args: [] }, b: { type: "http", url: "http://localhost/" } };
    expect(validate("session.create", { mcpServers })).toBeUndefined();
  });

  test("a tool result as text or as an object", () => {
    const base = { sessionId: "s", requestId: "r" };
    expect(validate("session.tools.handlePendingToolCall", { ...base, result: "done" })).toBeUndefined();
    const result = { textResultForLlm: "done", resultType: "success" };
    expect(validate("session.tools.handlePendingToolCall", { ...base, result })).toBeUndefined();
  });
});

describe("null", () => {
  test("an optional property that is null is taken away, at every depth", () => {
    const params = {
      model: null,
      provider: { baseUrl: "http://localhost/", apiKey: null },
      tools: [{ name: "t", description: null, parameters: { default: null } }],
      customAgents: [{ name: "a", prompt: "p", tools: null }],
    };
    expect(validate("session.create", params)).toBeUndefined();
    expect(params).toEqual({
      provider: { baseUrl: "http://localhost/" },
      tools: [{ name: "t", parameters: { default: null } }],
      customAgents: [{ name: "a", prompt: "p", tools: null }],
    });
  });

  test("a required property that is null is refused", () => {
    expect(validate("session.send", { sessionId: "s", prompt: null })).toEqual([
      { path: "prompt", message: "expected string, got null" },
    ]);
  });
});

describe("what is refused", () => {
  test("names what is missing", () => {
    expect(validate("session.send", undefined)).toEqual([
      { path: "sessionId", message: "is required" },
      { path: "prompt", message: "is required" },
    ]);
  });

  test("every session method needs a session", () => {
    expect(validate("session.model.list", {})).toEqual([{ path: "sessionId", message: "is required" }]);
  });

  test("names the place inside a list", () => {
    const attachments = [
      { type: "file", path: 3 },
      { type: "blob", data: "AA==", mimeType: "image/png" },
    ];
    expect(validate("session.send", { sessionId: "s", prompt: "hi", attachments })).toEqual([
      { path: "attachments[0].path", message: "expected string, got number" },
    ]);
  });

  test("lists what is allowed", () => {
    expect(validate("session.mode.set", { sessionId: "s", mode: "turbo" })).toEqual([
      { path: "mode", message: 'expected one of "interactive", "plan", "autopilot", got "turbo"' },
    ]);
  });

  test("judges a union by the form that was meant", () => {
    expect(validate("session.create", { systemMessage: { mode: "replace" } })).toEqual([
      { path: "systemMessage.content", message: "is required" },
    ]);
    expect(validate("session.create", { mcpServers: { a: { command: "a", args: [1] }, b: {} } })).toEqual([
      { path: "mcpServers.a.args[0]", message: "expected string, got number" },
      { path: "mcpServers.b", message: "one of these is required: command, url" },
    ]);
    const answer = { sessionId: "s", requestId: "r", result: 5 };
    expect(validate("session.tools.handlePendingToolCall", answer)).toEqual([
      { path: "result", message: "expected string or object, got number" },
    ]);
  });

  test("a value that may be a secret is not repeated", () => {
    const provider = { baseUrl: "http://localhost/", type: "sk-0123456789" };
    expect(validate("session.create", { provider })).toEqual([
      { path: "provider.type", message: 'expected one of "openai", "azure", "anthropic", got string' },
    ]);
  });

  test("parameters by position", () => {
    expect(validate("ping", ["hello"])).toEqual([{ path: "", message: "expected object, got array" }]);
  });
});
