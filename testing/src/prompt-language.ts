import type { ScriptedReply } from "./scripted-reply.ts";

/**
 * What the server does when a test gives it no script: the last user message says it.
 *
 * - `echo X` answers X
 * - `words N` answers N words, one delta each (`w0 w1 …`)
 * - `tool NAME K` asks for the tool NAME with `{n, value}` K times, one call a turn, then says "done"
 *
 * Anything else is answered "ok".
 */
export function replyToPrompt(body: Record<string, unknown>): ScriptedReply {
  const turns = toTurns(body);
  const lastUser = turns.findLastIndex((turn) => turn.kind === "user");
  const said = turns[lastUser]?.text ?? "";
  const tool = /\btool (\S+) (\d+)/.exec(said);
  if (tool !== null) {
    // Parallel calls never occur here, so results count the rounds.
    const rounds = turns.slice(lastUser + 1).filter((turn) => turn.kind === "tool-result").length;
    if (rounds >= Number(tool[2])) return { text: "done" };
    return { toolCalls: [{ name: tool[1] ?? "", arguments: { n: rounds, value: "x" } }] };
  }
  const words = /\bwords (\d+)/.exec(said);
  if (words !== null) return { words: Array.from({ length: Number(words[1]) }, (_, index) => `w${index} `) };
  const echo = /\becho ([\s\S]*)/.exec(said);
  return { text: echo?.[1] ?? "ok" };
}

interface Turn {
  readonly kind: "user" | "tool-result" | "other";
  readonly text: string;
}

/** The conversation of any of the three wires, reduced to who spoke. */
function toTurns(body: Record<string, unknown>): Turn[] {
  const entries = body["messages"] ?? body["input"];
  if (typeof entries === "string") return [{ kind: "user", text: entries }];
  return Array.isArray(entries) ? entries.map(toTurn) : [];
}

function toTurn(entry: { readonly role?: string; readonly type?: string; readonly content?: unknown }): Turn {
  const parts = Array.isArray(entry.content) ? (entry.content as { type?: string; text?: string }[]) : [];
  const text =
    typeof entry.content === "string" ? entry.content : parts.map((part) => part.text ?? "").join("");
  const isResult =
    entry.role === "tool" ||
    entry.type === "function_call_output" ||
    parts.some((part) => part.type === "tool_result");
  return { kind: isResult ? "tool-result" : entry.role === "user" ? "user" : "other", text };
}
