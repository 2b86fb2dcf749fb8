/**
 * Puts a session's events into one stream, each once and in order, over connections that come and go.
 *
 * Live events arrive in order. After a connection was lost, the log is read from where the stream ended
 * until it meets the first event that has arrived on the new connection; then the stream goes on with
 * what arrived. What was not logged (deltas, progress) and was told while nobody listened is lost.
 */
import type { SessionEvent } from "@rightseat/protocol";
import { type LogPosition, type ReadPage, readAfter } from "./log-reader.ts";
import { RecentSet } from "./recent-set.ts";

export interface FeedTarget {
  /** Takes the next event of the stream. Must not throw. */
  readonly deliver: (event: SessionEvent) => void;
  /** A question that was delivered before was asked once more. */
  readonly askedAgain: (requestId: string) => void;
}

/** How many questions are remembered, to know one that is asked again. */
const REMEMBERED_QUESTIONS = 512;
/** Events that were told while the server said where its log ends may stand behind the place that it said. */
const KEPT_BEHIND_CURSOR = 64;

export class EventFeed {
  readonly #target: FeedTarget;
  readonly #asked = new RecentSet(REMEMBERED_QUESTIONS);
  #cursor: string | undefined;
  #lastId: string | undefined;
  /** Ids of the durable events that were delivered, from some way before the cursor on. */
  #seen = new Set<string>();
  #sinceCursor = 0;
  /** What has arrived while the log is read; undefined while it is not. */
  #arrived: SessionEvent[] | undefined;
  readonly #onRelease: (() => void)[] = [];

  constructor(target: FeedTarget) {
    this.#target = target;
  }

  /** Where the stream is; the events behind it that were not seen have not been delivered. */
  get position(): LogPosition {
    return { cursor: this.#cursor, seen: this.#seen };
  }

  /** The durable event that was delivered last. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  /** Durable events delivered since the cursor was set; more of them make catching up longer. */
  get sinceCursor(): number {
    return this.#sinceCursor;
  }

  /** The server's word for a place that nothing has been delivered behind but the last few. */
  setCursor(cursor: string): void {
    if (this.#seen.size > KEPT_BEHIND_CURSOR)
      this.#seen = new Set([...this.#seen].slice(-KEPT_BEHIND_CURSOR));
    this.#cursor = cursor;
    this.#sinceCursor = 0;
  }

  /** An event came over the connection. */
  live(event: SessionEvent): void {
    if (this.#arrived) this.#arrived.push(event);
    else this.#take(event, "live");
  }

  /** What arrives waits: the server's word for the end of its log is not the place of the stream. */
  get isHolding(): boolean {
    return this.#arrived !== undefined;
  }

  /** From now on what arrives waits until the log has been read. */
  hold(): void {
    this.#arrived = [];
  }

  /** The connection is gone again: what arrived on it is in the log, or lost. */
  drop(): void {
    this.#arrived = undefined;
  }

  /**
   * Delivers what was missed, then what has arrived meanwhile. Rejects as `read` does; the stream is
   * then where it came to, and `hold` begins anew.
   */
  async catchUp(read: ReadPage): Promise<void> {
    const arrived = this.#arrived;
    if (!arrived) throw new Error("catching up begins with hold()");
    for await (const { events, cursor, passed } of readAfter(read, this.position)) {
      // Another connection has taken over meanwhile.
      if (this.#arrived !== arrived) return;
      if (passed) this.#pass(passed, cursor);
      const ids = idsOf(arrived);
      const met = events.findIndex((event) => ids.has(event.id));
      for (const event of met < 0 ? events : events.slice(0, met)) this.#take(event, "log");
      if (met >= 0) break;
      // Not before: whoever asks for the position while a page is delivered reads the rest of it from the log.
      if (!passed) this.setCursor(cursor);
    }
    this.release();
  }

  /** The place that the cursor stands for comes before events that were told already. */
  #pass(passed: readonly SessionEvent[], cursor: string): void {
    this.setCursor(cursor);
    for (const { id } of passed) this.#seen.add(id);
  }

  /** Delivers what has arrived, and what arrives from now on at once. */
  release(): void {
    const arrived = this.#arrived ?? [];
    this.#arrived = undefined;
    for (const event of arrived) this.#take(event, "live");
    for (const told of this.#onRelease.splice(0)) told();
  }

  /** Resolves when nothing that has arrived waits. */
  async released(): Promise<void> {
    if (this.isHolding) await new Promise<void>((resolve) => this.#onRelease.push(resolve));
  }

  #take(event: SessionEvent, from: "live" | "log"): void {
    const durable = event.ephemeral !== true;
    if (durable) this.#seen.add(event.id);
    const requestId = questionId(event);
    // A question that waits is shown again to who comes back: an event from the past, out of its place.
    const inPlace = from === "log" || requestId === undefined || event.parentId === (this.#lastId ?? null);
    if (durable && inPlace) {
      this.#lastId = event.id;
      this.#sinceCursor += 1;
    }
    if (requestId !== undefined && !this.#asked.add(requestId)) this.#target.askedAgain(requestId);
    else this.#target.deliver(event);
  }
}

/** The id by which a question is answered, of an event that asks one. */
export function questionId({ type, data }: SessionEvent): string | undefined {
  if (!type.endsWith("requested") && !type.endsWith("_required") && type !== "command.execute")
    return undefined;
  const { requestId } = data as { requestId?: unknown };
  return typeof requestId === "string" ? requestId : undefined;
}

/** Questions are left out: one that is shown again is not where it was in the log. */
function idsOf(events: readonly SessionEvent[]): ReadonlySet<string> {
  return new Set(
    events
      .filter((event) => event.ephemeral !== true && questionId(event) === undefined)
      .map((event) => event.id),
  );
}
