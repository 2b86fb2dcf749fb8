import type { ScriptedReply } from "@rightseat/testing";
import type { ModelMessage, ModelRequest } from "../model-provider.ts";
import { type Body, describeQuirksRefused, type QuirkRefused } from "./describe-quirks.ts";
import type { Wire } from "./hosts.ts";

const refusal = (body: unknown, status = 400): ScriptedReply => ({ status, body });
const openAI = (message: string, param: string | null = null): ScriptedReply =>
  refusal({ error: { message, type: "invalid_request_error", param, code: null } });

/** How servers say that they do not know a field. `path` has dots. */
const WORDINGS: Readonly<Record<string, (path: string) => ScriptedReply>> = {
  OpenAI: (path) => openAI(`Unknown parameter: '${path}'.`, path),
  "OpenAI, of a model": (path) =>
    openAI(`Unsupported parameter: '${path}' is not supported with this model.`, path),
  Azure: (path) => openAI(`Unrecognized request argument supplied: ${path}`),
  "vLLM, FastAPI": (path) =>
    refusal(
      {
        detail: [
          {
            type: "extra_forbidden",
            loc: ["body", ...path.split(".")],
            msg: "Extra inputs are not permitted",
          },
        ],
      },
      422,
    ),
  "vLLM, as a text": (path) =>
    refusal({
      object: "error",
      message: `[{'type': 'extra_forbidden', 'loc': (${["body", ...path.split(".")].map((part) => `'${part}'`).join(", ")}), 'msg': 'Extra inputs are not permitted', 'input': True}]`,
      type: "BadRequestError",
      code: 400,
    }),
  Mistral: (path) =>
    refusal(
      {
        object: "error",
        message: {
          detail: [
            {
              type: "extra_forbidden",
              loc: ["body", ...path.split(".")],
              msg: "Extra inputs are not permitted",
              input: true,
            },
          ],
        },
        type: "invalid_request_error",
      },
      422,
    ),
  Anthropic: (path) =>
    refusal({
      type: "error",
      error: { type: "invalid_request_error", message: `${path}: Extra inputs are not permitted` },
    }),
  Groq: (path) => openAI(`property '${path}' is unsupported`),
  Bedrock: (path) =>
    refusal({
      message: `Malformed input request: #: extraneous key [${path}] is not permitted, please reformat your input and try again.`,
    }),
  Gemini: (path) =>
    refusal([
      {
        error: {
          code: 400,
          message: `Invalid JSON payload received. Unknown name "${path}": Cannot find field.`,
          status: "INVALID_ARGUMENT",
        },
      },
    ]),
  LiteLLM: (path) =>
    refusal({
      error: {
        message: `litellm.UnsupportedParamsError: bedrock does not support parameters: ['${path}'], for model=anything. To drop these, set \`litellm.drop_params=True\`.`,
        type: "None",
        param: "None",
        code: "400",
      },
    }),
  "LiteLLM, of what is behind it": (path) =>
    refusal({
      error: {
        message: `litellm.BadRequestError: OpenAIException - {"detail":[{"type":"extra_forbidden","loc":["body","${path.split(".").join('","')}"],"msg":"Extra inputs are not permitted"}]}`,
        type: null,
        param: null,
        code: "400",
      },
    }),
  Databricks: (path) =>
    refusal({ error_code: "BAD_REQUEST", message: `Bad request: json: unknown field "${path}"\n` }),
  "Ollama, Go": (path) =>
    refusal({
      error: {
        message: `json: cannot unmarshal object into Go struct field ChatCompletionRequest.${path} of type bool`,
        type: "invalid_request_error",
      },
    }),
  "TGI, Rust": (path) =>
    refusal({
      error: `Failed to deserialize the JSON body into the target type: unknown field \`${path}\`, expected one of \`messages\`, \`model\`, \`stream\`, \`stream_options\`, \`max_tokens\`, \`tools\`, \`system\`, \`thinking\`, \`store\``,
    }),
  "Java gateways": (path) =>
    refusal({
      message: `Unrecognized field "${path}" (class ChatRequest), not marked as ignorable (4 known properties: "model", "messages", "stream", "tools"])`,
    }),
  "zod gateways": (path) => refusal({ error: `Unrecognized key(s) in object: '${path}'` }),
  Fireworks: (path) => openAI(`Extra inputs are not permitted, field: '${path}', value: True`),
  xAI: (path) =>
    refusal({
      code: "Client specified an invalid argument",
      error: `Argument not supported on this model: ${path.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())}`,
    }),
  Cohere: (path) => refusal({ id: "x", message: `unknown field: parameter '${path}' is not a valid field` }),
  "OpenRouter, of what is behind it": (path) =>
    refusal({
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: { raw: `{"error":{"message":"Unsupported parameter: '${path}'"}}`, provider_name: "X" },
      },
    }),
  "gateways that answer with a 500": (path) =>
    refusal({ detail: `unexpected keyword argument '${path}'` }, 500),
  "an error in the stream": (path) => ({
    rawChunks: [`data: {"error":{"message":"Unknown parameter: '${path}'","code":400}}\n\n`],
  }),
};

const at = (body: Body, path: string): unknown =>
  path.split(".").reduce((part: Body, name) => part?.[name], body);
const TOOLS = [{ name: "clock", description: "Tells it.", parameters: { type: "object", properties: {} } }];

/** Fields that requests have, and how one gets them. */
const FIELDS: readonly (readonly [Wire, string, Partial<ModelRequest>, ((body: Body) => unknown)?])[] = [
  ["chat", "stream_options", {}],
  ["chat", "reasoning_effort", { reasoningEffort: "low" }],
  ["chat", "stream", {}],
  ["responses", "store", {}, (body) => "store" in body],
  ["responses", "include", { reasoningEffort: "low" }],
  ["responses", "reasoning.summary", { reasoningEffort: "low", reasoningSummary: "auto" }],
  ["responses", "reasoning.effort", { reasoningEffort: "low", reasoningSummary: "auto" }],
  ["responses", "max_output_tokens", { maxOutputTokens: 5000 }],
  ["responses", "strict", { tools: TOOLS }, (body) => "strict" in body.tools[0]],
  ["responses", "instructions", {}],
  ["messages", "cache_control", { tools: TOOLS }, (body) => JSON.stringify(body).includes("cache_control")],
  ["messages", "output_config.effort", { reasoningEffort: "low" }],
  ["messages", "thinking.display", { reasoningEffort: "low" }],
  ["messages", "thinking", { reasoningEffort: "low" }],
];

const FIRST = ["openai chat", "openai responses", "anthropic"];
const isFirst = ({ name }: { name: string }) => FIRST.includes(name);

/** Names of one word and of several are read in two ways: one of each meets all wordings, others some. */
const THOROUGH = ["stream_options", "store", "thinking", "output_config.effort"];
const SOME = 5;

const fields = FIELDS.flatMap(
  ([wire, path, request, has = (body: Body) => at(body, path) !== undefined], row) =>
    Object.entries(WORDINGS)
      .filter((_, at) => THOROUGH.includes(path) || at % SOME === row % SOME)
      .map(
        ([seenAt, word], index): QuirkRefused => ({
          quirk: `${path} is refused`,
          seenAt,
          request,
          refuses: { [wire]: (body: Body) => (has(body) ? word(path) : undefined) },
          // The words are read in one place, whoever sends them.
          hosts: index === 0 ? undefined : isFirst,
        }),
      ),
);

const FORMAT = { type: "json_schema", jsonSchema: { name: "answer", schema: { type: "object" } } } as const;
const ASKED_FOR: readonly QuirkRefused[] = Object.entries(WORDINGS)
  .filter(([seenAt]) => !seenAt.includes("500"))
  .filter((_, at) => at % SOME === 0)
  .flatMap(([seenAt, word]): QuirkRefused[] =>
    (
      [
        ["chat", "response_format"],
        ["responses", "text.format"],
        ["messages", "output_config.format"],
      ] as const
    ).map(([wire, path]) => ({
      quirk: `${path} is refused by name, since the application asked for it`,
      seenAt,
      request: { responseFormat: FORMAT },
      refuses: { [wire]: (body: Body) => (at(body, path) === undefined ? undefined : word(path)) },
      hosts: isFirst,
      named: path,
    })),
  );

const USER = (content: string): ModelMessage => ({ role: "user", content });
const SAYS = (content: string): ModelMessage => ({ role: "assistant", content, toolCalls: [] });
const CALLED: readonly ModelMessage[] = [
  USER("Hello"),
  { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "clock", arguments: "{}" }] },
  { role: "tool", toolCallId: "call_1", content: "done" },
  USER("And now?"),
];
const roles = (body: Body): string[] =>
  body.messages.map(({ role }: Body) => role).filter((role: string) => role !== "system");
const alternate = (list: readonly string[]) => list.every((role, index) => role !== list[index - 1]);
const ofMessages = (body: Body, words: RegExp) => words.test(JSON.stringify(body.messages));

const OTHERS: readonly QuirkRefused[] = [
  {
    quirk: "max_tokens is refused for its newer name",
    seenAt: "OpenAI's newer models behind gateways",
    request: { maxOutputTokens: 5000 },
    refuses: {
      chat: (body) =>
        "max_tokens" in body
          ? openAI(
              "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
              "max_tokens",
            )
          : undefined,
    },
    hosts: ({ name }) => !name.startsWith("azure"),
  },
  {
    quirk: "max_completion_tokens is refused for its older name",
    seenAt: "older Azure versions, Mistral on Azure",
    request: { maxOutputTokens: 5000 },
    refuses: {
      chat: (body) =>
        "max_completion_tokens" in body
          ? openAI("Unrecognized request argument supplied: max_completion_tokens")
          : undefined,
    },
    hosts: ({ name }) => name.startsWith("azure"),
  },
  {
    quirk: "no name for the limit of output is taken",
    seenAt: "proxies of chat products",
    request: { maxOutputTokens: 5000 },
    refuses: {
      chat: (body) => {
        const name = ["max_tokens", "max_completion_tokens"].find((field) => field in body);
        return name ? openAI(`Unknown parameter: '${name}'.`, name) : undefined;
      },
    },
    requests: 3,
  },
  ...[
    "max_tokens is too large: 64000. This model supports at most 8192 completion tokens, whereas you provided 64000.",
    "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet-20241022",
    "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "The maximum tokens you requested exceeds the model limit of 8192. Try again with a maximum tokens value that is lower than 8192.",
    "Unable to submit request because it has a maxOutputTokens value of 64000 but the supported range is from 1 (inclusive) to 8193 (exclusive). Update the value and try again.",
  ].map(
    (message): QuirkRefused => ({
      quirk: `a limit of output that is too high is lowered: ${message.slice(0, 40)}`,
      seenAt: "OpenAI, Anthropic, Groq, DeepSeek, Bedrock, Vertex",
      request: { maxOutputTokens: 64_000 },
      refuses: (body: Body) => {
        const limit = body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens;
        return limit === 8192 ? undefined : openAI(message);
      },
    }),
  ),
  {
    quirk: "several fields are refused at once",
    seenAt: "vLLM, FastAPI",
    request: { reasoningEffort: "low" },
    refuses: {
      chat: (body) =>
        body.stream_options || body.reasoning_effort
          ? refusal(
              {
                detail: ["stream_options", "reasoning_effort"].map((name) => ({
                  type: "extra_forbidden",
                  loc: ["body", name],
                  msg: "Extra inputs are not permitted",
                })),
              },
              422,
            )
          : undefined,
    },
  },
  {
    quirk: "several fields are refused one after the other",
    seenAt: "gateways",
    request: { reasoningEffort: "low" },
    refuses: {
      chat: (body) => {
        const name = ["stream_options", "reasoning_effort"].find((field) => field in body);
        return name ? openAI(`Unknown parameter: '${name}'.`, name) : undefined;
      },
    },
    requests: 3,
  },
  {
    quirk: "streaming needs an organization that is verified",
    seenAt: "OpenAI",
    refuses: (body: Body) =>
      body.stream ? openAI("Your organization must be verified to stream this model.", "stream") : undefined,
  },
  {
    quirk: "summaries of reasoning need an organization that is verified",
    seenAt: "OpenAI",
    request: { reasoningEffort: "low", reasoningSummary: "auto" },
    refuses: {
      responses: (body) =>
        body.reasoning?.summary
          ? openAI("Your organization must be verified to generate reasoning summaries.", "reasoning.summary")
          : undefined,
    },
  },
  {
    quirk: "encrypted reasoning is refused",
    seenAt: "Azure, OpenAI's older models",
    request: { reasoningEffort: "low" },
    refuses: {
      responses: (body) =>
        body.include ? openAI("Encrypted content is not supported with this model.", "include") : undefined,
    },
  },
  {
    quirk: "a model does not think",
    seenAt: "Ollama",
    request: { reasoningEffort: "low" },
    refuses: {
      chat: (body) =>
        body.reasoning_effort
          ? refusal({ error: { message: '"llama3" does not support thinking' } })
          : undefined,
    },
  },
  {
    quirk: "a budget for thinking is refused for adaptive thinking",
    seenAt: "Anthropic",
    request: { model: "claude-sonnet-4-5", reasoningEffort: "high" },
    refuses: {
      messages: (body) =>
        body.thinking?.type === "enabled"
          ? openAI(
              '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
            )
          : undefined,
    },
    hosts: ({ name }) => name === "anthropic",
  },
  {
    quirk: "adaptive thinking is refused",
    seenAt: "Bedrock gateways, LiteLLM",
    request: { reasoningEffort: "high" },
    refuses: {
      messages: (body) =>
        body.thinking
          ? openAI(
              "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'",
            )
          : undefined,
    },
  },
  {
    quirk: "the system message has to be a text",
    seenAt: "gateways with the wire of Anthropic",
    refuses: {
      messages: (body) =>
        typeof body.system === "string" ? undefined : openAI("system: Input should be a valid string"),
    },
  },
  {
    quirk: "tools are refused by name, since the application asked for them",
    seenAt: "Ollama",
    request: { tools: TOOLS },
    refuses: (body: Body) =>
      body.tools ? openAI("registry.ollama.ai/library/gemma:2b does not support tools") : undefined,
    named: "tools",
  },
  {
    quirk: "tools need a flag of the server",
    seenAt: "vLLM",
    request: { tools: TOOLS },
    refuses: {
      chat: (body) =>
        body.tools
          ? openAI('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
          : undefined,
    },
    named: "tools",
  },
  ...[
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
    "After the (optional) system message(s), user and assistant roles should be alternating.",
    'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
  ].map(
    (message): QuirkRefused => ({
      quirk: `neighbours of one role are refused: ${message.slice(0, 50)}`,
      seenAt: "vLLM, llama.cpp, Mistral, Perplexity, Bedrock",
      request: {
        messages: [USER("One"), USER("Two"), SAYS("Yes"), SAYS("And yes"), USER("Three"), USER("Four")],
      },
      refuses: {
        chat: (body) =>
          alternate(roles(body)) && ofMessages(body, /One.*Two/) ? undefined : openAI(message),
        messages: (body) => (alternate(roles(body)) ? undefined : openAI(message)),
      },
    }),
  ),
  {
    quirk: "neighbours of one role are refused with a 500",
    seenAt: "llama.cpp",
    request: { messages: [USER("One"), USER("Two")] },
    refuses: {
      chat: (body) =>
        alternate(roles(body))
          ? undefined
          : refusal(
              {
                error: {
                  code: 500,
                  message:
                    "Conversation roles must alternate user/assistant/user/assistant/... at row 12, column 3",
                  type: "server_error",
                },
              },
              500,
            ),
    },
  },
  {
    quirk: "the last message may not be the model's",
    seenAt: "Mistral",
    request: { messages: [USER("One"), SAYS("Yes")] },
    refuses: {
      chat: (body) =>
        roles(body).at(-1) === "user"
          ? undefined
          : openAI(
              "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            ),
    },
  },
  {
    quirk: "the first message may not be the model's",
    seenAt: "Bedrock",
    request: { messages: [SAYS("Yes"), USER("One")] },
    refuses: {
      chat: (body) =>
        roles(body)[0] === "user"
          ? undefined
          : openAI("A conversation must start with a user message. Try again with one that does."),
      messages: (body) =>
        roles(body)[0] === "user"
          ? undefined
          : openAI("A conversation must start with a user message. Try again with one that does."),
    },
  },
  ...[
    "System role not supported",
    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    "Only user and assistant roles are supported!",
    "Developer instruction is not enabled for models/gemma-3-27b-it",
  ].map(
    (message): QuirkRefused => ({
      quirk: `there is no role for the system: ${message.slice(0, 40)}`,
      seenAt: "Gemma, o1-mini, chat templates of vLLM and llama.cpp",
      refuses: {
        chat: (body) =>
          body.messages[0].role === "user" && ofMessages(body, /Be brief.*Hello/)
            ? undefined
            : openAI(message),
      },
    }),
  ),
  {
    quirk: "ids of calls must have nine characters, of a model by another name",
    seenAt: "Mistral behind gateways",
    request: { messages: CALLED },
    refuses: {
      chat: (body) =>
        ofMessages(body, /"tool_call_id":"[a-zA-Z0-9]{9}"/)
          ? undefined
          : openAI("Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."),
    },
  },
  {
    quirk: "a user's message behind a result is refused, of a model by another name",
    seenAt: "Mistral behind gateways",
    request: { messages: CALLED },
    refuses: {
      chat: (body) =>
        roles(body).at(-2) === "tool" ? openAI("Unexpected role 'user' after role 'tool'") : undefined,
    },
  },
  {
    quirk: "reasoning has to go back, of a model by another name",
    seenAt: "DeepSeek and Kimi behind gateways",
    request: { messages: CALLED },
    refuses: {
      chat: (body) =>
        ofMessages(body, /reasoning_content/)
          ? undefined
          : openAI(
              "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
            ),
    },
    hosts: ({ name }) => !name.startsWith("copilot"),
  },
  {
    quirk: "reasoning may not go back",
    seenAt: "Groq, older DeepSeek behind gateways",
    request: {
      messages: CALLED.map((message) =>
        message.role === "assistant"
          ? { ...message, reasoning: { text: "Hm.", wireField: "reasoning_content" } }
          : message,
      ),
    },
    refuses: {
      chat: (body) =>
        ofMessages(body, /reasoning_content/)
          ? openAI(
              "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'reasoning_content' is unsupported)]",
            )
          : undefined,
    },
    hosts: ({ name }) => !name.startsWith("copilot"),
  },
  {
    quirk: "calls must have a thought signature, of a model by another name",
    seenAt: "Gemini behind gateways",
    request: { messages: CALLED },
    refuses: {
      chat: (body) =>
        ofMessages(body, /thought_signature/)
          ? undefined
          : openAI("Function call is missing a thought_signature in functionCall parts."),
    },
    hosts: ({ name }) => !name.startsWith("copilot"),
  },
  ...[
    "messages.2.content: Input should be a valid string",
    "Failed to deserialize the JSON body into the target type: messages[1]: invalid type: null, expected a string",
    "Invalid value for 'content': expected a string, got null.",
  ].map(
    (message): QuirkRefused => ({
      quirk: `content has to be a text: ${message.slice(0, 40)}`,
      seenAt: "TGI, DeepSeek, gateways in Rust",
      request: {
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "One" },
              { type: "text", text: "Two" },
            ],
          },
          ...CALLED.slice(1),
        ],
      },
      refuses: {
        chat: (body) =>
          body.messages.every(({ content }: Body) => typeof content === "string")
            ? undefined
            : openAI(message),
      },
    }),
  ),
  {
    quirk: "annotations of earlier answers are refused",
    seenAt: "LM Studio, gateways with Responses",
    request: { messages: [USER("One"), SAYS("Yes"), USER("Two")] },
    refuses: {
      responses: (body) =>
        JSON.stringify(body.input).includes("annotations")
          ? openAI("Unknown parameter: 'input[1].content[0].annotations'.", "input[1].content[0].annotations")
          : undefined,
    },
  },
  {
    quirk: "neighbours of one role are refused",
    seenAt: "LM Studio",
    request: { messages: [USER("One"), USER("Two")] },
    refuses: {
      responses: (body) =>
        body.input.length > 1 ? openAI("Conversation roles must alternate user/assistant/...") : undefined,
    },
  },
];

describeQuirksRefused([...fields, ...ASKED_FOR, ...OTHERS]);
