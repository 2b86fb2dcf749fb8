/** What hooks add and change, folded from the log. */
import { expect, test } from "vitest";
import { applyLine, type LoggedEvent } from "../../state/projection.ts";
import { createSessionState, type SessionState } from "../../state/session-state.ts";

function fold(lines: readonly [string, object][], state: SessionState = createSessionState()): SessionState {
  for (const [type, data] of lines) {
    const event: LoggedEvent = { type, data, id: type };
    applyLine(state, event, JSON.stringify(event));
  }
  return state;
}

const ASKED: [string, object][] = [
  ["user.message", { content: "go", transformedContent: "go", messageId: "m" }],
  [
    "assistant.message",
    {
      content: "",
      toolRequests: ["a", "b"].map((id) => ({ toolCallId: id, name: "look", arguments: { key: id } })),
    },
  ],
];
const result = (toolCallId: string): [string, object] => [
  "tool.execution_complete",
  { toolCallId, success: true, result: { content: `found ${toolCallId}` } },
];
const spoken = (state: SessionState) =>
  state.messages.map((message) => `${message.role}: ${String(message.content)}`);

test("context that comes while calls are open goes behind the last result, in order", () => {
  const state = fold([
    ...ASKED,
    ["rightseat.context_added", { content: "first" }],
    result("b"),
    ["rightseat.context_added", { content: "second" }],
    result("a"),
  ]);
  expect(spoken(state)).toEqual([
    "user: go",
    "assistant: ",
    "tool: found a",
    "tool: found b",
    "user: first",
    "user: second",
  ]);
  expect(state.heldContext).toBeUndefined();
});

test("context at any other time goes to the end at once, and is no prompt of a user", () => {
  const state = fold([["rightseat.context_added", { content: "at the start" }]]);
  expect(state.messages).toEqual([{ role: "user", content: "at the start", prompt: "" }]);
});

test("held context is part of a checkpoint", () => {
  const before = fold([...ASKED, ["rightseat.context_added", { content: "held" }], result("a")]);
  const after = fold([result("b")], JSON.parse(JSON.stringify(before)) as SessionState);
  expect(spoken(after).at(-1)).toBe("user: held");
});

test("a changed call is changed where it waits and where the model reads it; others stay", () => {
  const changed = JSON.stringify({ key: "c" });
  const state = fold([...ASKED, ["rightseat.call_changed", { toolCallId: "b", arguments: changed }]]);
  expect(state.openToolCalls.map((call) => call.arguments)).toEqual(['{"key":"a"}', changed]);
  expect(state.messages.at(-1)).toMatchObject({
    toolCalls: [
      { id: "a", arguments: '{"key":"a"}' },
      { id: "b", arguments: changed },
    ],
  });
});
