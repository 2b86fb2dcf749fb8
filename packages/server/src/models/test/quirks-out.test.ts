import { type Body, describeQuirksOut, type QuirkOut } from "./describe-quirks.ts";

/** What providers take. A row is a quirk; its cells are the wires that have it, on every host of theirs. */
const QUIRKS: readonly QuirkOut[] = [
  {
    quirk: "a call has its result behind it",
    seenAt: "all",
    after: {
      chat: { toolCalls: [{ id: "a", name: "clock", arguments: {} }] },
      responses: { toolCalls: [{ id: "a", name: "clock", arguments: {} }] },
      messages: { toolCalls: [{ id: "a", name: "clock", arguments: {} }] },
    },
    refuses: {
      chat: (body: Body) => body.messages[3].role !== "tool" && body.messages,
      responses: (body: Body) => body.input[2].type !== "function_call_output" && body.input,
      messages: (body: Body) => body.messages[2].content[0].type !== "tool_result" && body.messages,
    },
  },
  {
    quirk: "half a surrogate pair, which is no JSON for strict parsers",
    seenAt: "Anthropic, DeepSeek, vLLM",
    request: {
      system: "s\ud83d",
      tools: [{ name: "clock", description: "d\ude00", parameters: { type: "object", properties: {} } }],
      messages: [
        { role: "user", content: "u\ud83d" },
        {
          role: "assistant",
          content: "a\ude00",
          toolCalls: [{ id: "a", name: "clock", arguments: '{"x":"\ud83d"}' }],
        },
        { role: "tool", toolCallId: "a", content: "t\ud83d" },
      ],
    },
    refuses: (body: Body) =>
      !JSON.stringify(body).includes("\ufffd") || /\\ud[89a-f]/.test(JSON.stringify(body)),
  },
];

describeQuirksOut(QUIRKS);
