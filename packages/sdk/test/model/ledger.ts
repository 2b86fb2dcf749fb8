/** Prompts that can be told apart wherever they turn up, and how often the model was asked for each. */
import type { ModelScript, RecordedModelRequest, ScriptedReply } from "@rightseat/testing";

/** What is asked for: an answer at once, in words, after a tool; a model that refuses, or takes its time. */
export type PromptKind = "echo" | "words" | "tool" | "fail" | "slow";
/** What the tool's handler does, where the prompt has it called. */
export type ToolManner = "answer" | "throw" | "reject" | "bigint" | "circular" | "undefined" | "late";

/** Longer than most limits that calls have here. */
const SLOW_MS = 40;

export interface Prompt {
  /** Nothing else has it. */
  readonly token: string;
  readonly kind: PromptKind;
  readonly text: string;
  readonly messageId: string;
  readonly calls: PromptCall[];
  /** Turns of its session that were to be ended before it was sent first. */
  abortsBefore?: number;
}

/** One `send` or `sendAndWait` of a prompt. */
export interface PromptCall {
  readonly how: "send" | "wait";
  outcome: "pending" | "resolved" | "rejected";
  error?: unknown;
  /** What `sendAndWait` resolved with. */
  answer?: string;
  /** The turn may have been ended by others: an abort, somebody who left. */
  disturbed: boolean;
}

export function createPrompt(token: string, kind: PromptKind, manner: ToolManner): Prompt {
  return { token, kind, text: `please <${token} ${kind} ${manner}>`, messageId: `id-${token}`, calls: [] };
}

export function answerTo(token: string): string {
  return `said of ${token}`;
}

/** How often the model was asked to begin with each prompt, by token. */
export class Ledger {
  readonly #begun = new Map<string, number>();

  begunOf({ token }: Prompt): number {
    return this.#begun.get(token) ?? 0;
  }

  forget({ token }: Prompt): void {
    this.#begun.delete(token);
  }

  /** What the model says. A request that follows on a tool's result goes on with a prompt, and is no beginning. */
  readonly script: ModelScript = (request) => {
    const { token, kind, manner, goesOn } = lastPromptOf(request);
    if (token === undefined) return { text: "ok" };
    if (!goesOn) this.#begun.set(token, (this.#begun.get(token) ?? 0) + 1);
    return goesOn ? { text: answerTo(token) } : replyOf(token, kind as PromptKind, manner);
  };
}

function replyOf(token: string, kind: PromptKind, manner: string | undefined): ScriptedReply {
  switch (kind) {
    case "words":
      return { words: answerTo(token).split(/(?<= )/) };
    case "tool":
      return { toolCalls: [{ id: `call-${token}`, name: "lookup", arguments: { manner } }] };
    case "fail":
      return { status: 401 };
    case "slow":
      return { text: answerTo(token), delayMs: SLOW_MS };
    default:
      return { text: answerTo(token) };
  }
}

function lastPromptOf({ body }: RecordedModelRequest) {
  const messages = body["messages"] as { role: string; content: unknown }[];
  const last = messages.findLastIndex(({ role }) => role === "user");
  const said = JSON.stringify(messages[last]?.content ?? "");
  const [, token, kind, manner] = /<(\S+) (\w+) (\w+)>/.exec(said) ?? [];
  return { token, kind, manner, goesOn: messages.slice(last).some(({ role }) => role === "tool") };
}
