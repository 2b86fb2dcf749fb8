import { describe, expect, it } from "vitest";
import { COMMON_CALL_IDS, WireCallIds } from "../call-ids.ts";
import type { ModelMessage, ModelReasoning, ModelRequest, ModelToolCall } from "../model-provider.ts";
import { type LayoutItem, toAssistantBlocks as toBlocks, toReasoning } from "./content-layout.ts";
import { toMessagesBody as toBody } from "./request.ts";

const toAssistantBlocks = (
  content: string,
  toolCalls: readonly ModelToolCall[],
  reasoning: ModelReasoning | undefined,
) => toBlocks({ content, toolCalls }, reasoning, new WireCallIds(COMMON_CALL_IDS));
const toMessagesBody = (asked: ModelRequest) => toBody(asked, "anthropic:host/m");

const CACHE = { cache_control: { type: "ephemeral" } };
const request = (fields: Partial<ModelRequest>): ModelRequest => ({
  model: "claude-sonnet-4-5",
  system: "",
  messages: [],
  tools: [],
  stream: false,
  ...fields,
});

describe("toMessagesBody", () => {
  it("puts all results of a turn into one message and marks what to cache", () => {
    const messages: ModelMessage[] = [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: "",
        toolCalls: [
          { id: "1", name: "f", arguments: '{"a":1}' },
          { id: "2", name: "f", arguments: "{oops" },
        ],
      },
      { role: "tool", toolCallId: "1", content: "r1", images: [{ mimeType: "image/png", base64: "aaaa" }] },
      { role: "tool", toolCallId: "2", content: "r2", isError: true },
      { role: "assistant", content: "", toolCalls: [] },
      { role: "user", content: "and?" },
    ];
    const tools = ["f", "g"].map((name) => ({
      name,
      description: "d",
      parameters: { type: "object", properties: {} },
    }));
    expect(toMessagesBody(request({ system: "S", messages, tools, stream: true }))).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 64_000,
      stream: true,
      system: [{ type: "text", text: "S", ...CACHE }],
      tools: [
        { name: "f", description: "d", input_schema: { type: "object", properties: {} } },
        { name: "g", description: "d", input_schema: { type: "object", properties: {} }, ...CACHE },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Hi" }] },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "1", name: "f", input: { a: 1 } },
            { type: "tool_use", id: "2", name: "f", input: { invalid_json: "{oops" } },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "1",
              content: [
                { type: "text", text: "r1" },
                { type: "image", source: { type: "base64", media_type: "image/png", data: "aaaa" } },
              ],
            },
            { type: "tool_result", tool_use_id: "2", content: "r2", is_error: true },
            { type: "text", text: "and?", ...CACHE },
          ],
        },
      ],
    });
  });

  it.each([
    ["claude-sonnet-4-5", "high", { thinking: { type: "enabled", budget_tokens: 24_576 } }],
    [
      "claude-opus-4-5",
      "low",
      { thinking: { type: "enabled", budget_tokens: 4_096 }, output_config: { effort: "low" } },
    ],
    [
      "claude-opus-5",
      "max",
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "max" } },
    ],
    ["claude-opus-5", "none", {}],
    ["claude-opus-5", undefined, {}],
  ])("asks %s for %s effort in its own way", (model, reasoningEffort, expected) => {
    const { thinking, output_config } = toMessagesBody(request({ model, reasoningEffort }));
    expect(JSON.parse(JSON.stringify({ thinking, output_config }))).toEqual(expected);
  });

  it("keeps the thinking budget within max_tokens, and leaves thinking out where it does not fit", () => {
    expect(toMessagesBody(request({ reasoningEffort: "high", maxOutputTokens: 4_000 }))["thinking"]).toEqual({
      type: "enabled",
      budget_tokens: 2_000,
    });
    expect(
      toMessagesBody(request({ reasoningEffort: "high", maxOutputTokens: 1_000 }))["thinking"],
    ).toBeUndefined();
  });

  it("sends documents, text as text", () => {
    const document = (mimeType: string) =>
      ({ type: "document", mimeType, base64: Buffer.from("hi").toString("base64"), name: "d" }) as const;
    const body = toMessagesBody(
      request({
        messages: [{ role: "user", content: [document("text/markdown"), document("application/pdf")] }],
      }),
    );
    expect(body["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "document", title: "d", source: { type: "text", media_type: "text/plain", data: "hi" } },
          {
            type: "document",
            title: "d",
            source: { type: "base64", media_type: "application/pdf", data: "aGk=" },
            ...CACHE,
          },
        ],
      },
    ]);
  });
});

describe("thinking", () => {
  const thinking = (text: string): LayoutItem => ({
    type: "thinking",
    thinking: text,
    signature: `sig ${text}`,
  });
  const calls = [{ id: "1", name: "f", arguments: "{}" }];
  const toolUse = { type: "tool_use", id: "1", name: "f", input: {} };

  it.each<[string, LayoutItem[], object]>([
    ["nothing", [{ type: "text", characters: 5 }], {}],
    [
      "one block",
      [thinking("a"), { type: "text", characters: 5 }, { type: "tool_use" }],
      { text: "a", opaque: "sig a" },
    ],
    [
      "one redacted block",
      [{ type: "redacted_thinking", data: "xyz" }, { type: "tool_use" }],
      { opaque: "xyz" },
    ],
  ])("of %s needs no layout", (_, layout, expected) => {
    expect({ ...toReasoning(layout) }).toEqual(expected);
  });

  it("goes back where it stood, however often it was interrupted", () => {
    const layout: LayoutItem[] = [
      thinking("a"),
      { type: "text", characters: 3 },
      { type: "redacted_thinking", data: "r" },
      { type: "tool_use" },
      { type: "text", characters: 2 },
    ];
    expect(toAssistantBlocks("abcde", calls, toReasoning(layout))).toEqual([
      layout[0],
      { type: "text", text: "abc" },
      layout[2],
      toolUse,
      { type: "text", text: "de" },
    ]);
  });

  it("goes first when the message was changed since", () => {
    const reasoning = toReasoning([thinking("a"), thinking("b"), { type: "text", characters: 3 }]);
    expect(toAssistantBlocks("changed", calls, reasoning)).toEqual([
      thinking("a"),
      thinking("b"),
      { type: "text", text: "changed" },
      toolUse,
    ]);
  });

  it("of another provider stays out", () => {
    expect(toAssistantBlocks("x", [], { text: "a" })).toEqual([{ type: "text", text: "x" }]);
    expect(toAssistantBlocks("x", [], { text: "a", opaque: "github:abc" })).toEqual([
      { type: "text", text: "x" },
    ]);
  });
});
