/** Reads a session's log from where its events were last followed to. */
import type { SessionEvent } from "@rightseat/protocol";

/** One answer of `session.eventLog.read`. */
export interface LogPage {
  readonly events: readonly SessionEvent[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly cursorStatus: "ok" | "expired";
}

export interface PageRequest {
  readonly cursor?: string;
  readonly max: number;
  readonly agentScope: "all";
  readonly direction?: "forward" | "backward";
  /** Ephemeral events are told live, or not at all. */
  readonly includeEphemeral?: false;
}

export type ReadPage = (request: PageRequest) => Promise<LogPage>;

/** A place in a log: at the cursor (without one, at the beginning), and behind those events that were seen. */
export interface LogPosition {
  readonly cursor?: string;
  /** Ids of events behind the cursor that were told already; others may be among them. */
  readonly seen?: ReadonlySet<string>;
}

/** Events that follow a position, in order. */
export interface Continuation {
  readonly events: readonly SessionEvent[];
  /** Behind these events. */
  readonly cursor: string;
  /** Nothing follows for now. */
  readonly atEnd: boolean;
  /** Events behind the cursor that come before these: told already, or taken for it. */
  readonly passed?: readonly SessionEvent[];
}

/** How many events a page has at most. */
export const PAGE_EVENTS = 500;

/**
 * Pages of the events behind a position. A log grows at its end, also where a rewind took events back: what
 * stands behind the cursor and was not seen is new. One whose cursor is not known any more was replaced: its last
 * page tells what follows the last event that was seen.
 */
export async function* readAfter(read: ReadPage, position: LogPosition): AsyncGenerator<Continuation> {
  const { seen } = position;
  let { cursor } = position;
  for (;;) {
    const page = await read({
      cursor,
      max: PAGE_EVENTS,
      agentScope: "all",
      includeEphemeral: false,
    });
    if (page.cursorStatus === "expired") return yield await readLastPage(read, seen);
    cursor = page.cursor;
    const events = seen ? page.events.filter(({ id }) => !seen.has(id)) : page.events;
    yield { events, cursor, atEnd: !page.hasMore };
    if (!page.hasMore) return;
  }
}

async function readLastPage(read: ReadPage, seen: ReadonlySet<string> | undefined): Promise<Continuation> {
  const { events, cursor } = await read({ max: PAGE_EVENTS, agentScope: "all", direction: "backward" });
  const last = events.findLastIndex(({ id }) => seen?.has(id));
  const passed = last < 0 ? events : events.slice(0, last + 1);
  return { events: events.slice(passed.length), passed, cursor, atEnd: true };
}
