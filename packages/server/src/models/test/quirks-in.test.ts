import { gzipSync } from "node:zlib";
import type { ScriptedReply } from "@rightseat/testing";
import { expect } from "vitest";
import { describeQuirksIn, type QuirkIn } from "./describe-quirks.ts";

const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const DONE = "data: [DONE]\n\n";
const event = (data: { type: string; [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const call = (number: number, args: unknown) => ({
  type: "function_call",
  id: `fc_${number}`,
  call_id: `call_${number}`,
  name: "add",
  arguments: args,
});
const added = (item: object, more: object = {}) =>
  event({ type: "response.output_item.added", item, ...more });
const itemDone = (item: object, more: object = {}) =>
  event({ type: "response.output_item.done", item, ...more });
const argumentsDelta = (delta: string, more: object = {}) =>
  event({ type: "response.function_call_arguments.delta", delta, ...more });
const completed = (more: object = { output: [] }) =>
  event({ type: "response.completed", response: { id: "r", status: "completed", ...more } });
const ONE = '{"n":1}';
const TWO = '{"n":2}';
const CALLS = [
  { id: "call_1", name: "add", arguments: ONE },
  { id: "call_2", name: "add", arguments: TWO },
];

const blockDelta = (delta: object, more: object = {}) =>
  event({ type: "content_block_delta", delta, ...more });
const blockStart = (content_block: object, more: object = {}) =>
  event({ type: "content_block_start", content_block, ...more });
const messageDelta = (stop_reason: string) => event({ type: "message_delta", delta: { stop_reason } });
const STOP = event({ type: "message_stop" });

const WHOLE_CHAT = {
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Yes" } }],
};
const WHOLE_RESPONSE = {
  id: "r",
  status: "completed",
  output: [{ type: "message", content: [{ type: "output_text", text: "Yes" }] }],
};
const WHOLE_MESSAGE = { type: "message", content: [{ type: "text", text: "Yes" }], stop_reason: "end_turn" };
const GOOD = {
  chat: [chunk({ content: "Y" }), chunk({ content: "es" }), chunk({}, "stop"), DONE].join(""),
  responses: [
    event({ type: "response.output_text.delta", delta: "Y" }),
    event({ type: "response.output_text.delta", delta: "es" }),
    completed(),
  ].join(""),
  messages: [
    blockStart({ type: "text", text: "" }, { index: 0 }),
    blockDelta({ type: "text_delta", text: "Y" }, { index: 0 }),
    blockDelta({ type: "text_delta", text: "es" }, { index: 0 }),
    messageDelta("end_turn"),
    STOP,
  ].join(""),
} as const;
/** The same for every wire, made of its good answer. */
const onAll = (toReply: (body: string) => ScriptedReply) => ({
  chat: toReply(GOOD.chat),
  responses: toReply(GOOD.responses),
  messages: toReply(GOOD.messages),
});
const YES = { answer: { content: "Yes", toolCalls: [], finishReason: "stop" } };

/** How providers answer. A row is a quirk; its cells are the wires that can have it, on every host of theirs. */
const QUIRKS: readonly QuirkIn[] = [
  {
    quirk: "reasoning comes under the name `reasoning`",
    seenAt: "OpenRouter, Ollama, Groq",
    sends: {
      chat: {
        rawChunks: [chunk({ reasoning: "Hm. " }), chunk({ content: "Yes" }), chunk({}, "stop"), DONE],
      },
    },
    gives: { answer: { content: "Yes", reasoning: { text: "Hm. " } } },
  },
  {
    quirk: "a call of a tool ends as if nothing were asked for",
    seenAt: "Gemini, vLLM",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "clock", arguments: "{}" } }] }),
          chunk({}, "stop"),
          DONE,
        ],
      },
    },
    gives: {
      answer: { finishReason: "tool-calls", toolCalls: [{ id: "a", name: "clock", arguments: "{}" }] },
    },
  },
  {
    quirk: "a surrogate pair comes in two deltas",
    seenAt: "vLLM, llama.cpp, gateways in JavaScript",
    sends: {
      chat: {
        rawChunks: [
          String.raw`data: {"choices":[{"index":0,"delta":{"content":"hi \ud83d"}}]}`,
          "\n\n",
          String.raw`data: {"choices":[{"index":0,"delta":{"content":"\ude00! \ud83d"}}]}`,
          "\n\n",
          chunk({}, "stop"),
          DONE,
        ],
      },
    },
    gives: { answer: { content: "hi 😀! \ufffd" } },
    deltas: ["hi ", "😀! ", "\ufffd"],
  },
  {
    quirk: "`[DONE]` comes without a reason to finish",
    seenAt: "Ollama, proxies for local models",
    sends: {
      chat: { rawChunks: [chunk({ content: "Yes" }), DONE] },
      responses: { rawChunks: [event({ type: "response.output_text.delta", delta: "Yes" }), DONE] },
      messages: {
        rawChunks: [blockDelta({ type: "text_delta", text: "Yes" }), messageDelta("end_turn"), DONE],
      },
    },
    gives: { answer: { content: "Yes" } },
  },
  {
    quirk: "empty data keeps the connection alive",
    seenAt: "Cloudflare, gateways",
    sends: onAll((body) => ({
      rawChunks: ["data: \n\n", "data:\n\n", ":\n\n", body.replace("\n\n", "\n\ndata: \n\n")],
    })),
    gives: YES,
  },
  {
    quirk: "lines end in CRLF, with comments and no space after the colon",
    seenAt: "OpenRouter, Azure, .NET servers",
    sends: onAll((body) => ({
      rawChunks: [": PROCESSING\r\n\r\n", body.replaceAll("data: ", "data:").replaceAll("\n", "\r\n")],
    })),
    gives: YES,
  },
  {
    quirk: "the blank line behind the last event is missing",
    seenAt: "proxies",
    sends: onAll((body) => ({ rawChunks: [body.trimEnd()] })),
    gives: YES,
  },
  {
    quirk: "every byte is written by itself",
    seenAt: "slow networks",
    sends: onAll((body) => ({ rawChunks: [...Buffer.from(body)].map((byte) => Uint8Array.of(byte)) })),
    gives: YES,
  },
  {
    quirk: "the answer is compressed although nobody asked for it",
    seenAt: "nginx, corporate proxies",
    sends: onAll((body) => ({ headers: { "content-encoding": "gzip" }, rawChunks: [gzipSync(body)] })),
    gives: YES,
  },
  {
    quirk: "the answer is JSON although a stream was asked for",
    seenAt: "LM Studio, servers without streaming",
    sends: {
      chat: { body: WHOLE_CHAT, status: 200 },
      responses: { body: WHOLE_RESPONSE, status: 200 },
      messages: { body: WHOLE_MESSAGE, status: 200 },
    },
    gives: { answer: { content: "Yes" } },
  },
  {
    quirk: "the answer is JSON that says it is a stream",
    seenAt: "gateways that set the type before they know",
    sends: {
      chat: { rawChunks: [JSON.stringify(WHOLE_CHAT, null, 2)] },
      responses: { rawChunks: [JSON.stringify(WHOLE_RESPONSE)] },
      messages: { rawChunks: [JSON.stringify(WHOLE_MESSAGE, null, 2)] },
    },
    gives: { answer: { content: "Yes" } },
  },
  {
    quirk: "an error comes in the stream, after a status of 200",
    seenAt: "OpenRouter, vLLM, Bedrock gateways",
    sends: onAll(() => ({ rawChunks: [`data: {"error":{"message":"the backend is gone","code":400}}\n\n`] })),
    gives: { error: { message: expect.stringContaining("the backend is gone"), status: 400 } },
  },
  {
    quirk: "an error comes as an event of that name, in a text",
    seenAt: "TGI, proxies",
    sends: onAll(() => ({ rawChunks: ["event: error\ndata: the backend is gone\n\n"] })),
    gives: { error: { message: expect.stringContaining("the backend is gone") } },
  },
  {
    quirk: "an error comes as an event of that name, in an object",
    seenAt: "Bedrock gateways",
    sends: onAll(() => ({ rawChunks: [`event: error\ndata: {"message":"the backend is gone"}\n\n`] })),
    gives: { error: { message: expect.stringContaining("the backend is gone") } },
  },
  {
    quirk: "an error comes as JSON in place of a stream",
    seenAt: "LM Studio, gateways",
    sends: onAll(() => ({
      rawChunks: [`{"error":{"message":"the backend is gone","type":"invalid_request_error"}}`],
    })),
    gives: { error: { message: expect.stringContaining("the backend is gone"), kind: "invalid-request" } },
  },
  {
    quirk: "content is a list of parts, thinking among them",
    seenAt: "Mistral",
    sends: {
      chat: {
        rawChunks: [
          chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm. " }] }] }),
          chunk({
            content: [
              { type: "text", text: "Y" },
              { type: "reference", reference_ids: [1] },
            ],
          }),
          chunk({ content: "es" }),
          chunk({ content: "" }, "stop"),
          DONE,
        ],
      },
    },
    gives: { answer: { content: "Yes", reasoning: { text: "Hm. " } } },
    deltas: ["Y", "es"],
  },
  {
    quirk: "the reason to finish is in capitals",
    seenAt: "Gemini's gateways",
    sends: { chat: { rawChunks: [chunk({ content: "Yes" }), chunk({}, "STOP"), DONE] } },
    gives: YES,
  },
  {
    quirk: "a filter of content cut the answer off",
    seenAt: "Azure, Gemini",
    sends: {
      chat: { rawChunks: [chunk({ content: "Ye" }), chunk({}, "SAFETY"), DONE] },
      messages: {
        rawChunks: [blockDelta({ type: "text_delta", text: "Ye" }), messageDelta("refusal"), STOP],
      },
    },
    gives: { answer: { content: "Ye", finishReason: "content-filter" } },
  },
  {
    quirk: "calls of tools come without ids and indexes",
    seenAt: "Gemini, Ollama",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ function: { name: "add", arguments: ONE } }] }),
          chunk({ tool_calls: [{ function: { name: "add", arguments: { n: 2 } } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
      messages: {
        rawChunks: [
          blockStart({ type: "tool_use", name: "add", input: {} }),
          blockDelta({ type: "input_json_delta", partial_json: ONE }),
          blockStart({ type: "tool_use", name: "add", input: {} }),
          blockDelta({ type: "input_json_delta", partial_json: TWO }),
          messageDelta("tool_use"),
          STOP,
        ],
      },
    },
    gives: {
      answer: {
        toolCalls: [
          { id: expect.stringMatching(/./), name: "add", arguments: ONE },
          { id: expect.stringMatching(/./), name: "add", arguments: TWO },
        ],
      },
    },
  },
  {
    quirk: "several calls have one place in the output",
    seenAt: "LM Studio, LiteLLM",
    sends: {
      responses: {
        rawChunks: [
          added(call(1, ""), { output_index: 0 }),
          added(call(2, ""), { output_index: 0 }),
          argumentsDelta(ONE, { output_index: 0, item_id: "fc_1" }),
          argumentsDelta(TWO, { output_index: 0, item_id: "fc_2" }),
          itemDone(call(1, ONE), { output_index: 0 }),
          itemDone(call(2, TWO), { output_index: 0 }),
          completed(),
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS } },
  },
  {
    quirk: "calls have no place in the output",
    seenAt: "Ollama",
    sends: {
      responses: { rawChunks: [itemDone(call(1, ONE)), itemDone(call(2, TWO)), completed()] },
    },
    gives: { answer: { toolCalls: CALLS } },
  },
  {
    quirk: "arguments come whole at first, and again in pieces",
    seenAt: "vLLM, LiteLLM",
    sends: {
      responses: {
        rawChunks: [
          added(call(1, ONE), { output_index: 0 }),
          argumentsDelta(ONE, { output_index: 0, item_id: "fc_1" }),
          itemDone(call(1, ONE), { output_index: 0 }),
          completed(),
        ],
      },
      messages: {
        rawChunks: [
          blockStart({ type: "tool_use", id: "call_1", name: "add", input: { n: 1 } }, { index: 0 }),
          blockDelta({ type: "input_json_delta", partial_json: ONE }, { index: 0 }),
          messageDelta("tool_use"),
          STOP,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "arguments come only when they are whole",
    seenAt: "xAI, OpenRouter",
    sends: {
      responses: {
        rawChunks: [
          added(call(1, ""), { output_index: 0 }),
          event({ type: "response.function_call_arguments.done", item_id: "fc_1", arguments: ONE }),
          completed({}),
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "the end says what the pieces did not",
    seenAt: "LM Studio",
    sends: {
      responses: {
        rawChunks: [
          added(call(1, ""), { output_index: 0 }),
          argumentsDelta('{"n":7', { output_index: 0 }),
          itemDone(call(1, ONE), { output_index: 0 }),
          event({ type: "response.done", response: { status: "completed" } }),
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "the response that ends it leaves its output out",
    seenAt: "vLLM, LiteLLM",
    sends: {
      responses: { rawChunks: [event({ type: "response.output_text.delta", delta: "Yes" }), completed({})] },
    },
    gives: YES,
  },
  {
    quirk: "text comes only when it is whole",
    seenAt: "Ollama",
    sends: {
      responses: { rawChunks: [event({ type: "response.output_text.done", text: "Yes" }), completed()] },
    },
    gives: YES,
  },
  {
    quirk: "events have no index, and nothing says that the message stops",
    seenAt: "LiteLLM, Bedrock gateways",
    sends: {
      messages: {
        rawChunks: [
          blockStart({ type: "text", text: "" }),
          blockDelta({ type: "text_delta", text: "Yes" }),
          messageDelta("end_turn"),
        ],
      },
    },
    gives: YES,
  },
  {
    quirk: "null stands where something is left out",
    seenAt: "gateways in Java and .NET",
    sends: {
      chat: {
        rawChunks: [
          chunk({ role: "assistant", content: null, tool_calls: null }),
          `data: {"id":"c","choices":null,"usage":null,"error":null}\n\n`,
          `data: {"id":"c","choices":[{"index":0,"delta":null}]}\n\n`,
          chunk({ content: "Yes", tool_calls: [null] }),
          chunk({}, "stop"),
          DONE,
        ],
      },
      messages: {
        rawChunks: [
          event({ type: "message_start", message: null }),
          blockStart({ type: "text", text: null, citations: null }, { index: 0 }),
          blockDelta({ type: "text_delta", text: "Yes" }, { index: 0 }),
          event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: null }),
          STOP,
        ],
      },
      responses: {
        rawChunks: [
          event({ type: "response.output_item.added", item: null }),
          event({ type: "response.output_text.delta", delta: "Yes" }),
          completed({ output: null, usage: null, error: null, incomplete_details: null }),
        ],
      },
    },
    gives: YES,
  },
  {
    quirk: "calls side by side have one index and no ids",
    seenAt: "Gemini",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "", function: { name: "add", arguments: ONE } }] }),
          chunk({ tool_calls: [{ index: 0, id: "", function: { name: "add", arguments: TWO } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: [{ arguments: ONE }, { arguments: TWO }] } },
  },
  {
    quirk: "a call's name is said again with each piece of it",
    seenAt: "LM Studio, gateways",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "add", arguments: '{"n"' } }] }),
          chunk({ tool_calls: [{ index: 0, id: null, function: { name: "add", arguments: ":1}" } }] }),
          chunk({ tool_calls: [{ index: 0, id: "", function: { name: "add", arguments: "" } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "pieces of several calls come in turns, the names behind the first of them",
    seenAt: "SGLang, vLLM",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 1, id: "call_1", function: { arguments: '{"n"' } }] }),
          chunk({ tool_calls: [{ index: 3, id: "call_2", function: { arguments: '{"n"' } }] }),
          chunk({ tool_calls: [{ index: 1, function: { name: "add", arguments: ":1}" } }] }),
          chunk({ tool_calls: [{ index: 3, function: { name: "add", arguments: ":2}" } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS } },
  },
  ...["{}", ONE].map(
    (first): QuirkIn => ({
      quirk: `${first === ONE ? "whole arguments" : "empty arguments"} come in front of the pieces`,
      seenAt: "LiteLLM, Azure, vLLM",
      sends: {
        chat: {
          rawChunks: [
            chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "add", arguments: first } }] }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '{"n"' } }] }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
            chunk({}, "tool_calls"),
            DONE,
          ],
        },
        responses: {
          rawChunks: [
            added(call(1, ""), { output_index: 0 }),
            argumentsDelta(first, { output_index: 0, item_id: "fc_1" }),
            argumentsDelta(ONE, { output_index: 0, item_id: "fc_1" }),
            completed(),
          ],
        },
        messages: {
          rawChunks: [
            blockStart({ type: "tool_use", id: "call_1", name: "add", input: {} }, { index: 0 }),
            blockDelta({ type: "input_json_delta", partial_json: first }, { index: 0 }),
            blockDelta({ type: "input_json_delta", partial_json: ONE }, { index: 0 }),
            messageDelta("tool_use"),
            STOP,
          ],
        },
      },
      gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
    }),
  ),
  {
    quirk: "the answer is whole, and the connection stays open and silent",
    seenAt: "servers of local models, proxies that keep connections",
    sends: {
      chat: { rawChunks: [chunk({ content: "Yes" }), Buffer.from(chunk({}, "stop"))], hang: true },
      messages: {
        rawChunks: [blockDelta({ type: "text_delta", text: "Yes" }), Buffer.from(messageDelta("end_turn"))],
        hang: true,
      },
    },
    idleTimeoutMs: 200,
    gives: YES,
  },
  {
    quirk: "ids of calls are numbers",
    seenAt: "TGI",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: 0, function: { name: "add", arguments: { n: 1 } } }] }),
          chunk({ tool_calls: [{ index: 1, id: 17, function: { name: "add", arguments: { n: 2 } } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: {
      answer: {
        toolCalls: [
          { id: expect.stringMatching(/./), arguments: ONE },
          { id: "17", arguments: TWO },
        ],
      },
    },
  },
  {
    quirk: "arguments are null",
    seenAt: "Ollama, Mistral",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "clock", arguments: null } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
      responses: { rawChunks: [itemDone({ ...call(1, null), name: "clock", call_id: "a" }), completed()] },
      messages: {
        rawChunks: [
          blockStart({ type: "tool_use", id: "a", name: "clock", input: null }, { index: 0 }),
          messageDelta("tool_use"),
          STOP,
        ],
      },
    },
    gives: { answer: { toolCalls: [{ id: "a", name: "clock", arguments: "{}" }] } },
  },
  {
    quirk: "the name of a call comes when the call is whole",
    seenAt: "LiteLLM, LM Studio",
    sends: {
      responses: {
        rawChunks: [
          added({ type: "function_call", id: "fc_1", call_id: "call_1", arguments: "" }, { output_index: 0 }),
          argumentsDelta(ONE, { output_index: 0, item_id: "fc_1" }),
          itemDone(call(1, ONE), { output_index: 0 }),
          completed(),
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "events have no blank line between them",
    seenAt: "proxies that drop blank lines, FastChat",
    sends: onAll((body) => ({ rawChunks: [body.replaceAll("\n\n", "\n")] })),
    gives: YES,
  },
  {
    quirk: "lines end in CR alone, behind a byte order mark",
    seenAt: "servers for old clients",
    sends: onAll((body) => ({ rawChunks: [`\ufeff${body.replaceAll("\n", "\r")}`] })),
    gives: YES,
  },
  {
    quirk: "`[DONE]` has blanks around it",
    seenAt: "gateways in Java",
    sends: onAll((body) => ({ rawChunks: [body.replace(DONE, ""), "data:  [DONE] \n\n"] })),
    gives: YES,
  },
  {
    quirk: "data that is no event keeps the connection alive",
    seenAt: "Fireworks, gateways",
    sends: onAll((body) => ({
      rawChunks: [
        "data: ping\n\n",
        "data: keep-alive\n\n",
        "data: null\n\n",
        `event: ping\ndata: {}\n\n${body}`,
      ],
    })),
    gives: YES,
  },
  {
    quirk: "what went wrong is a line of text in the stream",
    seenAt: "gateways, FastChat",
    sends: onAll(() => ({ rawChunks: ["data: upstream connect error: the backend is gone\n\n"] })),
    gives: { error: { message: expect.stringContaining("the backend is gone") } },
  },
  ...[
    { object: "error", message: "the backend is gone", code: 50_000 },
    { base_resp: { status_code: 1008, status_msg: "the backend is gone" }, choices: null },
    { detail: "the backend is gone" },
    { code: 1234, msg: "the backend is gone", success: false },
  ].flatMap((said): QuirkIn[] => [
    {
      quirk: `an error has another shape, after a status of 200: ${JSON.stringify(said)}`,
      seenAt: "vLLM, FastChat, MiniMax, GLM, FastAPI",
      sends: onAll(() => ({ status: 200, body: said })),
      gives: { error: { message: expect.stringContaining("the backend is gone") } },
    },
    {
      quirk: `an error has another shape in the stream: ${JSON.stringify(said)}`,
      seenAt: "vLLM, FastChat, MiniMax, GLM, FastAPI",
      sends: onAll(() => ({ rawChunks: [`data: ${JSON.stringify(said)}\n\n`] })),
      gives: { error: { message: expect.stringContaining("the backend is gone") } },
    },
  ]),
  {
    quirk: "counts of tokens are texts, negative, null or broken numbers",
    seenAt: "gateways",
    sends: {
      chat: {
        rawChunks: [
          chunk({ content: "Yes" }, "stop"),
          `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: "12", completion_tokens: -1, prompt_tokens_details: { cached_tokens: null } } })}\n\n`,
          DONE,
        ],
      },
      responses: {
        rawChunks: [
          event({ type: "response.output_text.delta", delta: "Yes" }),
          completed({
            usage: { input_tokens: "12", output_tokens: -1, input_tokens_details: { cached_tokens: null } },
          }),
        ],
      },
      messages: {
        rawChunks: [
          blockDelta({ type: "text_delta", text: "Yes" }),
          event({
            type: "message_delta",
            delta: { stop_reason: "end_turn" },
            usage: { input_tokens: "12", output_tokens: -1 },
          }),
          STOP,
        ],
      },
    },
    gives: { answer: { content: "Yes", usage: { inputTokens: 12, outputTokens: 0 } } },
  },
  {
    quirk: "a tool of the server's own is used in between",
    seenAt: "Anthropic, xAI, gateways that search",
    sends: {
      messages: {
        rawChunks: [
          blockStart({ type: "server_tool_use", id: "s1", name: "web_search", input: {} }, { index: 0 }),
          blockDelta({ type: "input_json_delta", partial_json: ONE }, { index: 0 }),
          blockStart({ type: "web_search_tool_result", tool_use_id: "s1", content: [] }, { index: 1 }),
          blockStart({ type: "text", text: "" }, { index: 2 }),
          blockDelta({ type: "text_delta", text: "Yes" }, { index: 2 }),
          messageDelta("end_turn"),
          STOP,
        ],
      },
      responses: {
        rawChunks: [
          added({ type: "web_search_call", id: "ws_1" }, { output_index: 0 }),
          itemDone({ type: "web_search_call", id: "ws_1", status: "completed" }, { output_index: 0 }),
          event({ type: "response.output_text.delta", delta: "Yes", output_index: 1 }),
          completed(),
        ],
      },
    },
    gives: YES,
  },
  {
    quirk: "the pieces behind a call's first name it null, as a text",
    seenAt: "LiteLLM",
    sends: {
      chat: {
        rawChunks: [
          chunk({
            tool_calls: [
              { index: 0, id: "call_1", type: "FUNCTION", function: { name: "add", arguments: '{"n"' } },
            ],
          }),
          chunk({
            tool_calls: [
              { index: 0, id: "", type: "FUNCTION", function: { name: "null", arguments: ":1}" } },
            ],
          }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "it ends as if tools were called, and calls none",
    seenAt: "GitHub Copilot, Groq, Claude behind gateways",
    sends: {
      chat: { rawChunks: [chunk({ content: "Yes", tool_calls: [] }), chunk({}, "tool_calls"), DONE] },
      messages: {
        rawChunks: [
          blockStart({ type: "text", text: "" }, { index: 0 }),
          blockDelta({ type: "text_delta", text: "Yes" }, { index: 0 }),
          messageDelta("tool_use"),
          STOP,
        ],
      },
    },
    gives: { answer: { content: "Yes", toolCalls: [], finishReason: "other" } },
  },
  {
    quirk: "the first event has no choice and says what was filtered, a later one has empty counts",
    seenAt: "Azure, LiteLLM",
    sends: {
      chat: {
        rawChunks: [
          `data: ${JSON.stringify({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] })}\n\n`,
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "Yes" } }], usage: {} })}\n\n`,
          chunk({}, "stop"),
          `data: ${JSON.stringify({ choices: null, usage: null })}\n\n`,
          DONE,
        ],
      },
    },
    gives: YES,
  },
  {
    quirk: "whole calls come one a piece, all under one index with ids of their own",
    seenAt: "Groq, Gemini",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "add", arguments: ONE } }] }),
          chunk({ tool_calls: [{ index: 0, id: "call_2", function: { name: "add", arguments: TWO } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS } },
  },
  {
    quirk: "a call's id is said again with each piece of it",
    seenAt: "GLM, Qwen",
    sends: {
      chat: {
        rawChunks: [
          chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "add", arguments: '{"n"' } }] }),
          chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "", arguments: ":1}" } }] }),
          chunk({}, "tool_calls"),
          DONE,
        ],
      },
    },
    gives: { answer: { toolCalls: CALLS.slice(0, 1) } },
  },
  {
    quirk: "the last piece says the reason to finish and text as well",
    seenAt: "Ollama, Cerebras",
    sends: { chat: { rawChunks: [chunk({ content: "Y" }), chunk({ content: "es" }, "stop"), DONE] } },
    gives: YES,
  },
  {
    quirk: "pings and events of other kinds come in between",
    seenAt: "Anthropic, Bedrock gateways, OpenAI",
    sends: {
      messages: {
        rawChunks: [
          event({ type: "message_start", message: { usage: { input_tokens: 1 } } }),
          event({ type: "ping" }),
          blockStart({ type: "text", text: "Y" }, { index: 0 }),
          event({ type: "ping" }),
          event({ type: "vendor.metrics", value: 1 }),
          blockDelta({ type: "text_delta", text: "es" }, { index: 0 }),
          blockDelta({ type: "citations_delta", citation: {} }, { index: 0 }),
          messageDelta("end_turn"),
          STOP,
        ],
      },
      responses: {
        rawChunks: [
          event({ type: "response.queued", response: {} }),
          event({ type: "response.output_text.delta", delta: "Yes" }),
          event({ type: "response.output_text.annotation.added", annotation: {} }),
          event({ type: "vendor.metrics", value: 1 }),
          completed(),
        ],
      },
    },
    gives: YES,
  },
];

describeQuirksIn(QUIRKS);
