import { toJson } from "@rightseat/protocol";
import type { ModelMessage } from "../model-provider.ts";

/** Shorter conversations are encoded anew each time: that is quick, and there are many of them. */
const KEPT_FROM_BYTES = 16 * 1024;
/** All conversations together; the one used longest ago goes first. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;
/** Room for what comes next, so that a conversation that grows is not copied with every message. */
const GROWTH = 1.5;

interface Kept {
  bytes: Buffer;
  /** How many of `bytes` are in use. */
  length: number;
  /** Messages that the bytes stand for, and the last of them. */
  count: number;
  last: ModelMessage | undefined;
  /** The key of the spelling that they are in. */
  readonly key: string;
  readonly place: Place;
}

/** What is counted of a conversation that may be gone. */
interface Place {
  kept: WeakRef<Kept> | undefined;
  bytes: number;
}

export interface EncodedConversation {
  /** Comes first; good until the next call. */
  readonly kept?: Uint8Array;
  readonly text: string;
}

/**
 * Encodes the messages of conversations for requests that repeat all of them each time. What was encoded
 * for an earlier request is kept, outside the JavaScript heap, and only what came since is added.
 *
 * A conversation is known by its array, which may grow and lose its end, or have its last message
 * replaced; messages themselves do not change. When its end is not what was encoded, it is encoded anew.
 * What is kept lives no longer than that array: a session that sleeps or was deleted leaves nothing here.
 */
export class ConversationEncoder<Spelling extends { readonly key: string }> {
  readonly #toWire: (messages: readonly ModelMessage[], spelling: Spelling) => readonly object[];
  readonly #kept = new WeakMap<readonly ModelMessage[], Kept>();
  /** Used longest ago first. */
  readonly #recent = new Set<Place>();
  readonly #gone = new FinalizationRegistry<Place>((place) => this.#giveBack(place));
  #bytes = 0;

  /** The bytes of all conversations that are kept. */
  get keptBytes(): number {
    return this.#bytes;
  }

  /**
   * @param toWire spells messages as the wire has them. Behind a message that is no tool's result, what
   *   follows must not depend on what came before.
   */
  constructor(toWire: (messages: readonly ModelMessage[], spelling: Spelling) => readonly object[]) {
    this.#toWire = toWire;
  }

  /** JSON of the messages, without the array's brackets. Another spelling than before encodes all of them anew. */
  encode(messages: readonly ModelMessage[], spelling: Spelling): EncodedConversation {
    const settled = settledCount(messages);
    const known = this.#keptOf(messages, spelling.key);
    const text = this.#toJson(messages.slice(known?.count ?? 0, settled), spelling);
    const rest = this.#toJson(messages.slice(settled), spelling);
    if (!known && text.length < KEPT_FROM_BYTES) return { text: join(text, rest) };
    const kept = known ?? this.#keep(messages, spelling.key);
    this.#add(kept, text);
    kept.count = settled;
    kept.last = messages[settled - 1];
    return { kept: kept.bytes.subarray(0, kept.length), text: rest };
  }

  #toJson(messages: readonly ModelMessage[], spelling: Spelling): string {
    return messages.length === 0 ? "" : toJson(this.#toWire(messages, spelling)).slice(1, -1);
  }

  #keptOf(messages: readonly ModelMessage[], key: string): Kept | undefined {
    const kept = this.#kept.get(messages);
    if (
      kept === undefined ||
      kept.key !== key ||
      kept.last === undefined ||
      messages[kept.count - 1] !== kept.last
    )
      return undefined;
    return kept;
  }

  #keep(messages: readonly ModelMessage[], key: string): Kept {
    const before = this.#kept.get(messages);
    if (before) this.#forget(before);
    const place: Place = { kept: undefined, bytes: 0 };
    const kept: Kept = { bytes: Buffer.alloc(0), length: 0, count: 0, last: undefined, key, place };
    place.kept = new WeakRef(kept);
    this.#gone.register(kept, place);
    this.#kept.set(messages, kept);
    return kept;
  }

  #add(kept: Kept, text: string): void {
    const piece = kept.length > 0 && text !== "" ? `,${text}` : text;
    const needed = kept.length + Buffer.byteLength(piece);
    if (needed > kept.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.ceil(needed * GROWTH));
      kept.bytes.copy(grown, 0, 0, kept.length);
      this.#bytes += grown.length - kept.place.bytes;
      kept.place.bytes = grown.length;
      kept.bytes = grown;
    }
    kept.bytes.write(piece, kept.length, "utf8");
    kept.length = needed;
    this.#recent.delete(kept.place);
    this.#recent.add(kept.place);
    for (const oldest of this.#recent) {
      if (this.#bytes <= MOST_KEPT_BYTES || oldest === kept.place) break;
      const known = oldest.kept?.deref();
      if (known) this.#forget(known);
      else this.#giveBack(oldest);
    }
  }

  #forget(kept: Kept): void {
    this.#giveBack(kept.place);
    Object.assign(kept, { bytes: Buffer.alloc(0), length: 0, count: 0, last: undefined });
  }

  #giveBack(place: Place): void {
    this.#recent.delete(place);
    this.#bytes -= place.bytes;
    place.bytes = 0;
  }
}

/** Tool results at the end may be followed by more of them; how they are spelled is open until then. */
function settledCount(messages: readonly ModelMessage[]): number {
  return messages.findLastIndex((message) => message.role !== "tool") + 1;
}

/** Joins two lists, each without its brackets. */
function join(first: string, second: string): string {
  return first !== "" && second !== "" ? `${first},${second}` : first + second;
}
