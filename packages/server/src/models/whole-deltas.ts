import type { ModelEvent } from "./model-provider.ts";

/**
 * Deltas that a client can be shown one by one: a surrogate pair that a provider sent in two of them is
 * told as a whole, with the second. A half that nothing follows is U+FFFD.
 */
export class WholeDeltas {
  /** Ends what was told of each kind and not shown yet; empty nearly always. */
  readonly #held = { text: "", reasoning: "" };

  /** The event as it is to be told; undefined when there is nothing to tell yet. */
  push(event: ModelEvent): ModelEvent | undefined {
    if (event.type !== "text" && event.type !== "reasoning") return event;
    const { type, delta } = event;
    const held = this.#held[type];
    if (held === "" && !endsInHalf(delta) && delta.isWellFormed()) return event;
    let whole = held + delta;
    this.#held[type] = endsInHalf(whole) ? whole.slice(-1) : "";
    if (this.#held[type] !== "") whole = whole.slice(0, -1);
    return whole === "" ? undefined : { type, delta: whole.toWellFormed() };
  }

  /** What is still held, once the stream is over. */
  end(): ModelEvent[] {
    return (["reasoning", "text"] as const)
      .filter((type) => this.#held[type] !== "")
      .map((type) => ({ type, delta: "\ufffd" }));
  }
}

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
