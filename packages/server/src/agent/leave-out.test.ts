import { describe, expect, it } from "vitest";
import { ModelError, type ModelMessage } from "../models/model-provider.ts";
import { chooseLeftOut, isRefusal, leaveOut } from "./leave-out.ts";

const user = (content: string): ModelMessage => ({ role: "user", content });
const refusal = (message: string) => new ModelError("invalid-request", message, { status: 400 });
const CONVERSATION: ModelMessage[] = [
  {
    role: "user",
    content: [
      { type: "text", text: "see" },
      { type: "image", mimeType: "image/png", base64: "x" },
    ],
  },
  {
    role: "assistant",
    content: "",
    toolCalls: [{ id: "a", name: "f", arguments: "{}", extra: 1 }],
    reasoning: { text: "hm" },
  },
  { role: "tool", toolCallId: "a", content: "done", images: [{ mimeType: "image/png", base64: "x" }] },
];
const NOTE = "[An image was left out: the provider did not take it.]";

describe("a conversation that is refused", () => {
  it("is left without images first, then without more and more", () => {
    const unexplained = refusal("Bad request");
    expect(chooseLeftOut(CONVERSATION, unexplained, [])).toEqual(["images"]);
    expect(chooseLeftOut(CONVERSATION, unexplained, ["images"])).toEqual(["images", "reasoning"]);
    expect(chooseLeftOut(CONVERSATION, unexplained, ["images", "reasoning"])).toEqual([
      "images",
      "reasoning",
      "calls",
    ]);
    const all = ["images", "reasoning", "calls"] as const;
    expect(chooseLeftOut(CONVERSATION, unexplained, all)).toEqual(all);
    expect(chooseLeftOut([user("a")], unexplained, all)).toBeUndefined();
    expect(chooseLeftOut([user("a")], unexplained, [])).toBeUndefined();
  });

  it("is left without what the refusal speaks of, if it has any", () => {
    expect(chooseLeftOut(CONVERSATION, refusal("Invalid signature in thinking block"), [])).toEqual([
      "reasoning",
    ]);
    expect(chooseLeftOut([user("a"), user("b")], refusal("Invalid image"), [])).toEqual(["prompts"]);
  });

  it("is no longer tried for other failures", () => {
    expect(isRefusal(refusal("x"))).toBe(true);
    expect(isRefusal(new ModelError("invalid-request", "not sent"))).toBe(false);
    expect(isRefusal(new ModelError("authentication", "x", { status: 400 }))).toBe(false);
  });
});

describe("leaveOut", () => {
  it("puts a line in the place of each image, and tells calls as text", () => {
    expect(leaveOut(CONVERSATION, ["images", "reasoning", "calls"])).toEqual([
      { role: "user", content: `see\n${NOTE}` },
      { role: "assistant", content: "[Call of the tool f] {}", toolCalls: [] },
      { role: "user", content: `[Result of a tool]\ndone\n${NOTE}`, prompt: "" },
    ]);
  });

  it("drops prompts without an answer but the last, and not what belongs to the last", () => {
    const context: ModelMessage = { role: "user", content: "context", prompt: "" };
    const answered: ModelMessage[] = [user("a"), { role: "assistant", content: "b", toolCalls: [] }];
    expect(leaveOut([...answered, user("bad"), user("next"), context], ["prompts"])).toEqual([
      ...answered,
      user("next"),
      context,
    ]);
    const whole = [...answered, user("next"), context];
    expect(leaveOut(whole, ["prompts"])).toBe(whole);
  });
});
