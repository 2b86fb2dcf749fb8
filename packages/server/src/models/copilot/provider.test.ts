import { collect, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../model-provider.ts";
import { createCopilotProvider } from "./provider.ts";

const REQUEST: ModelRequest = {
  model: "m",
  system: "",
  messages: [{ role: "user", content: "Hi" }],
  tools: [],
  stream: true,
};
const MODEL = {
  id: "m",
  name: "Model M",
  capabilities: {
    limits: { max_context_window_tokens: 100, max_output_tokens: 10, max_prompt_tokens: 90 },
    supports: { vision: true, reasoning_effort: ["low"] },
  },
};

describe("the Copilot provider", () => {
  it("sends the headers that GitHub expects", async () => {
    await using server = await startScriptedModelServer({ models: [MODEL] });
    const provider = createCopilotProvider({
      type: "copilot",
      baseUrl: server.url,
      credential: async () => ({ kind: "api-key", value: "gho_token" }),
    });
    const { signal } = new AbortController();
    await collect(provider.generate(REQUEST, signal));
    await collect(
      provider.generate(
        {
          ...REQUEST,
          messages: [
            ...REQUEST.messages,
            { role: "assistant", content: "", toolCalls: [{ id: "1", name: "f", arguments: "{}" }] },
            { role: "tool", toolCallId: "1", content: "r" },
          ],
        },
        signal,
      ),
    );
    const [first, second] = server.requests.map(({ headers }) => headers);
    expect(first).toMatchObject({
      authorization: "Bearer gho_token",
      "copilot-integration-id": "rightseat",
      "x-initiator": "user",
      "openai-intent": "conversation-agent",
    });
    expect(second).toMatchObject({ "x-initiator": "agent", "x-interaction-id": first?.["x-interaction-id"] });
    expect(first?.["copilot-vision-request"]).toBeUndefined();
    expect(server.listings).toHaveLength(1);
  });

  it("lists models with their limits", async () => {
    await using server = await startScriptedModelServer({ models: [MODEL] });
    const provider = createCopilotProvider({ type: "copilot", baseUrl: `${server.url}/` });
    expect(await provider.listModels?.(new AbortController().signal)).toEqual([
      {
        id: "m",
        name: "Model M",
        contextWindowTokens: 100,
        maxOutputTokens: 10,
        maxPromptTokens: 90,
        supportsVision: true,
        supportsReasoningEffort: true,
        raw: MODEL,
      },
    ]);
  });

  it("calls a model that is not listed by Chat Completions", async () => {
    await using server = await startScriptedModelServer({ models: [] });
    const provider = createCopilotProvider({ type: "copilot", baseUrl: server.url });
    await collect(provider.generate(REQUEST, new AbortController().signal));
    expect(server.requests[0]?.url).toBe("/chat/completions");
  });

  it("marks opaque reasoning as GitHub's, and gives only that back", async () => {
    await using server = await startScriptedModelServer({
      script: [{ reasoning: "hm", reasoningOpaque: "b3A=", text: "a" }],
    });
    const provider = createCopilotProvider({ type: "copilot", baseUrl: server.url });
    const events = await collect(provider.generate(REQUEST, new AbortController().signal));
    const last = events.at(-1);
    expect(last).toMatchObject({ answer: { reasoning: { text: "hm", opaque: "github:b3A=" } } });
    const reasonings = [
      { text: "hm", opaque: "github:b3A=" },
      { text: "foreign", opaque: "signature" },
    ];
    const messages = reasonings.map((reasoning) => ({
      role: "assistant" as const,
      content: "a",
      toolCalls: [],
      reasoning,
    }));
    await collect(
      provider.generate(
        { ...REQUEST, messages: [...REQUEST.messages, ...messages, ...REQUEST.messages] },
        new AbortController().signal,
      ),
    );
    expect(server.requests[1]?.body["messages"]).toEqual([
      { role: "user", content: "Hi" },
      { role: "assistant", content: "a", reasoning_text: "hm", reasoning_opaque: "b3A=" },
      { role: "assistant", content: "a" },
      { role: "user", content: "Hi" },
    ]);
  });
});
