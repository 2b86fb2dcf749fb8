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
}

export type ReadPage = (request: PageRequest) => Promise<LogPage>;

/**
 * A place between two events of a log: behind the event `lastId`, which is at or behind `cursor`.
 * Without `lastId` it is at the cursor; without a cursor, at the beginning.
 */
export interface LogPosition {
  readonly cursor?: string;
  readonly lastId?: string;
}

/** Events that follow a position, in order. */
export interface Continuation {
  readonly events: readonly SessionEvent[];
  /** Behind these events. */
  readonly cursor: string;
  /** Nothing follows for now. */
  readonly atEnd: boolean;
  /** Set when the place that was looked for is not in the log any more: it goes on behind this event. */
  readonly lastId?: string;
}

const PAGE_EVENTS = 500;
/** How far behind its cursor a position may be at most; more means that the log is not the one it was. */
const SEARCH_EVENTS = 5000;

/**
 * Pages of the events behind a position. A log that was cut back, so that the place is gone, goes on at
 * its end: what is in it was told before, or was taken back.
 */
export async function* readAfter(read: ReadPage, position: LogPosition): AsyncGenerator<Continuation> {
  let { cursor, lastId } = position;
  let searched = 0;
  for (;;) {
    const page = await read({ cursor, max: PAGE_EVENTS, agentScope: "all" });
    if (page.cursorStatus === "expired") return yield* readFromEnd(read, lastId);
    let { events } = page;
    if (lastId !== undefined && events.length > 0) {
      const rest = behind(events, lastId);
      searched += events.length;
      if (rest) lastId = undefined;
      else if (!page.hasMore || searched > SEARCH_EVENTS) return yield* readFromEnd(read, lastId);
      events = rest ?? [];
    }
    cursor = page.cursor;
    yield { events, cursor, atEnd: !page.hasMore };
    if (!page.hasMore) return;
  }
}

/** The events behind `lastId`; undefined when it is neither among them nor just before the first. */
function behind(events: readonly SessionEvent[], lastId: string): readonly SessionEvent[] | undefined {
  if (events[0]?.parentId === lastId) return events;
  const index = events.findIndex((event) => event.id === lastId);
  return index < 0 ? undefined : events.slice(index + 1);
}

async function* readFromEnd(read: ReadPage, lastId: string | undefined): AsyncGenerator<Continuation> {
  const page = await read({ max: PAGE_EVENTS, agentScope: "all", direction: "backward" });
  const events = lastId === undefined ? undefined : behind(page.events, lastId);
  yield {
    events: events ?? [],
    cursor: page.cursor,
    atEnd: true,
    ...(events ? {} : { lastId: page.events.at(-1)?.id }),
  };
}
