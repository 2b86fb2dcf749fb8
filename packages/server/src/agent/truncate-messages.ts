/**
 * Makes a conversation shorter without asking a model: old tool results are shortened first, then the
 * oldest exchanges go, then what is left is shortened. A tool call is never parted from its results,
 * the summary of a compaction and the prompt in progress stay, and the conversation begins with a
 * user message, as providers want it.
 *
 * Planning and doing are apart, so that the log can hold the plan.
 */
import { cutText, endOfText } from "@rightseat/protocol";
import type { ModelMessage } from "../models/model-provider.ts";
import { isSummary } from "./compaction-summary.ts";
import { tokensOfMessage, tokensOfText } from "./tokens.ts";

/** Positions are of the conversation before anything is done. Plain data. */
export interface TruncationPlan {
  /** Ranges that go: from, and up to but without. */
  readonly dropped: readonly (readonly [from: number, to: number])[];
  /** Messages that are shortened, and the characters of text that they keep. */
  readonly shortened: readonly (readonly [index: number, characters: number])[];
}

/** What an old tool result keeps. */
const OLD_RESULT_CHARACTERS = 1_000;
/** Below this nothing is shortened any more. */
const LEAST_CHARACTERS = 500;

/** How to get the messages down to so many tokens, as near as can be; undefined when they are there. */
export function planTruncation(
  messages: readonly ModelMessage[],
  budgetTokens: number,
): TruncationPlan | undefined {
  const plan = new Planner(messages, budgetTokens);
  if (plan.fits) return undefined;
  plan.shortenOldResults();
  plan.dropOldExchanges();
  plan.dropOldRounds();
  plan.shortenTheRest();
  return plan.result();
}

export function applyTruncation(
  messages: readonly ModelMessage[],
  { dropped, shortened }: TruncationPlan,
): ModelMessage[] {
  const limits = new Map(shortened);
  return messages.flatMap((message, index) => {
    if (dropped.some(([from, to]) => index >= from && index < to)) return [];
    const characters = limits.get(index);
    return [characters === undefined ? message : shortenMessage(message, characters)];
  });
}

class Planner {
  readonly #messages: readonly ModelMessage[];
  readonly #budget: number;
  readonly #tokens: number[];
  readonly #dropped: [number, number][] = [];
  readonly #shortened = new Map<number, number>();
  /** Where the last round begins: the latest answer with its tool results, or the latest message. */
  readonly #lastRound: number;
  /** The latest user message; what it asked for is still being done. */
  readonly #prompt: number;
  #total: number;

  constructor(messages: readonly ModelMessage[], budget: number) {
    this.#messages = messages;
    this.#budget = budget;
    this.#tokens = messages.map(tokensOfMessage);
    this.#total = this.#tokens.reduce((sum, tokens) => sum + tokens, 0);
    this.#lastRound = Math.max(
      0,
      messages.findLastIndex((message) => message.role !== "tool"),
    );
    this.#prompt = messages.findLastIndex((message) => message.role === "user");
  }

  get fits(): boolean {
    return this.#total <= this.#budget;
  }

  shortenOldResults(): void {
    for (let index = 0; index < this.#lastRound && !this.fits; index += 1) {
      if (this.#messages[index]?.role === "tool") this.#shorten(index, OLD_RESULT_CHARACTERS);
    }
  }

  dropOldExchanges(): void {
    const first = this.#messages[0];
    const from = first && isSummary(first) ? 1 : 0;
    let to = from;
    for (let index = from; index < this.#prompt && !this.fits; ) {
      index = this.#nextUser(index);
      this.#forget(to, index);
      to = index;
    }
    if (to > from) this.#dropped.push([from, to]);
  }

  /** Rounds of tool calls that the prompt in progress has behind it. */
  dropOldRounds(): void {
    const from = this.#prompt + 1;
    let to = from;
    while (to < this.#lastRound && !this.fits) {
      const next = this.#endOfRound(to);
      this.#forget(to, next);
      to = next;
    }
    if (to > from) this.#dropped.push([from, to]);
  }

  /** Halves the largest message until all fit, or nothing is worth halving. */
  shortenTheRest(): void {
    while (!this.fits) {
      let largest = -1;
      for (let index = 0; index < this.#tokens.length; index += 1) {
        if (this.#charactersOf(index) > LEAST_CHARACTERS && this.#tokensAt(index) > this.#tokensAt(largest))
          largest = index;
      }
      if (largest < 0) return;
      const before = this.#total;
      this.#shorten(largest, Math.max(LEAST_CHARACTERS, this.#charactersOf(largest) >> 1));
      if (this.#total >= before) return;
    }
  }

  result(): TruncationPlan {
    const goes = (index: number) => this.#dropped.some(([from, to]) => index >= from && index < to);
    return { dropped: this.#dropped, shortened: [...this.#shortened].filter(([index]) => !goes(index)) };
  }

  #tokensAt(index: number): number {
    return this.#tokens[index] ?? 0;
  }

  /** Characters that could still be taken from; none of what goes as a whole. */
  #charactersOf(index: number): number {
    if (this.#tokensAt(index) === 0) return 0;
    return this.#shortened.get(index) ?? textOf(this.#messages[index] as ModelMessage).length;
  }

  #shorten(index: number, characters: number): void {
    const message = this.#messages[index] as ModelMessage;
    const shorter = tokensOfMessage(shortenMessage(message, characters));
    if (shorter >= this.#tokensAt(index)) return;
    this.#total += shorter - this.#tokensAt(index);
    this.#tokens[index] = shorter;
    this.#shortened.set(index, characters);
  }

  #forget(from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      this.#total -= this.#tokensAt(index);
      this.#tokens[index] = 0;
    }
  }

  #nextUser(index: number): number {
    const next = this.#messages.findIndex((message, at) => at > index && message.role === "user");
    return next < 0 ? this.#messages.length : next;
  }

  #endOfRound(index: number): number {
    const next = this.#messages.findIndex((message, at) => at > index && message.role !== "tool");
    return next < 0 ? this.#messages.length : next;
  }
}

function textOf(message: ModelMessage): string {
  if (typeof message.content === "string") return message.content;
  return message.content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
}

/** Its text alone, cut in the middle; images and documents go. What it calls and answers stays. */
function shortenMessage(message: ModelMessage, characters: number): ModelMessage {
  const content = shortenText(textOf(message), characters);
  if (message.role !== "tool") return { ...message, content };
  const { images: _, ...rest } = message;
  return { ...rest, content };
}

/** Beginning and end of a text; of tool output the end tells more often how it went. */
function shortenText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const head = Math.ceil(characters / 2);
  const left = `\n[… ${text.length - characters} characters left out to stay within the context window …]\n`;
  const shorter = cutText(text, head) + left + endOfText(text, characters - head);
  return tokensOfText(shorter) < tokensOfText(text) ? shorter : text;
}
