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
];

describeQuirksOut(QUIRKS);
