import { withoutField, withoutPart } from "../body-fields.ts";
import type { Concession, ConcessionTable } from "../concessions.ts";
import { boundIn, namesField, saysWords } from "../named-field.ts";

type Json = Record<string, unknown>;
type Row = Concession<Json>;

const THINKING_LEAST_TOKENS = 1024;

/** Without a field of the blocks of system, tools and messages. */
const withoutOfBlocks = (name: string): NonNullable<Row["change"]> => {
  return (body) => {
    let found = false;
    const bare = (blocks: unknown) =>
      Array.isArray(blocks)
        ? blocks.map(({ [name]: value, ...block }: Json) => {
            if (value !== undefined) found = true;
            return block;
          })
        : blocks;
    const messages = (body["messages"] as readonly Json[]).map((message) => ({
      ...message,
      content: bare(message["content"]),
    }));
    const { system, tools } = body;
    const changed = {
      ...body,
      messages,
      ...(system !== undefined && { system: bare(system) }),
      ...(tools !== undefined && { tools: bare(tools) }),
    };
    return found ? changed : undefined;
  };
};

const thinkingType = ({ thinking }: Json) => (thinking as Json | undefined)?.["type"];

const ROWS: readonly Row[] = [
  {
    field: "max_tokens",
    isNamed: namesField("max_tokens", "max_output_tokens", "maximum_tokens"),
    valueIn: (refusal, body) => boundIn(refusal, Number(body["max_tokens"])),
    change: toBounded,
    told: "max_tokens is the greatest that it takes",
  },
  {
    field: "cache_control",
    isNamed: namesField("cache_control"),
    change: withoutOfBlocks("cache_control"),
    isInMessages: true,
  },
  {
    field: "thinking.display",
    isNamed: namesField("thinking.display", "thinking.adaptive.display", "thinking.enabled.display"),
    change: withoutPart("thinking", "display"),
  },
  {
    field: "thinking",
    isNamed: saysWords(/thinking.{0,40}enabled.{0,200}thinking.{0,20}adaptive/is),
    change: (body) =>
      thinkingType(body) === "enabled" ? { ...body, thinking: { type: "adaptive" } } : undefined,
    told: "the model chooses how much it thinks",
  },
  {
    field: "thinking",
    isNamed: (refusal) =>
      namesField("thinking", "thinking.type", "budget_tokens")(refusal) ||
      saysWords(/thinking (?:is )?not supported|not support (?:adaptive |extended )?thinking/i)(refusal),
    change: withoutField("thinking"),
  },
  {
    field: "output_config.format",
    isNamed: (refusal) =>
      namesField("output_config.format", "output_format", "response_format")(refusal) ||
      (namesField("output_config")(refusal) && !namesField("output_config.effort")(refusal)) ||
      saysWords(/json_schema|structured outputs?/i)(refusal),
    isAskedFor: ({ output_config }) => (output_config as Json | undefined)?.["format"] !== undefined,
  },
  {
    field: "output_config.effort",
    isNamed: namesField("output_config", "effort"),
    change: withoutPart("output_config", "effort"),
  },
  {
    field: "tools",
    isNamed: (refusal) =>
      namesField("tools", "tool_choice")(refusal) ||
      saysWords(/not support(?:ed)?(?: for)? (?:tools?|functions?)\b|tool (?:calling|use) is not/i)(refusal),
    isAskedFor: ({ tools }) => tools !== undefined,
  },
  {
    field: "system",
    isNamed: namesField("system"),
    change: (body) =>
      Array.isArray(body["system"])
        ? { ...body, system: body["system"].map(({ text }: Json) => text).join("\n\n") }
        : undefined,
    told: "the system message is a text",
  },
  {
    field: "stream",
    isNamed: namesField("stream"),
    change: withoutField("stream"),
    told: "answers are not streamed",
  },
  {
    field: "citations",
    isNamed: namesField("citations", "document.citations"),
    change: withoutOfBlocks("citations"),
    isInMessages: true,
  },
  {
    field: "title",
    isNamed: namesField("title", "document.title"),
    change: withoutOfBlocks("title"),
    isInMessages: true,
  },
  {
    field: "is_error",
    isNamed: namesField("is_error"),
    change: withoutOfBlocks("is_error"),
    isInMessages: true,
  },
  {
    field: "roles",
    isNamed: saysWords(
      /roles? (?:must|should) (?:be )?alternat|roles in a row|(?:must|should) start with a user|first message must|must end with a user|assistant message prefill/i,
    ),
    change: toAlternating,
    told: "neighbours of one role are one message",
    isInMessages: true,
  },
];

/** A budget for thinking is below the whole. */
function toBounded(body: Json, value: number): Json {
  const thinking = body["thinking"] as Json | undefined;
  const bounded = { ...body, max_tokens: value };
  if (Number(thinking?.["budget_tokens"] ?? 0) < value) return bounded;
  const budget = Math.floor(value / 2);
  const { thinking: _, ...others } = bounded as Json;
  return budget < THINKING_LEAST_TOKENS
    ? others
    : { ...bounded, thinking: { ...thinking, budget_tokens: budget } };
}

const toTurn = (text: string): Json => ({ role: "user", content: [{ type: "text", text }] });

function toAlternating(body: Json): Json | undefined {
  const before = body["messages"] as readonly Json[];
  const messages: Json[] = before[0]?.["role"] === "assistant" ? [toTurn("Begin.")] : [];
  for (const message of before) {
    const last = messages.at(-1);
    if (!last || last["role"] !== message["role"]) messages.push(message);
    else {
      const content = [...(last["content"] as unknown[]), ...(message["content"] as unknown[])];
      messages[messages.length - 1] = { ...message, content };
    }
  }
  if (messages.at(-1)?.["role"] === "assistant") messages.push(toTurn("Go on."));
  return messages.length === before.length ? undefined : { ...body, messages };
}

export const MESSAGES_CONCESSIONS: ConcessionTable<Json> = { wire: "messages", rows: ROWS };
