import { withoutField, withoutPart } from "../body-fields.ts";
import type { Concession, ConcessionTable } from "../concessions.ts";
import { boundIn, namesField, saysWords } from "../named-field.ts";

type Json = Record<string, unknown>;
type Row = Concession<Json>;

const namesLimit = namesField("max_output_tokens", "max_tokens", "maximum_tokens");

/** Without a field wherever in tools or input an object has it beside the type `of`. */
const withoutEverywhere = (
  place: "tools" | "input",
  of: string,
  name: string,
): NonNullable<Row["change"]> => {
  return (body) => {
    let found = false;
    const walk = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(walk);
      if (typeof value !== "object" || value === null) return value;
      const { [name]: gone, ...rest } = value as Json;
      if (rest["type"] === of && gone !== undefined) {
        found = true;
        return rest;
      }
      const { content, output } = rest;
      if (Array.isArray(content)) return { ...(value as Json), content: walk(content) };
      return Array.isArray(output) ? { ...(value as Json), output: walk(output) } : value;
    };
    const changed = walk(body[place]);
    return found ? { ...body, [place]: changed } : undefined;
  };
};

const ROWS: readonly Row[] = [
  {
    field: "max_output_tokens",
    isNamed: namesLimit,
    valueIn: (refusal, body) => boundIn(refusal, Number(body["max_output_tokens"])),
    change: (body, value) =>
      body["max_output_tokens"] === undefined ? undefined : { ...body, max_output_tokens: value },
    told: "max_output_tokens is the greatest that it takes",
  },
  { field: "max_output_tokens", isNamed: namesLimit, change: withoutField("max_output_tokens") },
  {
    field: "reasoning.summary",
    isNamed: (refusal) =>
      namesField("reasoning.summary", "reasoning_summary")(refusal) ||
      saysWords(/reasoning summar(?:y|ies)/i)(refusal),
    change: withoutPart("reasoning", "summary"),
  },
  {
    field: "reasoning.effort",
    isNamed: namesField("reasoning.effort", "reasoning_effort"),
    change: withoutPart("reasoning", "effort"),
  },
  { field: "reasoning", isNamed: namesField("reasoning"), change: withoutField("reasoning") },
  {
    field: "include",
    isNamed: (refusal) =>
      namesField("include", "reasoning.encrypted_content")(refusal) ||
      saysWords(/encrypted content is not supported/i)(refusal),
    change: withoutField("include"),
  },
  { field: "store", isNamed: namesField("store"), change: withoutField("store") },
  {
    field: "stream",
    isNamed: (refusal) => namesField("stream")(refusal) || saysWords(/verified to stream/i)(refusal),
    change: withoutField("stream"),
    told: "answers are not streamed",
  },
  {
    field: "strict",
    isNamed: namesField("strict", "tools.strict"),
    change: withoutEverywhere("tools", "function", "strict"),
  },
  {
    field: "text.format",
    isNamed: (refusal) =>
      namesField("text", "text.format", "response_format")(refusal) ||
      saysWords(/json_schema|structured outputs?/i)(refusal),
    isAskedFor: ({ text }) => text !== undefined,
  },
  {
    field: "tools",
    isNamed: (refusal) =>
      namesField("tools", "tool_choice")(refusal) ||
      saysWords(
        /not support(?:ed)?(?: for)? (?:tools?|functions?)\b|(?:tool|function) (?:calling|calls?|use) (?:is|are) not/i,
      )(refusal),
    isAskedFor: ({ tools }) => tools !== undefined,
  },
  {
    field: "annotations",
    isNamed: namesField("annotations", "content.annotations"),
    change: withoutEverywhere("input", "output_text", "annotations"),
    isInMessages: true,
  },
  {
    field: "detail",
    isNamed: namesField("detail", "content.detail"),
    change: withoutEverywhere("input", "input_image", "detail"),
    isInMessages: true,
  },
  {
    field: "instructions",
    isNamed: namesField("instructions"),
    change: ({ instructions, ...body }) =>
      instructions === undefined
        ? undefined
        : {
            ...body,
            input: [{ role: "system", content: instructions }, ...(body["input"] as readonly unknown[])],
          },
    told: "instructions are the first item of the input",
  },
  {
    field: "roles",
    isNamed: saysWords(/roles? (?:must|should) (?:be )?alternat|should be alternating|roles in a row/i),
    change: toAlternating,
    told: "neighbours of one role are one message",
    isInMessages: true,
  },
];

/** Neighbouring messages of a user are one. */
function toAlternating(body: Json): Json | undefined {
  const input: Json[] = [];
  let found = false;
  for (const item of body["input"] as readonly Json[]) {
    const last = input.at(-1);
    if (last?.["role"] === undefined || last["role"] !== item["role"]) input.push(item);
    else {
      found = true;
      const content = [...toParts(last), ...toParts(item)];
      input[input.length - 1] = { ...last, content };
    }
  }
  return found ? { ...body, input } : undefined;
}

function toParts({ role, content }: Json): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return [{ type: role === "assistant" ? "output_text" : "input_text", text: content }];
}

export const RESPONSES_CONCESSIONS: ConcessionTable<Json> = { wire: "responses", rows: ROWS };
