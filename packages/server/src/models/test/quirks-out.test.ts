import { type Body, describeQuirksOut, type QuirkOut } from "./describe-quirks.ts";
import type { Host } from "./hosts.ts";

const CALL = { toolCalls: [{ id: "a", name: "clock", arguments: {} }] };
const ANSWERED_CALL = (id: string, name = "clock") =>
  [
    { role: "user", content: "Hello" },
    { role: "assistant", content: "", toolCalls: [{ id, name, arguments: "{}" }] },
    { role: "tool", toolCallId: id, content: "done" },
    { role: "user", content: "And now?" },
  ] as const;
const tool = (parameters: unknown, name = "clock") => ({
  name,
  description: "The time",
  parameters: parameters as Record<string, unknown>,
});

/** The ids of the calls and of the results, in order. */
function idsOf(body: Body): { calls: string[]; results: string[] } {
  if (body.input)
    return {
      calls: body.input
        .filter((item: Body) => item.type === "function_call")
        .map((item: Body) => item.call_id),
      results: body.input
        .filter((item: Body) => item.type === "function_call_output")
        .map((item: Body) => item.call_id),
    };
  const blocks = body.messages.flatMap((message: Body) =>
    Array.isArray(message.content) ? message.content : [],
  );
  return {
    calls: [
      ...body.messages.flatMap((message: Body) => message.tool_calls ?? []).map((call: Body) => call.id),
      ...blocks.filter((block: Body) => block.type === "tool_use").map((block: Body) => block.id),
    ],
    results: [
      ...body.messages.filter((one: Body) => one.role === "tool").map((one: Body) => one.tool_call_id),
      ...blocks.filter((one: Body) => one.type === "tool_result").map((one: Body) => one.tool_use_id),
    ],
  };
}

/** Every name of a tool that a body has, in declarations and calls. */
function namesOf(body: Body): string[] {
  const names: string[] = [];
  JSON.stringify(body, (key, value) => {
    if (key === "name" && typeof value === "string") names.push(value);
    return value;
  });
  return names;
}

function schemaOf({ tools: [offered] }: Body): Body {
  return offered.input_schema ?? offered.parameters ?? offered.function.parameters;
}

/** One block of a streamed message. */
function blocks(index: number, content_block: object, delta?: object): string {
  const events = [
    { type: "content_block_start", index, content_block },
    { type: "content_block_stop", index },
  ];
  const all = delta ? [events[0], { type: "content_block_delta", index, delta }, events[1]] : events;
  return all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

const isMatched = (body: Body, pattern: RegExp) => {
  const { calls, results } = idsOf(body);
  return (
    new Set(calls).size === calls.length &&
    JSON.stringify(calls) === JSON.stringify(results) &&
    calls.every((id) => pattern.test(id))
  );
};
const isGitHub = (host: Host) => host.name.startsWith("copilot");
const isPlain = (host: Host) => !isGitHub(host);

const callOf = (body: Body) => body.messages.find((one: Body) => one.tool_calls);

/** What providers take. A row is a quirk; its cells are the wires that have it, on every host of theirs. */
const QUIRKS: readonly QuirkOut[] = [
  {
    quirk: "a call has its result behind it",
    seenAt: "all",
    after: { chat: CALL, responses: CALL, messages: CALL },
    refuses: (body: Body) => !isMatched(body, /^a$/) && body,
  },
  {
    quirk: "half a surrogate pair, which is no JSON for strict parsers",
    seenAt: "Anthropic, DeepSeek, vLLM",
    request: {
      system: "s\ud83d",
      tools: [{ ...tool({ type: "object", properties: {} }), description: "d\ude00" }],
      messages: [
        { role: "user", content: "u\ud83d" },
        {
          role: "assistant",
          content: "a\ude00",
          toolCalls: [{ id: "a", name: "clock", arguments: '{"x":"\ud83d"}' }],
        },
        { role: "tool", toolCallId: "a", content: "t\ud83d" },
      ],
    },
    refuses: (body: Body) =>
      !JSON.stringify(body).includes("\ufffd") || /\\ud[89a-f]/.test(JSON.stringify(body)),
  },
  {
    quirk: "reasoning_content of answers with calls is wanted back",
    seenAt: "DeepSeek, Kimi, GLM, vLLM",
    after: { chat: { ...CALL, reasoning: "I look at the clock." } },
    refuses: {
      chat: (body: Body) => callOf(body).reasoning_content !== "I look at the clock." && body.messages,
    },
    hosts: isPlain,
  },
  {
    quirk: "reasoning_content of answers without calls is refused",
    seenAt: "DeepSeek R1",
    after: { chat: { text: "Yes", reasoning: "Hm." } },
    refuses: { chat: (body: Body) => JSON.stringify(body).includes("reasoning_content") },
    hosts: isPlain,
  },
  {
    quirk: "answers with calls that another model gave have an empty reasoning_content",
    seenAt: "DeepSeek, Kimi",
    request: { model: "deepseek-chat", messages: ANSWERED_CALL("a") },
    refuses: { chat: (body: Body) => callOf(body).reasoning_content !== "" && body.messages },
    hosts: isPlain,
  },
  {
    quirk: "reasoning that comes under the name `reasoning` is refused when it is sent back",
    seenAt: "Groq, Cerebras",
    after: {
      chat: {
        rawChunks: [
          'data: {"choices":[{"delta":{"reasoning":"Hm."}}]}\n\n',
          'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"clock","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}\n\n',
          "data: [DONE]\n\n",
        ],
      },
    },
    refuses: { chat: (body: Body) => /"reasoning/.test(JSON.stringify(body.messages)) && body.messages },
  },
  {
    quirk: "reasoning_details, which came in pieces, are wanted back whole and in order",
    seenAt: "OpenRouter, MiniMax",
    after: {
      chat: {
        rawChunks: [
          'data: {"choices":[{"delta":{"reasoning":"I lo","reasoning_details":[{"type":"reasoning.text","index":0,"text":"I lo","format":"anthropic-claude-v1"}]}}]}\n\n',
          'data: {"choices":[{"delta":{"reasoning":"ok","reasoning_details":[{"type":"reasoning.text","index":0,"text":"ok"}]}}]}\n\n',
          'data: {"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","index":0,"signature":"c2ln"},{"type":"reasoning.encrypted","index":1,"data":"ZW5j"}]}}]}\n\n',
          'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"clock","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}\n\n',
          "data: [DONE]\n\n",
        ],
      },
    },
    refuses: {
      chat: (body: Body) => {
        const details = [
          {
            type: "reasoning.text",
            index: 0,
            text: "I look",
            format: "anthropic-claude-v1",
            signature: "c2ln",
          },
          { type: "reasoning.encrypted", index: 1, data: "ZW5j" },
        ];
        const sent = callOf(body).reasoning_details;
        return JSON.stringify(sent) !== JSON.stringify(details) && { sent: sent ?? "nothing" };
      },
    },
    hosts: isPlain,
  },
  {
    quirk: "a call's thought signature is wanted back",
    seenAt: "Gemini",
    after: {
      chat: {
        rawChunks: [
          'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","extra_content":{"google":{"thought_signature":"c2ln"}},"function":{"name":"clock","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}\n\n',
          "data: [DONE]\n\n",
        ],
      },
    },
    refuses: {
      chat: (body: Body) =>
        callOf(body).tool_calls[0].extra_content?.google.thought_signature !== "c2ln" && body.messages,
    },
  },
  {
    quirk: "calls that another model made have a thought signature, too",
    seenAt: "Gemini 3",
    request: { model: "gemini-3-pro", messages: ANSWERED_CALL("a") },
    refuses: {
      chat: (body: Body) =>
        !callOf(body).tool_calls[0].extra_content?.google.thought_signature && body.messages,
    },
  },
  {
    quirk: "encrypted reasoning goes back, in front of what it led to",
    seenAt: "OpenAI, Azure",
    after: { responses: { ...CALL, reasoning: "Hm.", reasoningOpaque: "ZW5j" } },
    refuses: {
      responses: (body: Body) =>
        !(body.input[1].encrypted_content === "ZW5j" && body.input[2].type === "function_call") && body.input,
    },
  },
  {
    quirk: "thinking goes back with its signature, in front of the call",
    seenAt: "Anthropic",
    after: { messages: { ...CALL, reasoning: "Hm.", reasoningOpaque: "c2ln" } },
    refuses: {
      messages: (body: Body) =>
        body.messages[1].content[0].signature !== "c2ln" || body.messages[1].content[1].type !== "tool_use",
    },
  },
  {
    quirk: "reasoning of another provider or model is refused",
    seenAt: "all",
    request: {
      messages: [
        { role: "user", content: "Hello" },
        {
          role: "assistant",
          content: "Yes",
          toolCalls: [{ id: "a", name: "clock", arguments: "{}", extra: { google: "s3cret" } }],
          reasoning: {
            text: "s3cret",
            opaque: "github:s3cret",
            encrypted: "s3cret",
            details: ["s3cret"],
            wireField: "reasoning_content",
            origin: "openai:elsewhere/other",
          },
        },
        { role: "tool", toolCallId: "a", content: "done" },
      ],
    },
    refuses: (body: Body) => JSON.stringify(body).includes("s3cret") && body,
  },
  {
    quirk: "a budget for thinking is refused while an answer without thinking has open calls",
    seenAt: "Anthropic",
    request: {
      model: "claude-sonnet-4-5",
      reasoningEffort: "high",
      messages: ANSWERED_CALL("a").slice(0, 3),
    },
    refuses: { messages: (body: Body) => body.thinking?.type === "enabled" && body.thinking },
    hosts: ({ name }) => name === "anthropic",
  },
  {
    quirk: "an answer that says and asks nothing is refused",
    seenAt: "Mistral, Moonshot, Bedrock, Anthropic",
    request: {
      messages: [
        { role: "user", content: "Hello" },
        { role: "assistant", content: " \n", toolCalls: [], reasoning: { text: "Hm.", opaque: "x" } },
        { role: "user", content: "And now?" },
      ],
    },
    refuses: (body: Body) =>
      (body.input ?? body.messages).some(
        (one: Body) => one.role === "assistant" || one.type === "reasoning" || one.type === "message",
      ),
  },
  {
    quirk: "blank text is refused",
    seenAt: "Anthropic, Bedrock",
    request: {
      system: " ",
      messages: [
        { role: "user", content: "Hello" },
        { role: "assistant", content: "\n", toolCalls: [{ id: "a", name: "clock", arguments: "{}" }] },
        { role: "tool", toolCallId: "a", content: " ", isError: true },
      ],
    },
    refuses: {
      messages: (body: Body) =>
        body.system ||
        body.messages.some((one: Body) =>
          one.content.some((block: Body) => [block.text, block.content].some((text) => text?.trim() === "")),
        ),
    },
  },
  {
    quirk: "ids of calls have 40 letters, digits, hyphens and underscores at most",
    seenAt: "OpenAI, Anthropic, after a change of provider",
    request: { messages: ANSWERED_CALL(`functions.clock:0/${"x".repeat(60)}`) },
    refuses: {
      chat: (body: Body) => !isMatched(body, /^[\w-]{1,40}$/) && idsOf(body),
      responses: (body: Body) => !isMatched(body, /^[\w-]{1,64}$/) && idsOf(body),
      messages: (body: Body) => !isMatched(body, /^[\w-]{1,64}$/) && idsOf(body),
    },
  },
  {
    quirk: "ids of calls have nine letters and digits",
    seenAt: "Mistral",
    request: { model: "mistral-large-latest", messages: ANSWERED_CALL("call_1") },
    refuses: { chat: (body: Body) => !isMatched(body, /^[a-zA-Z0-9]{9}$/) && idsOf(body) },
  },
  {
    quirk: "a user's message right behind a result is refused",
    seenAt: "Mistral",
    request: { model: "mistral-large-latest", messages: ANSWERED_CALL("call_1") },
    refuses: {
      chat: (body: Body) =>
        body.messages.some(
          (one: Body, at: number) => one.role === "user" && body.messages[at - 1].role === "tool",
        ),
    },
  },
  {
    quirk: "two calls of one answer with one id are refused",
    seenAt: "all; logs of other programs have them",
    request: {
      messages: [
        { role: "user", content: "Hello" },
        {
          role: "assistant",
          content: "",
          toolCalls: [
            { id: "a", name: "clock", arguments: "{}" },
            { id: "a", name: "clock", arguments: "{}" },
          ],
        },
        { role: "tool", toolCallId: "a", content: "one" },
        { role: "tool", toolCallId: "a", content: "two" },
      ],
    },
    refuses: (body: Body) => !isMatched(body, /^[\w-]+$/) && idsOf(body),
  },
  ...["", "functions.clock", "clock<|channel|>commentary", "x".repeat(100), "my tool", "clock\n", "時計"].map(
    (name): QuirkOut => ({
      quirk: `a made-up name in the history is refused: ${JSON.stringify(name.slice(0, 30))}`,
      seenAt: "OpenAI, Anthropic",
      request: { messages: ANSWERED_CALL("a", name) },
      refuses: (body: Body) =>
        !namesOf(body).every((sent) => /^[a-zA-Z0-9_-]{1,64}$/.test(sent)) && namesOf(body),
    }),
  ),
  {
    quirk: "names of tools over 64 characters are refused",
    seenAt: "OpenAI, Gemini, Bedrock",
    request: { tools: [tool({ type: "object", properties: {} }, "t".repeat(90))] },
    refuses: (body: Body) => namesOf(body).some((sent) => sent.length > 64) && namesOf(body),
  },
  ...[
    {},
    null,
    true,
    { type: "object" },
    { type: ["object", "null"] },
    { type: "object", properties: null, required: null },
    {
      anyOf: [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }, { type: "object" }],
    },
    {
      oneOf: [{ $ref: "#/$defs/A" }],
      $defs: { A: { type: "object", properties: { a: { type: "array" } } } },
    },
    { allOf: [{ properties: { a: {} } }, { required: ["a"] }], type: "object" },
  ].map(
    (parameters): QuirkOut => ({
      quirk: `a schema that is no plain object is refused: ${JSON.stringify(parameters)}`,
      seenAt: "OpenAI, Anthropic, Gemini",
      request: { tools: [tool(parameters)] },
      refuses: (body: Body) => {
        const { type, properties, required = [], ...rest } = schemaOf(body);
        const isPlainObject =
          type === "object" &&
          typeof properties === "object" &&
          properties !== null &&
          required.every((name: string) => name in properties) &&
          !["anyOf", "oneOf", "allOf", "enum", "not"].some((keyword) => keyword in rest) &&
          (properties.a?.type !== "array" || properties.a.items !== undefined);
        return !isPlainObject && schemaOf(body);
      },
    }),
  ),
  {
    quirk: "thinking without a signature is refused, wherever it stands",
    seenAt: "Anthropic, Bedrock",
    after: {
      messages: {
        rawChunks: [
          blocks(
            0,
            { type: "thinking", thinking: "", signature: "" },
            { type: "thinking_delta", thinking: "Hm." },
          ),
          blocks(1, { type: "text", text: "" }, { type: "text_delta", text: "I look." }),
          blocks(
            2,
            { type: "thinking", thinking: "", signature: "" },
            { type: "thinking_delta", thinking: "Ah." },
          ),
          blocks(3, { type: "redacted_thinking", data: "" }),
          blocks(4, { type: "tool_use", id: "a", name: "clock", input: {} }),
          'data: {"type":"message_delta","delta":{"stop_reason":"tool_use"}}\n\n',
          'data: {"type":"message_stop"}\n\n',
        ],
      },
    },
    refuses: {
      messages: (body: Body) =>
        body.messages[1].content.some(
          (one: Body) =>
            (one.type === "thinking" && !one.signature) || (one.type === "redacted_thinking" && !one.data),
        ) && body.messages,
    },
  },
];

describeQuirksOut(QUIRKS);
