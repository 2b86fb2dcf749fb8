import { expect, test } from "vitest";
import type { ModelMessage } from "../models/model-provider.ts";
import { roomBeside, toModelRequest, toQuestionRequest } from "./model-request.ts";
import type { ActiveModel } from "./run-host.ts";

const model = {
  id: "m",
  wireModel: "wire-m",
  supportsVision: false,
  maxPromptTokens: 1000,
  maxOutputTokens: 77,
  reasoningEffort: "low",
  reasoningSummary: "concise",
} as unknown as ActiveModel;
const asked = { model, system: "be kind", tools: [] };
const seen: ModelMessage = {
  role: "user",
  content: [
    { type: "text", text: "look" },
    { type: "image", mimeType: "image/png", base64: "AAAA" },
  ],
};

test("a request has what the model is called with, and what is added", () => {
  expect(toModelRequest(asked, [], { stream: false, userAgent: "u" })).toEqual({
    model: "wire-m",
    system: "be kind",
    messages: [],
    tools: [],
    stream: false,
    maxOutputTokens: 77,
    reasoningEffort: "low",
    reasoningSummary: "concise",
    userAgent: "u",
  });
});

test("a question goes behind the conversation, without images that the model cannot see", () => {
  const { messages } = toQuestionRequest(asked, [seen], "what now?");
  expect(JSON.stringify(messages)).not.toContain("AAAA");
  expect(messages.at(-1)).toEqual({ role: "user", content: "what now?" });
});

test("a conversation that leaves a question no room is shortened", () => {
  const long: ModelMessage[] = [1, 2, 3].flatMap((at) => [
    { role: "user", content: `prompt ${at} ${"word ".repeat(500)}` },
    { role: "assistant", content: "yes", toolCalls: [] },
  ]);
  const { messages } = toQuestionRequest(asked, long, "what now?", 200);
  expect(JSON.stringify(messages).length).toBeLessThan(JSON.stringify(long).length / 2);
  expect(roomBeside(asked, "what now?")).toBeLessThan(1000);
});
