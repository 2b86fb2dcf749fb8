import { createHash } from "node:crypto";

/** What a server takes as the id of a tool call. */
export interface CallIdRule {
  readonly maxLength: number;
  readonly pattern: RegExp;
}

/** What every server takes that has no narrower rule: OpenAI allows 40 characters, Anthropic these alone. */
export const COMMON_CALL_IDS: CallIdRule = { maxLength: 40, pattern: /^[a-zA-Z0-9_-]+$/ };

/**
 * The ids of calls as a server takes them, the same for the same id. They come from another provider when
 * the session changed to this one. Calls of one answer that share an id get one each, and so do their
 * results, in order.
 */
export class WireCallIds {
  readonly #rule: CallIdRule;
  /** How often each id was met since the last message that is no result. */
  #met: Map<string, number> | undefined;

  constructor(rule: CallIdRule) {
    this.#rule = rule;
  }

  /** A message that is no tool's result begins. */
  begin(): void {
    this.#met = undefined;
  }

  /** The ids of one answer's calls. */
  ofCalls(calls: readonly { readonly id: string }[]): string[] {
    this.begin();
    const ids = calls.map(({ id }) => this.next(id));
    this.begin();
    return ids;
  }

  /** The id of a call, or of its result. */
  next(id: string): string {
    this.#met ??= new Map();
    const times = (this.#met.get(id) ?? 0) + 1;
    this.#met.set(id, times);
    return toCallId(times === 1 ? id : `${id}_${times}`, this.#rule);
  }
}

function toCallId(id: string, { maxLength, pattern }: CallIdRule): string {
  if (id.length <= maxLength && pattern.test(id)) return id;
  const digest = createHash("sha256").update(id).digest("hex");
  return (maxLength < 32 ? digest : `call_${digest.slice(0, 24)}`).slice(0, maxLength);
}
