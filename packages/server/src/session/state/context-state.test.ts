import { describe, expect, test } from "vitest";
import { applyLine, type LoggedEvent } from "./projection.ts";
import { createSessionState, type SessionState } from "./session-state.ts";

function fold(...events: LoggedEvent[]): SessionState {
  const state = createSessionState();
  for (const event of events) applyLine(state, event, JSON.stringify(event));
  return state;
}

const user = (content: string, more: object = {}): LoggedEvent => ({
  type: "user.message",
  data: { content, ...more },
});
const said = (content: string, ...calls: string[]): LoggedEvent => ({
  type: "assistant.message",
  data: { content, toolRequests: calls.map((toolCallId) => ({ toolCallId, name: "look", arguments: {} })) },
});
const result = (toolCallId: string, content = "found"): LoggedEvent => ({
  type: "tool.execution_complete",
  data: { toolCallId, success: true, result: { content } },
});
const start: LoggedEvent = { type: "session.compaction_start", data: {} };
const complete = (summaryContent: string, more: object = {}): LoggedEvent => ({
  type: "session.compaction_complete",
  data: { success: true, summaryContent, ...more },
});

/** The conversation in short. */
const short = ({ messages }: SessionState) =>
  messages.map((message) => `${message.role}: ${String(message.content).replace(/\n/g, " ")}`);
const HEAD = "user: Some of the conversation history has been summarized to free up context.";

test("results that came in any order are read in the order of the calls", () => {
  const round = [user("go"), said("", "a", "b", "c")];
  const inOrder = fold(...round, result("a", "A"), result("b", "B"), result("c", "C"));
  const raced = fold(...round, result("c", "C"), result("a", "A"), result("b", "B"));
  expect(short(inOrder)).toEqual(["user: go", "assistant: ", "tool: A", "tool: B", "tool: C"]);
  expect(raced.messages).toEqual(inOrder.messages);
  const next = fold(...round, result("c"), result("a"), result("b"), said("", "a"), result("a", "again"));
  expect(short(next).slice(-2)).toEqual(["assistant: ", "tool: again"]);
});

describe("a compaction", () => {
  test("stands for what was said before it began; what came meanwhile follows it", () => {
    const state = fold(user("one"), said("1"), user("two"), start, said("2"), user("three"), complete("SUM"));
    expect(short(state)).toEqual([
      expect.stringMatching(
        /^user: Some of .* <user_message> one <\/user_message> <user_message> two <\/user_message> {2}Here is .* <summary> SUM <\/summary>$/,
      ),
      "assistant: 2",
      "user: three",
    ]);
    expect(short(state)[0]?.startsWith(HEAD)).toBe(true);
    expect(state.compactions).toBe(1);
  });

  test("that has not ended, or failed, leaves the context as it is", () => {
    const before = [user("one"), said("1"), user("two")];
    const failed: LoggedEvent = {
      type: "session.compaction_complete",
      data: { success: false, error: "no" },
    };
    expect(fold(...before, start).messages).toEqual(fold(...before).messages);
    expect(fold(...before, start, failed).messages).toEqual(fold(...before).messages);
    expect(fold(...before, start, failed).compaction).toBeUndefined();
  });

  test("keeps a short last round of tool calls word for word, and never splits one", () => {
    const kept = fold(user("go"), said("", "a", "b"), result("a"), result("b"), start, complete("SUM"));
    expect(short(kept).slice(1)).toEqual(["assistant: ", "tool: found", "tool: found"]);
    const long = fold(
      user("go"),
      said("", "a", "b"),
      result("a", "x".repeat(9_000)),
      result("b"),
      start,
      complete("SUM"),
    );
    expect(short(long)).toHaveLength(1);
  });

  test("leaves calls alone that still run", () => {
    const state = fold(user("go"), said("", "a", "b"), result("a"), start, result("b"), complete("SUM"));
    expect(short(state).slice(1)).toEqual(["assistant: ", "tool: found", "tool: found"]);
    expect(state.openToolCalls).toEqual([]);
  });

  test("repeats the prompts of all before it, without what users did not write", () => {
    const state = fold(
      user("one"),
      user("two", { transformedContent: "two, with an attachment" }),
      user("a notice", { source: "system" }),
      said("1"),
      start,
      complete("FIRST"),
      user("three"),
      said("3"),
      start,
      complete("SECOND"),
    );
    const text = String(state.messages[0]?.content);
    expect([...text.matchAll(/<user_message>\n(.*)\n<\/user_message>/g)].map((match) => match[1])).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(text).toContain("SECOND");
    expect(text).not.toContain("FIRST");
  });

  test("keeps the prompts bounded: the first, and the latest that there is room for", () => {
    const prompts = Array.from({ length: 200 }, (_, index) => user(`${index} ${"p".repeat(3_000)}`));
    const state = fold(...prompts, start, complete("SUM"));
    const total = state.summarisedPrompts?.reduce((sum, prompt) => sum + prompt.length, 0) ?? 0;
    expect(total).toBeLessThanOrEqual(32_000);
    expect(state.summarisedPrompts?.[0]).toMatch(/^0 /);
    expect(state.summarisedPrompts?.at(-1)).toMatch(/^199 /);
  });

  test("that another program began nowhere stands for everything", () => {
    const state = fold(user("one"), said("1"), complete("SUM"));
    expect(short(state)).toHaveLength(1);
  });

  test("is void when the context was cleared meanwhile", () => {
    const cleared: LoggedEvent = { type: "session.context_cleared", data: { messagesCleared: 1 } };
    expect(fold(user("one"), start, cleared, user("two")).compaction).toBeUndefined();
  });
});

test("tokens that a provider counted stand for the messages of that call and its answer", () => {
  const usage = (more: object = {}): LoggedEvent => ({
    type: "rightseat.usage",
    data: { model: "m", usage: { inputTokens: 90, outputTokens: 10 }, ...more },
  });
  expect(fold(user("one"), usage(), said("1")).counted).toEqual({ tokens: 100, messages: 2 });
  expect(fold(user("one"), usage({ aside: true }), said("1")).counted).toBeUndefined();
  expect(fold(user("one"), usage(), said("1"), start, complete("SUM")).counted).toBeUndefined();
  expect(fold(user("one"), usage({ aside: true })).usageByModel.m?.requests).toBe(1);
});

test("a truncation in the log makes the same context again", () => {
  const plan = { dropped: [[0, 2]], shortened: [[3, 500]] };
  const state = fold(user("one"), said("1"), user("two"), said("x".repeat(2_000)), {
    type: "rightseat.truncated",
    data: plan,
  });
  expect(state.messages).toHaveLength(2);
  expect(state.messages[1]?.content.length).toBeLessThan(700);
});
