import { collect, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import type { ModelEvent, ModelRequest } from "../model-provider.ts";
import { toCitations } from "./citations.ts";
import { createAnthropicProvider } from "./provider.ts";
import { toMessagesBody as toBody } from "./request.ts";

const toMessagesBody = (asked: ModelRequest) => toBody(asked, "anthropic:host/m");

const page = {
  cited_text: "is blue",
  document_index: 0,
  document_title: "sky.pdf",
  start_page_number: 1,
  end_page_number: 3,
};
const passage = { cited_text: "is", document_index: 1, start_char_index: 4, end_char_index: 6 };
const web = { cited_text: "blue", url: "https://example.org/sky", title: "Sky" };

describe("toCitations", () => {
  it("says which passages of the text rest on what, each source once", () => {
    const texts = [
      { characters: 8, citations: [] },
      { characters: 7, citations: [page, passage] },
      { characters: 2, citations: [] },
      { characters: 4, citations: [page, web] },
    ];
    expect(toCitations(texts)).toEqual({
      sources: [
        { id: "s0", provider: "anthropic", title: "sky.pdf" },
        { id: "s1", provider: "anthropic" },
        { id: "s2", provider: "anthropic", title: "Sky", url: "https://example.org/sky" },
      ],
      spans: [
        {
          startIndex: 8,
          endIndex: 15,
          references: [
            {
              sourceId: "s0",
              citedText: "is blue",
              location: { type: "page", startPage: 1, endPage: 2 },
              providerMetadata: { documentIndex: 0 },
            },
            {
              sourceId: "s1",
              citedText: "is",
              location: { type: "char", startIndex: 4, endIndex: 6 },
              providerMetadata: { documentIndex: 1 },
            },
          ],
        },
        {
          startIndex: 17,
          endIndex: 21,
          references: [
            {
              sourceId: "s0",
              citedText: "is blue",
              location: { type: "page", startPage: 1, endPage: 2 },
              providerMetadata: { documentIndex: 0 },
            },
            { sourceId: "s2", citedText: "blue" },
          ],
        },
      ],
    });
  });

  it("is undefined when nothing was cited", () => {
    expect(toCitations([{ characters: 5, citations: [] }])).toBeUndefined();
    expect(toCitations([{ characters: 0, citations: [page] }])).toBeUndefined();
  });
});

const document = {
  type: "document",
  mimeType: "application/pdf",
  base64: "JVBERi0=",
  name: "sky.pdf",
} as const;
const request: ModelRequest = {
  model: "m",
  system: "",
  messages: [{ role: "user", content: [document, { type: "text", text: "Why?" }] }],
  tools: [],
  stream: true,
};

describe("a request", () => {
  it("makes documents citable when it is asked to", () => {
    const blockOf = (citations: boolean) =>
      (toMessagesBody({ ...request, citations })["messages"] as { content: unknown[] }[])[0]?.content[0];
    expect(blockOf(true)).toEqual({
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
      title: "sky.pdf",
      citations: { enabled: true },
    });
    expect(blockOf(false)).not.toHaveProperty("citations");
  });
});

const sse = (events: readonly (readonly [string, object])[]) =>
  events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);

describe("an answer", () => {
  const expected = {
    sources: [{ id: "s0", provider: "anthropic", title: "sky.pdf" }],
    spans: [
      {
        startIndex: 4,
        endIndex: 11,
        references: [
          {
            sourceId: "s0",
            citedText: "is blue",
            location: { type: "page", startPage: 1, endPage: 2 },
            providerMetadata: { documentIndex: 0 },
          },
        ],
      },
    ],
  };
  const read = async (reply: object, stream: boolean) => {
    await using server = await startScriptedModelServer({ script: [reply] });
    const provider = createAnthropicProvider({ type: "anthropic", baseUrl: server.url });
    const events: ModelEvent[] = await collect(
      provider.generate({ ...request, stream }, new AbortController().signal),
    );
    const last = events.at(-1);
    return last?.type === "answer" ? last.answer : undefined;
  };

  it("brings its citations, streamed", async () => {
    const rawChunks = sse([
      ["message_start", { message: { id: "1", model: "m", content: [], usage: { input_tokens: 1 } } }],
      ["content_block_start", { index: 0, content_block: { type: "text", text: "" } }],
      ["content_block_delta", { index: 0, delta: { type: "text_delta", text: "Sky " } }],
      ["content_block_stop", { index: 0 }],
      ["content_block_start", { index: 1, content_block: { type: "text", text: "", citations: [] } }],
      ["content_block_delta", { index: 1, delta: { type: "citations_delta", citation: page } }],
      ["content_block_delta", { index: 1, delta: { type: "text_delta", text: "is blue" } }],
      ["content_block_stop", { index: 1 }],
      ["message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }],
      ["message_stop", {}],
    ]);
    const answer = await read({ rawChunks, headers: { "content-type": "text/event-stream" } }, true);
    expect(answer).toMatchObject({ content: "Sky is blue", citations: expected });
  });

  it("brings its citations, whole", async () => {
    const content = [
      { type: "text", text: "Sky ", citations: null },
      { type: "text", text: "is blue", citations: [page] },
    ];
    const body = { id: "1", type: "message", model: "m", content, stop_reason: "end_turn", usage: {} };
    expect(await read({ body }, false)).toMatchObject({ content: "Sky is blue", citations: expected });
  });
});
