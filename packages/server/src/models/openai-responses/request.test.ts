import { describe, expect, it } from "vitest";
import type { ModelRequest } from "../model-provider.ts";
import { toReasoning, toReasoningInput } from "./reasoning-items.ts";
import { toResponsesBody as toBody } from "./request.ts";

const toResponsesBody = (asked: ModelRequest) => toBody(asked, "openai:host/m");

const request = (fields: Partial<ModelRequest>): ModelRequest => ({
  model: "m",
  system: "",
  messages: [],
  tools: [],
  stream: false,
  ...fields,
});

describe("toResponsesBody", () => {
  it("spells a whole conversation as the wire has it, and has nothing stored", () => {
    const body = toResponsesBody(
      request({
        system: "S",
        messages: [
          { role: "user", content: "Hi" },
          {
            role: "assistant",
            content: "Let me",
            toolCalls: [{ id: "1", name: "f", arguments: "{}" }],
            reasoning: { text: "t", encrypted: "enc", id: "rs_1" },
          },
          {
            role: "tool",
            toolCallId: "1",
            content: "r",
            images: [{ mimeType: "image/png", base64: "aaaa" }],
          },
        ],
        tools: [{ name: "f", description: "d", parameters: { type: "object", properties: {} } }],
        stream: true,
        maxOutputTokens: 9,
        reasoningEffort: "low",
        reasoningSummary: "auto",
      }),
    );
    expect(body).toEqual({
      model: "m",
      instructions: "S",
      store: false,
      stream: true,
      max_output_tokens: 9,
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"],
      tools: [
        {
          type: "function",
          name: "f",
          description: "d",
          parameters: { type: "object", properties: {} },
          strict: false,
        },
      ],
      input: [
        { role: "user", content: "Hi" },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "t" }],
          encrypted_content: "enc",
        },
        {
          type: "message",
          role: "assistant",
          content: [{ type: "output_text", text: "Let me", annotations: [] }],
        },
        { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
        {
          type: "function_call_output",
          call_id: "1",
          output: [
            { type: "input_text", text: "r" },
            { type: "input_image", detail: "auto", image_url: "data:image/png;base64,aaaa" },
          ],
        },
      ],
    });
  });

  it.each([
    ["gpt-4o", undefined, undefined],
    ["gpt-5", undefined, ["reasoning.encrypted_content"]],
    ["my-deployment", "high", ["reasoning.encrypted_content"]],
    ["gpt-5.1", "none", undefined],
  ])("asks %s with effort %s for encrypted reasoning: %s", (model, reasoningEffort, include) => {
    expect(toResponsesBody(request({ model, reasoningEffort }))["include"]).toEqual(include);
  });
});

describe("reasoning items", () => {
  it("all go back, in order", () => {
    const items = ["a", "b"].map((name) => ({ id: `rs_${name}`, summary: [name], encrypted: `enc_${name}` }));
    expect(toReasoningInput(toReasoning(items))).toEqual(
      ["a", "b"].map((name) => ({
        type: "reasoning",
        id: `rs_${name}`,
        summary: [{ type: "summary_text", text: name }],
        encrypted_content: `enc_${name}`,
      })),
    );
  });

  it("without encrypted content stay out, since nothing is stored", () => {
    expect(toReasoningInput({ text: "t", id: "rs_1" })).toEqual([]);
  });
});
