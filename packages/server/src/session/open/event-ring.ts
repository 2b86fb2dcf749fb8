/**
 * The newest ephemeral events of a session, for clients that read its events by a cursor (`session.eventLog.read`) and
 * are between two reads. There is one from the first `tail` or `read` on, and as long as somebody reads again within a
 * minute; a session that nobody reads so has none, and its events cost nothing. Bounded: the oldest go first.
 */
import { randomUUID } from "node:crypto";
import type { PublishedEvent } from "../log/published-event.ts";
import type { Session } from "./session.ts";
import { Slot } from "./slot.ts";

const MAX_EVENTS = 4_096;
const MAX_CHARACTERS = 1024 * 1024;
const KEPT_MS = 60_000;

export class EventRing {
  /** Tells this ring from earlier ones of the same session: their positions mean nothing here. */
  readonly id = randomUUID().slice(0, 8);
  /** The position of the oldest event that is here. */
  start = 0;
  #events: PublishedEvent[] = [];
  #characters = 0;

  /** The position behind the newest event. */
  get end(): number {
    return this.start + this.#events.length;
  }

  /** From a position on; those that are gone are left out. */
  from(position: number): readonly PublishedEvent[] {
    return this.#events.slice(Math.max(0, position - this.start));
  }

  add(event: PublishedEvent): void {
    if (!event.ephemeral) return;
    this.#events.push(event);
    this.#characters += event.json.length;
    if (this.#events.length <= MAX_EVENTS && this.#characters <= MAX_CHARACTERS) return;
    // Half at a time, so that an event costs the same however many are here.
    const gone = this.#events.splice(0, Math.ceil(this.#events.length / 2));
    this.start += gone.length;
    for (const { json } of gone) this.#characters -= json.length;
  }
}

interface Kept {
  readonly ring: EventRing;
  readonly timer: NodeJS.Timeout;
}

const rings = new Slot<Kept>();

/** Keeps events from now on, unless they are kept already; for another minute. */
export function keepEphemerals(session: Session): EventRing {
  const kept = rings.of(session);
  if (kept) {
    kept.timer.refresh();
    return kept.ring;
  }
  const ring = new EventRing();
  const stop = session.observe((event) => ring.add(event));
  const timer = setTimeout(() => {
    stop();
    rings.set(session, undefined);
  }, KEPT_MS).unref();
  rings.set(session, { ring, timer });
  return ring;
}
