import { describe, expect, it } from "vitest";
import { Concessions } from "../concessions.ts";
import type { ModelRequest } from "../model-provider.ts";
import { CHAT_CONCESSIONS } from "./concessions.ts";
import { chooseChatDialect, toChatBody } from "./request.ts";

const dialect = chooseChatDialect("openai", "http://localhost:11434/v1", "m");
const NOTHING_CONCEDED = new Concessions().for(CHAT_CONCESSIONS, "m", new AbortController().signal);
const bodyOf = (request: ModelRequest): unknown =>
  JSON.parse(Buffer.from(toChatBody(request, dialect, NOTHING_CONCEDED)).toString());
const IMAGE = { mimeType: "image/png", base64: "aaaa" };

describe("toChatBody", () => {
  it("leaves out what is not there", () => {
    const body = bodyOf({
      model: "m",
      system: "",
      messages: [{ role: "user", content: "Hi" }],
      tools: [],
      stream: false,
    });
    expect(body).toEqual({ model: "m", messages: [{ role: "user", content: "Hi" }] });
  });

  it("spells a whole conversation as the wire has it", () => {
    const body = bodyOf({
      model: "m",
      system: "S",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "t" },
            { type: "image", ...IMAGE },
            { type: "document", mimeType: "application/pdf", base64: "bbbb", name: "d.pdf" },
          ],
        },
        {
          role: "assistant",
          content: "",
          toolCalls: [
            { id: "1", name: "f", arguments: "{" },
            { id: "2", name: "f", arguments: "{}" },
          ],
        },
        { role: "tool", toolCallId: "1", content: "r1", images: [IMAGE] },
        { role: "tool", toolCallId: "2", content: "r2" },
        { role: "assistant", content: "done", toolCalls: [] },
      ],
      tools: [{ name: "f", description: "d", parameters: { type: "object", properties: {} } }],
      stream: true,
      maxOutputTokens: 9,
      reasoningEffort: "low",
    });
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,aaaa" } };
    expect(body).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "S" },
        {
          role: "user",
          content: [
            { type: "text", text: "t" },
            image,
            { type: "file", file: { filename: "d.pdf", file_data: "data:application/pdf;base64,bbbb" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "1", type: "function", function: { name: "f", arguments: "{" } },
            { id: "2", type: "function", function: { name: "f", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "1", content: "r1" },
        { role: "tool", tool_call_id: "2", content: "r2" },
        { role: "user", content: [{ type: "text", text: "Image from the tool results above:" }, image] },
        { role: "assistant", content: "done" },
      ],
      tools: [
        {
          type: "function",
          function: { name: "f", description: "d", parameters: { type: "object", properties: {} } },
        },
      ],
      max_tokens: 9,
      reasoning_effort: "low",
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

describe("chooseChatDialect", () => {
  it.each([
    ["https://api.openai.com/v1", "gpt-4o", "max_completion_tokens"],
    ["http://localhost:11434/v1", "llama3.1:8b", "max_tokens"],
    ["https://openrouter.ai/api/v1", "openai/gpt-5-mini", "max_completion_tokens"],
    ["https://openrouter.ai/api/v1", "openai/gpt-oss-20b", "max_tokens"],
  ])("at %s with %s limits by %s", (baseUrl, model, field) => {
    expect(chooseChatDialect("openai", baseUrl, model).maxTokensField).toBe(field);
  });
});
