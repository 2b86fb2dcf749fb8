import type { Concession, ConcessionTable } from "../concessions.ts";
import { boundIn, namesField, type Refusal, saysWords } from "../named-field.ts";
import { type ChatSpelling, NINE_CHARACTER_IDS } from "./spelling.ts";

type Json = Record<string, unknown>;

/** What requests are made of besides model and messages, and how the messages are spelled. */
export interface ChatParts {
  readonly options: Json;
  readonly spelling: ChatSpelling;
}

type Row = Concession<ChatParts>;

const LIMITS = ["max_tokens", "max_completion_tokens"] as const;
const namesLimit = namesField(...LIMITS, "max_output_tokens", "maximum_tokens");
const limitOf = ({ options }: ChatParts) => LIMITS.find((name) => options[name] !== undefined);

const without = (...names: readonly string[]): NonNullable<Row["change"]> => {
  return (parts) => {
    if (names.every((name) => parts.options[name] === undefined)) return undefined;
    const kept = Object.entries(parts.options).filter(([name]) => !names.includes(name));
    return { ...parts, options: Object.fromEntries(kept) };
  };
};

/** Spells the conversation otherwise, unless it is spelled so already. */
const spelled = (name: string, other: Partial<ChatSpelling>): NonNullable<Row["change"]> => {
  return (parts) => {
    const { spelling } = parts;
    const isSpelledSo = Object.entries(other).every(
      ([field, value]) => spelling[field as keyof ChatSpelling] === value,
    );
    return isSpelledSo
      ? undefined
      : { ...parts, spelling: { ...spelling, ...other, key: `${spelling.key} ${name}` } };
  };
};

const saysMissing = saysWords(/missing|must be (?:passed|provided|set)|required|expected/i);
const isBoth = (...all: readonly ((refusal: Refusal) => boolean)[]) => {
  return (refusal: Refusal) => all.every((isOne) => isOne(refusal));
};

const ROWS: readonly Row[] = [
  {
    field: "the limit of output",
    isNamed: namesLimit,
    valueIn: (refusal, parts) => boundIn(refusal, Number(parts.options[limitOf(parts) ?? ""])),
    change: (parts, value) => {
      const name = limitOf(parts);
      return name && { ...parts, options: { ...parts.options, [name]: value } };
    },
    told: "the limit of output is the greatest that it takes",
  },
  {
    field: "the limit of output",
    isNamed: namesLimit,
    change: (parts) => {
      const name = limitOf(parts);
      if (!name) return undefined;
      const { [name]: value, ...options } = parts.options;
      return { ...parts, options: { ...options, [LIMITS.find((other) => other !== name) as string]: value } };
    },
    told: "max_tokens and max_completion_tokens change places",
  },
  { field: "the limit of output", isNamed: namesLimit, change: without(...LIMITS) },
  { field: "stream_options", isNamed: namesField("stream_options"), change: without("stream_options") },
  {
    field: "stream",
    isNamed: (refusal) => namesField("stream")(refusal) || saysWords(/verified to stream/i)(refusal),
    change: without("stream", "stream_options"),
    told: "answers are not streamed",
  },
  {
    field: "reasoning_effort",
    isNamed: (refusal) =>
      namesField("reasoning_effort")(refusal) ||
      saysWords(/not support (?:thinking|reasoning)\b|think value|reasoning is not supported/i)(refusal),
    change: without("reasoning_effort"),
  },
  {
    field: "response_format",
    isNamed: (refusal) =>
      namesField("response_format")(refusal) ||
      saysWords(/json_schema|structured outputs?|guided decoding/i)(refusal),
    isAskedFor: ({ options }) => options["response_format"] !== undefined,
  },
  {
    field: "tools",
    isNamed: (refusal) =>
      namesField("tools", "tool_choice")(refusal) ||
      saysWords(
        /not support(?:ed)?(?: for)? (?:tools?|functions?)\b|(?:tool|function) (?:calling|calls?|use) (?:is|are) not|enable-auto-tool-choice/i,
      )(refusal),
    isAskedFor: ({ options }) => options["tools"] !== undefined,
  },
  {
    field: "reasoning_content",
    isNamed: isBoth(namesField("reasoning_content"), saysMissing),
    change: spelled("reasoned", { needsReasoning: true, omitsReasoning: false }),
    told: "answers with calls have reasoning_content",
    isInMessages: true,
  },
  {
    field: "reasoning_content",
    isNamed: namesField("reasoning_content", "reasoning_details", "extra_content"),
    change: spelled("unreasoned", { omitsReasoning: true, needsReasoning: false }),
    told: "earlier reasoning is left out",
    isInMessages: true,
  },
  {
    field: "thought_signature",
    isNamed: isBoth(namesField("thought_signature"), saysMissing),
    change: spelled("signed", { needsSignatures: true }),
    told: "calls of other models have a thought signature",
    isInMessages: true,
  },
  {
    field: "ids of calls",
    isNamed: saysWords(/tool call id .{0,200}length of 9/is),
    change: spelled("nine", { callIds: NINE_CHARACTER_IDS }),
    told: "ids of calls have nine characters",
    isInMessages: true,
  },
  {
    field: "roles",
    isNamed: saysWords(/role ['"]?user['"]? after role ['"]?tool/i),
    change: spelled("filled", { fillsGaps: true }),
    told: "a short answer stands between a result and the next message",
    isInMessages: true,
  },
  {
    field: "the role system",
    isNamed: saysWords(
      /system (?:role|messages?|prompts?) (?:is |are )?not (?:supported|allowed)|not support ['"`]?system|only user(?:,)? (?:and )?assistant|(?:developer|system) instructions? (?:is|are) not/i,
    ),
    change: spelled("systemless", { systemInUser: true }),
    told: "the system message stands in the first message of the user",
    isInMessages: true,
  },
  {
    field: "roles",
    isNamed: saysWords(
      /roles? (?:must|should) (?:be )?alternat|should be alternating|multiple ['"]?\w+['"]? roles in a row|(?:expected|expects?) last role|last message (?:must|should) (?:have role|be)|first message must|(?:must|should) start with a user|consecutive (?:user|assistant)|2 or more assistant messages/i,
    ),
    change: spelled("alternating", { alternates: true }),
    told: "neighbours of one role are one message",
    isInMessages: true,
  },
  {
    field: "content",
    isNamed: (refusal) =>
      namesField("content")(refusal) ||
      saysWords(/content.{0,80}(?:valid string|a string|none is not|null)|invalid type: (?:null|sequence)/is)(
        refusal,
      ),
    change: spelled("plain", { plainContent: true }),
    told: "content is plain text",
    isInMessages: true,
  },
];

export const CHAT_CONCESSIONS: ConcessionTable<ChatParts> = { wire: "chat", rows: ROWS };
