import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { collect } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import { ANSWER_CAPS } from "./answer-budget.ts";
import { type AnyProviderSettings, createProvider } from "./create-provider.ts";
import type { ModelError, ModelProvider } from "./model-provider.ts";
import { MAX_TOOL_CALLS } from "./tool-call-parts.ts";

/** What comes in from a provider × its cap. Every answer goes on until the connection is closed. */
const MIB = 1024 * 1024;
const A = "a".repeat(64 * 1024);
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const chat = (delta: object) => event({ choices: [{ index: 0, delta }] });

interface Endless {
  readonly type?: string;
  readonly status?: number;
  readonly head?: string;
  readonly piece: string;
}

/** A provider's server whose answers have no end. It counts what it could send before it was hung up on. */
async function startEndless(answer: Endless) {
  let sent = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(answer.status ?? 200, { "content-type": answer.type ?? "text/event-stream" });
      response.on("error", () => undefined);
      if (answer.head) response.write(answer.head);
      pump(response);
    });
  });
  const pump = (response: ServerResponse): void => {
    while (!response.destroyed) {
      sent += answer.piece.length;
      if (!response.write(answer.piece)) return void response.once("drain", () => pump(response));
    }
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const generate = (provider: ModelProvider) =>
  collect(
    provider.generate(
      { model: "m", system: "", messages: [{ role: "user", content: "go" }], tools: [], stream: true },
      new AbortController().signal,
    ),
  );
const list = (provider: ModelProvider) =>
  provider.listModels?.(new AbortController().signal) ?? Promise.resolve([]);

async function errorOf(
  answer: Endless,
  toSettings: (baseUrl: string) => AnyProviderSettings,
  act: (provider: ModelProvider) => Promise<unknown>,
): Promise<{ error: ModelError; sent: number }> {
  await using server = await startEndless(answer);
  const error = await act(createProvider(toSettings(server.url))).then(
    () => undefined,
    (thrown: unknown) => thrown as ModelError,
  );
  return { error: error as ModelError, sent: server.sent };
}

const CHAT = (baseUrl: string): AnyProviderSettings => ({ type: "openai", baseUrl });
const RESPONSES = (baseUrl: string): AnyProviderSettings => ({
  type: "openai",
  wireApi: "responses",
  baseUrl,
});
const MESSAGES = (baseUrl: string): AnyProviderSettings => ({ type: "anthropic", baseUrl });

/** What sockets and pipes on both sides hold besides. */
const SLACK = 16 * MIB;
const { eventCharacters, answerCharacters, otherCharacters, streamBytes, wholeBytes, listBytes } =
  ANSWER_CAPS;

describe.each<[string, number, Endless, typeof CHAT, typeof generate | typeof list]>([
  ["the line of an event", eventCharacters, { head: "data: ", piece: A }, CHAT, generate],
  ["the lines of one event", eventCharacters, { piece: `data: ${A}\n` }, CHAT, generate],
  ["comments between events", streamBytes, { piece: `:${A}\n` }, CHAT, generate],
  ["text", answerCharacters, { piece: chat({ content: A }) }, CHAT, generate],
  ["reasoning", answerCharacters, { piece: chat({ reasoning_content: A }) }, CHAT, generate],
  [
    "arguments of a tool call",
    answerCharacters,
    { piece: chat({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: A } }] }) },
    CHAT,
    generate,
  ],
  ["events that say nothing", otherCharacters, { piece: chat({ nothing: A }) }, CHAT, generate],
  [
    "a whole answer in JSON",
    wholeBytes,
    { type: "application/json", head: '{"a":"', piece: A },
    CHAT,
    generate,
  ],
  ["a list of models", listBytes, { type: "application/json", head: '{"a":"', piece: A }, CHAT, list],
  [
    "a list of Anthropic's models",
    listBytes,
    { type: "application/json", head: '{"a":"', piece: A },
    MESSAGES,
    list,
  ],
  [
    "text of Responses",
    answerCharacters,
    { piece: event({ type: "response.output_text.delta", delta: A }) },
    RESPONSES,
    generate,
  ],
  [
    "reasoning items of Responses",
    otherCharacters,
    {
      piece: event({
        type: "response.output_item.done",
        output_index: 0,
        item: { type: "reasoning", encrypted_content: A },
      }),
    },
    RESPONSES,
    generate,
  ],
  [
    "arguments of Messages",
    answerCharacters,
    {
      head: event({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "c", name: "f" },
      }),
      piece: event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: A },
      }),
    },
    MESSAGES,
    generate,
  ],
  [
    "signatures of Messages",
    otherCharacters,
    {
      head: event({ type: "content_block_start", index: 0, content_block: { type: "thinking" } }),
      piece: event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "signature_delta", signature: A },
      }),
    },
    MESSAGES,
    generate,
  ],
])("%s without an end", (_, cap, answer, toSettings, act) => {
  it(`is an error that names the cap of ${cap}, and no more is read`, async () => {
    const { error, sent } = await errorOf(answer, toSettings, act);
    expect(error).toMatchObject({ name: "ModelError", kind: "answer-too-large", retryable: false });
    expect(error.message).toContain(`more than ${cap} `);
    expect(sent).toBeLessThan(cap * 1.1 + SLACK);
  });
});

describe("a provider's answer", () => {
  it("with a body of an error without an end is that error, and no more is read", async () => {
    const { error, sent } = await errorOf({ status: 400, piece: A }, CHAT, generate);
    expect(error).toMatchObject({ kind: "invalid-request", status: 400 });
    expect(sent).toBeLessThan(SLACK);
  });

  it.each([
    ["event", { piece: `data: ${"[".repeat(10_000)}\n\n` }],
    ["whole", { type: "application/json", head: "[".repeat(wholeBytes - 1), piece: A }],
  ])("that is nested too deep is refused unparsed (%s)", async (_, answer) => {
    const { error } = await errorOf(answer, CHAT, generate);
    expect(error).toMatchObject({ kind: "answer-too-large" });
  });

  it("asks for so many tools at once, and for no more", async () => {
    const piece = (from: number) =>
      chat({
        tool_calls: Array.from({ length: 100_000 }, (_, index) => ({
          index: from + index,
          id: `c${index}`,
          function: { name: "f" },
        })),
      });
    const { error } = await errorOf({ piece: piece(0) }, CHAT, generate);
    expect(error).toMatchObject({ kind: "answer-too-large" });
    expect(error.message).toContain(`more than ${MAX_TOOL_CALLS} tools`);
  });
});
