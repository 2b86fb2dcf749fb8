import { expect, test } from "vitest";
import { applyLine, applyRewoundLine, type LoggedEvent } from "./projection.ts";
import { createSessionState } from "./session-state.ts";

const line = (type: string, data: object): LoggedEvent => ({ type, data, id: "e1" });
const apply = (state: ReturnType<typeof createSessionState>, event: LoggedEvent) =>
  applyLine(state, event, JSON.stringify(event));

/** Each adds to the model's context, or changes what is in it. */
test.each([
  line("user.message", { content: "hi", messageId: "m" }),
  line("assistant.message", {
    content: "hello",
    toolRequests: [{ toolCallId: "c", name: "t", arguments: {} }],
  }),
  line("system.notification", {
    content: "<system_notification>\nagent a has ended\n</system_notification>",
  }),
  line("rightseat.context_added", { content: "a hook says" }),
  line("rightseat.notified", { messageId: "m" }),
])("a rewind takes back what $type added to the conversation", (event) => {
  const state = createSessionState();
  applyRewoundLine(state, event);
  expect(state).toMatchObject({ messages: [], openToolCalls: [], turns: 0, userRequests: 0 });
  expect(state.running).toBeUndefined();
});

test("a prompt whose run was taken back does not wait again", () => {
  const state = createSessionState();
  const waits = line("rightseat.prompt_queued", {
    prompt: { messageId: "m", prompt: "hi", steering: false },
  });
  for (const event of [waits, line("rightseat.prompt_queued", { prompt: { messageId: "n", prompt: "x" } })])
    applyRewoundLine(state, event);
  applyRewoundLine(state, line("user.message", { content: "hi", messageId: "m" }));
  applyRewoundLine(state, line("rightseat.notified", { messageId: "n" }));
  expect(state.queue).toEqual([]);
});

test("what people set, what calls cost and what a person ran is still so after a rewind", () => {
  const state = createSessionState();
  const usage = { inputTokens: 5, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 };
  for (const event of [
    line("session.model_change", { newModel: "m2" }),
    line("session.permissions_changed", { mode: "allow-all" }),
    line("rightseat.name_set", { name: "n" }),
    line("rightseat.usage", { model: "m", usage }),
    line("tool.user_requested", { toolCallId: "u" }),
    line("tool.execution_complete", { toolCallId: "u", isUserRequested: true, success: true }),
  ])
    applyRewoundLine(state, event);
  expect(state).toMatchObject({ model: "m2", permissions: { mode: "allow-all" }, name: "n" });
  expect(state.usageByModel.m).toMatchObject({ requests: 1, inputTokens: 5 });
  // Tokens of a context that is not the one any more.
  expect(state.lastInputTokens).toBe(0);
  expect(state.userToolCalls).toEqual([]);
});

test("a line of a type that nobody folds is carried", () => {
  const state = createSessionState();
  apply(state, line("later.event", {}));
  expect(state.publicEvents).toBe(1);
});
