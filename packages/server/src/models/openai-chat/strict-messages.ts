import type { ChatSpelling } from "./spelling.ts";

type Json = Record<string, unknown>;

/** Whether the server's rules on roles need a look at the whole conversation. */
export function isStrict({ alternates, systemInUser }: ChatSpelling): boolean {
  return alternates || systemInUser;
}

/** Messages, the system's among them, for a server that is strict about roles. */
export function toStrictMessages(messages: readonly Json[], spelling: ChatSpelling): Json[] {
  const told = spelling.systemInUser ? messages.map(toUser) : messages;
  const strict: Json[] = [];
  for (const message of told) {
    const last = strict.at(-1);
    if (last && isMergeable(last, message)) strict[strict.length - 1] = merged(last, message);
    else strict.push(message);
  }
  return spelling.alternates ? withUserAtEnds(strict) : strict;
}

function toUser(message: Json): Json {
  return message["role"] === "system" ? { ...message, role: "user" } : message;
}

/** A result answers one call. An answer with calls has its results behind it. */
function isMergeable(last: Json, next: Json): boolean {
  return last["role"] === next["role"] && last["role"] !== "tool" && last["tool_calls"] === undefined;
}

function merged(last: Json, next: Json): Json {
  const [before, behind] = [last["content"], next["content"]];
  const areTexts = typeof before === "string" && typeof behind === "string";
  const content = areTexts ? `${before}\n\n${behind}` : [...toParts(before), ...toParts(behind)];
  return { ...last, ...next, content };
}

function toParts(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return typeof content === "string" ? [{ type: "text", text: content }] : [];
}

const BEGINNING = { role: "user", content: "Begin." };
const GO_ON = { role: "user", content: "Go on." };

function withUserAtEnds(messages: readonly Json[]): Json[] {
  const first = messages.findIndex(({ role }) => role !== "system");
  const begun =
    messages[first]?.["role"] === "assistant"
      ? [...messages.slice(0, first), BEGINNING, ...messages.slice(first)]
      : [...messages];
  return begun.at(-1)?.["role"] === "assistant" ? [...begun, GO_ON] : begun;
}
