import { cutText } from "@rightseat/protocol";
import type { ModelMessage, ModelRequest, ModelToolCall } from "../model-provider.ts";
import { fillArguments } from "./arguments.ts";
import { solveArithmetic } from "./arithmetic.ts";
import { acknowledgeFacts, findFacts, recall } from "./memory.ts";
import { findMeantTools, findNamedTools } from "./tool-choice.ts";

/** What the rules make of a request: words, or calls of tools. */
export type DemoAnswer = { readonly text: string } | { readonly calls: readonly Omit<ModelToolCall, "id">[] };

/** How much of a tool's result is quoted. */
const MAX_QUOTED_CHARACTERS = 800;

const WHO = "I am the demo model of Rightseat: a few fixed rules, with no language model behind them.";
const CAN =
  "I can repeat (`echo hello`), do sums (`what is 2+2?`), remember what you tell me (`my name is Ada`) and call the tools that you offer. Configure a provider for real answers.";

/** The characters of each message that are read; the rest is not understood. */
const MAX_READ_CHARACTERS = 4000;
const MAX_UNENDED_TAGS = 20;

/**
 * The rules, the first that fits wins: results of tools are quoted, `echo` repeats, a named tool is
 * called, what was told before is recalled, sums are done, a tool that is meant without being named is
 * called, statements are noted, and everything else is told honestly what this is.
 */
export function answerByRules(request: ModelRequest): DemoAnswer {
  const results = toLatestResults(request.messages);
  if (results.length > 0) return { text: quoteResults(results) };
  const said = toUserTexts(request.messages);
  const text = said.at(-1) ?? "";
  const echo = /^\s*(?:please\s+)?echo[:\s]\s*([\s\S]+)$/i.exec(text)?.[1];
  if (echo !== undefined && !/\becho tool\b/i.test(text)) return { text: echo };
  return answerToShort(
    request,
    said.map((message) => cutText(message, MAX_READ_CHARACTERS)),
  );
}

/** What is told of texts that are short enough for expressions that look for a while. */
function answerToShort(request: ModelRequest, said: readonly string[]): DemoAnswer {
  const text = said.at(-1) ?? "";
  const named = findNamedTools(text, request.tools);
  if (named.length > 0) return toCalls(named, text);
  if (/\bsummar(?:y|ise|ize)/i.test(text)) return { text: summarise(said.slice(0, -1)) };
  const recalled = recall(text, said.slice(0, -1));
  if (recalled !== undefined) return { text: recalled };
  const sum = solveArithmetic(text);
  if (sum !== undefined) return { text: `${sum.expression} = ${sum.value}` };
  const noted = acknowledgeFacts(text);
  if (noted !== undefined) return { text: noted };
  const meant = findMeantTools(text, request.tools);
  return meant.length > 0 ? toCalls(meant, text) : { text: introduce(text) };
}

function toCalls(tools: ModelRequest["tools"], text: string): DemoAnswer {
  const calls = tools.flatMap((tool) =>
    fillArguments(tool, text).map((filled) => ({ name: tool.name, arguments: JSON.stringify(filled) })),
  );
  return { calls };
}

interface Result {
  readonly name: string;
  readonly content: string;
  readonly isError: boolean;
}

/** Results after the last user message, with the names of the calls that they answer. */
function toLatestResults(messages: readonly ModelMessage[]): Result[] {
  const turn = messages.slice(messages.findLastIndex((message) => message.role === "user") + 1);
  const names = new Map(
    turn.flatMap((message) =>
      message.role === "assistant" ? message.toolCalls.map((call) => [call.id, call.name] as const) : [],
    ),
  );
  return turn.flatMap((message) =>
    message.role === "tool"
      ? [
          {
            name: names.get(message.toolCallId) ?? "The tool",
            content: message.content,
            isError: message.isError === true,
          },
        ]
      : [],
  );
}

function quoteResults(results: readonly Result[]): string {
  return results
    .map(({ name, content, isError }) => {
      const quoted =
        content.length > MAX_QUOTED_CHARACTERS ? `${content.slice(0, MAX_QUOTED_CHARACTERS)}…` : content;
      return isError ? `${name} failed: ${quoted}` : `${name} answered: ${quoted}`;
    })
    .join("\n");
}

/** What users said, oldest first, without the tagged blocks that a runtime puts around it. */
function toUserTexts(messages: readonly ModelMessage[]): string[] {
  return messages.flatMap((message) => {
    if (message.role !== "user") return [];
    const text =
      typeof message.content === "string"
        ? message.content
        : message.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    const bare = withoutBlocks(text).trim();
    return [bare === "" ? text : bare];
  });
}

/** Without `<tag …>…</tag>`, in one go; a tag without its end stays, and after some of them all do. */
function withoutBlocks(text: string): string {
  const opening = /<([\w-]{1,64})(?:\s[^<>]{0,1000})?>/g;
  let bare = "";
  let from = 0;
  let unended = 0;
  for (let tag = opening.exec(text); tag && unended < MAX_UNENDED_TAGS; tag = opening.exec(text)) {
    const end = `</${tag[1]}>`;
    const at = text.indexOf(end, opening.lastIndex);
    if (at < 0) unended++;
    else {
      bare += text.slice(from, tag.index);
      from = at + end.length;
      opening.lastIndex = from;
    }
  }
  return bare + text.slice(from);
}

/** Quotes what was stated, so that a conversation that is replaced by its summary loses none of it. */
function summarise(earlier: readonly string[]): string {
  const stated = earlier.filter((text) => findFacts(text).length > 0).map((text) => `- ${text}`);
  const lines = [
    `${WHO} This is what I can say of the conversation: the user sent ${earlier.length} message${earlier.length === 1 ? "" : "s"} before this one.`,
  ];
  if (stated.length > 0) lines.push("They stated:", ...stated);
  return lines.join("\n");
}

function introduce(text: string): string {
  const asked = text.trim().replace(/\s+/g, " ");
  if (asked === "" || /^(?:hi|hello|hey|good (?:morning|day|evening))\b/i.test(asked))
    return `Hello! ${WHO} ${CAN}`;
  const quoted = asked.length > 120 ? `${asked.slice(0, 120)}…` : asked;
  return `You said: "${quoted}". ${WHO} ${CAN}`;
}
