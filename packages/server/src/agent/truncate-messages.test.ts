import { describe, expect, test } from "vitest";
import type { ModelMessage } from "../models/model-provider.ts";
import { summaryMessage } from "./compaction-summary.ts";
import { tokensOfMessages } from "./tokens.ts";
import { applyTruncation, planTruncation } from "./truncate-messages.ts";

const user = (content: string): ModelMessage => ({ role: "user", content });
const said = (content: string): ModelMessage => ({ role: "assistant", content, toolCalls: [] });
const calls = (...ids: string[]): ModelMessage => ({
  role: "assistant",
  content: "",
  toolCalls: ids.map((id) => ({ id, name: "look", arguments: "{}" })),
});
const result = (toolCallId: string, length: number): ModelMessage => ({
  role: "tool",
  toolCallId,
  content: "r".repeat(length),
});

function truncated(messages: readonly ModelMessage[], budget: number): readonly ModelMessage[] {
  const plan = planTruncation(messages, budget);
  return plan ? applyTruncation(messages, plan) : messages;
}

describe("truncating a conversation", () => {
  test("leaves one that fits as it is", () => {
    expect(planTruncation([user("hi"), said("hello")], 1000)).toBeUndefined();
  });

  test("shortens old tool results before anything goes, and not the latest", () => {
    const messages = [user("go"), calls("a"), result("a", 40_000), calls("b"), result("b", 8_000)];
    const after = truncated(messages, 4_000);
    expect(after).toHaveLength(messages.length);
    expect(after[2]?.content).toMatch(/^r{500}\n\[… 39000 characters left out .*\]\nr{500}$/);
    expect(after[4]).toEqual(messages[4]);
  });

  test("then lets the oldest exchanges go, but neither a summary nor the prompt in progress", () => {
    const long = "x".repeat(4_000);
    const summary = summaryMessage(["first"], "what was");
    const messages = [
      summary,
      said(long),
      user(long),
      calls("a"),
      result("a", 400),
      said(long),
      user("now"),
      calls("b"),
      result("b", 400),
    ];
    expect(truncated(messages, 600)).toEqual([summary, user("now"), calls("b"), result("b", 400)]);
  });

  test("then rounds of the prompt in progress, all but the last", () => {
    const messages = [
      user("go"),
      ...["a", "b", "c", "d"].flatMap((id) => [
        { ...calls(id), content: "y".repeat(4_000) } as ModelMessage,
        result(id, 100),
      ]),
    ];
    expect(truncated(messages, 1_200)).toEqual([messages[0], messages[7], messages[8]]);
  });

  test("shortens what is left when that alone is too long", () => {
    const after = truncated([user("x".repeat(100_000))], 1_000);
    expect(tokensOfMessages(after)).toBeLessThanOrEqual(1_000);
    expect(after[0]?.content).toMatch(/^x+\n\[… \d+ characters left out/);
  });

  test("takes images of tool results away with the rest", () => {
    const image = { mimeType: "image/png", base64: "AAAA" };
    const seen = { ...result("a", 10), images: [image, image] } as ModelMessage;
    const after = truncated([user("go"), calls("a"), seen, said("x".repeat(400)), user("next")], 200);
    expect(after[2]).toEqual(result("a", 10));
  });

  test("holds for any conversation: no call without its results, no result without its call, a user first", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 500; round += 1) {
      const messages: ModelMessage[] = [];
      for (let exchange = random(8) + 1; exchange > 0; exchange -= 1) {
        messages.push(user("u".repeat(random(3_000))));
        for (let step = random(4); step > 0; step -= 1) {
          const ids = Array.from(
            { length: random(3) + 1 },
            (_, index) => `${round}-${messages.length}-${index}`,
          );
          messages.push(calls(...ids), ...ids.map((id) => result(id, random(9_000))));
        }
        messages.push(said("a".repeat(random(3_000))));
      }
      messages.push(user("the prompt"));
      const budget = random(4_000) + 50;
      const after = truncated(messages, budget);
      expect(after[0]?.role).toBe("user");
      expect(after.at(-1)).toEqual(user("the prompt"));
      const asked = after.flatMap((message) =>
        message.role === "assistant" ? message.toolCalls.map((call) => call.id) : [],
      );
      const answered = after.flatMap((message) => (message.role === "tool" ? [message.toolCallId] : []));
      expect(answered).toEqual(asked);
      expect(tokensOfMessages(after)).toBeLessThanOrEqual(
        Math.max(budget, tokensOfMessages(messages.slice(-1))),
      );
    }
  });
});
