/** Reads a session's log page by page, and waits for what comes: `session.eventLog.read`. */
import { RpcError, wellFormedJson } from "@rightseat/protocol";
import type { EventLog } from "../../store/event-log.ts";
import type { PublishedEvent, SessionEvent } from "../log/published-event.ts";
import { readVisible } from "../state/visible-log.ts";
import { EventRing, keepEphemerals } from "./event-ring.ts";
import type { Session } from "./session.ts";

export interface EventLogReadParams {
  readonly cursor?: string;
  readonly max?: number;
  readonly waitMs?: number;
  readonly types?: "*" | readonly string[];
  readonly agentScope?: "primary" | "all";
  readonly agentIds?: readonly string[];
  readonly direction?: "forward" | "backward";
  readonly includeEphemeral?: boolean;
}

const DEFAULT_MAX = 200;
const LARGEST_MAX = 1000;
const LONGEST_WAIT_MS = 60_000;
/** A page ends before the event that would make it larger; a larger event is a page of its own. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** How far somebody has read: in the log, and in the ring of ephemeral events if they began in that one. */
interface Cursor {
  readonly at: number;
  readonly ring?: { readonly id: string; readonly position: number };
}

/** A cursor behind all that there is: what is told from now on lies behind it, ephemeral events too. */
export async function tailCursor(session: Session): Promise<string> {
  const ring = keepEphemerals(session);
  const position = ring.end;
  await session.committed();
  return formatCursor({ at: session.end, ring: { id: ring.id, position } });
}

/**
 * The result as JSON text. Waits up to `waitMs` when there is nothing yet.
 * @throws RpcError `invalid_params` for a cursor that this server has not given out.
 */
export async function readEventLog(
  log: EventLog,
  session: Session,
  params: EventLogReadParams,
  signal: AbortSignal,
): Promise<string> {
  const from = params.cursor === undefined ? undefined : parseCursor(params.cursor);
  const max = Math.min(params.max ?? DEFAULT_MAX, LARGEST_MAX);
  const matches = matcher(params);
  await session.committed();
  // A log that was cut off behind a crash, or another one: what is left is read from its boundary.
  const isExpired = from !== undefined && from.at > session.end;
  const status = isExpired ? "expired" : "ok";
  if (params.direction === "backward") {
    const to = isExpired || from === undefined ? session.end : from.at;
    return readBackward(log, session, { to, max, matches, status });
  }
  const withEphemerals = params.includeEphemeral !== false;
  const ring = withEphemerals ? keepEphemerals(session) : new EventRing();
  const known = from?.ring?.id === ring.id && !isExpired ? from.ring.position : undefined;
  const deadlineMs = performance.now() + Math.min(params.waitMs ?? 0, LONGEST_WAIT_MS);
  let at = isExpired ? 0 : (from?.at ?? 0);
  let position = known ?? ring.end;
  for (;;) {
    // Listening begins before reading, so that nothing falls between the two.
    const arrival = new Arrival(session, (event) => matches(event.event));
    try {
      const behind = ring.end;
      await session.committed();
      const range = { at, to: session.end, position, behind, max, matches };
      const page = await readForward({ log, session, ring }, range);
      ({ at, position } = page);
      const leftMs = deadlineMs - performance.now();
      if (page.events.length > 0 || leftMs <= 0 || signal.aborted) {
        const cursor = formatCursor({ at, ...(withEphemerals ? { ring: { id: ring.id, position } } : {}) });
        return result(page.events, cursor, page.hasMore, status);
      }
      await arrival.wait(leftMs, signal);
      if (withEphemerals) keepEphemerals(session);
    } finally {
      arrival.stop();
    }
  }
}

type Shown = Pick<SessionEvent, "type" | "agentId"> & { readonly ephemeral?: true; readonly data?: unknown };
type Matcher = (event: Shown) => boolean;

function matcher(params: EventLogReadParams): Matcher {
  const types = params.types === undefined || params.types === "*" ? undefined : new Set(params.types);
  const agents = params.agentIds ? new Set<unknown>(params.agentIds) : undefined;
  return ({ type, agentId, ephemeral, data }) => {
    if (types && !types.has(type)) return false;
    if (ephemeral && params.includeEphemeral === false) return false;
    if (agents) {
      const { agentId: of, parentToolCallId } = (data ?? {}) as Record<string, unknown>;
      return [agentId, of, parentToolCallId].some((owner) => owner !== undefined && agents.has(owner));
    }
    return params.agentScope !== "primary" || agentId === undefined || type.startsWith("subagent.");
  };
}

const CURSOR = /^(\d{1,15})(?:-([0-9a-f]{8})\.(\d{1,15}))?$/;

function parseCursor(cursor: string): Cursor {
  const [, at, id, position] = CURSOR.exec(cursor) ?? [];
  if (at === undefined) {
    throw new RpcError(
      "invalid_params",
      `session.eventLog.read: cursor: expected one that an earlier answer gave, got ${JSON.stringify(cursor)}`,
      {
        path: "cursor",
      },
    );
  }
  return {
    at: Number(at),
    ...(id === undefined ? {} : { ring: { id, position: Number(position) } }),
  };
}

function formatCursor({ at, ring }: Cursor): string {
  return ring ? `${at}-${ring.id}.${ring.position}` : String(at);
}

interface Page {
  readonly events: string[];
  readonly at: number;
  readonly position: number;
  readonly hasMore: boolean;
}

interface ForwardRange {
  readonly at: number;
  readonly to: number;
  /** In the ring. */
  readonly position: number;
  /** Ephemeral events before this position belong to what is committed. */
  readonly behind: number;
  readonly max: number;
  readonly matches: Matcher;
}

/** Durable events with the ephemeral ones between them, as they were told: each of those names the durable one before it. */
async function readForward(
  { log, session, ring }: { log: EventLog; session: Session; ring: EventRing },
  { at, to, position, behind, max, matches }: ForwardRange,
): Promise<Page> {
  const ephemerals = ring.from(position);
  const first = ring.end - ephemerals.length;
  const events: string[] = [];
  let bytes = 0;
  let next = 0;
  let cursor = at;
  const page = (hasMore: boolean) => ({
    events,
    at: hasMore ? cursor : Math.max(cursor, to),
    position: first + next,
    hasMore,
  });
  const add = (json: string): boolean => {
    bytes += Buffer.byteLength(json);
    if (events.length === max || (bytes > MAX_PAGE_BYTES && events.length > 0)) return false;
    events.push(json);
    return true;
  };
  const addEphemerals = (end: number): boolean => {
    for (; next < end; next += 1) {
      const { event, json } = ephemerals[next] as PublishedEvent;
      if (matches(event) && !add(json)) return false;
    }
    return true;
  };
  for await (const batch of readVisible(log, session.key, session.state.cuts, { from: at, to })) {
    for (const line of batch) {
      const event = JSON.parse(line.json) as SessionEvent;
      const before = ephemerals.findLastIndex((ephemeral) => ephemeral.event.parentId === event.parentId) + 1;
      if (!addEphemerals(before)) return page(true);
      if (matches(event) && !add(line.json)) return page(true);
      cursor = line.cursor;
    }
  }
  return page(!addEphemerals(Math.min(behind - first, ephemerals.length)));
}

/** The last `max` matching events before `to`, oldest first; the cursor is before the first of them. */
async function readBackward(
  log: EventLog,
  session: Session,
  range: { to: number; max: number; matches: Matcher; status: CursorStatus },
): Promise<string> {
  const kept: { json: string; before: number }[] = [];
  let before = 0;
  let bytes = 0;
  let more = false;
  for await (const batch of readVisible(log, session.key, session.state.cuts, { to: range.to })) {
    for (const line of batch) {
      if (range.matches(JSON.parse(line.json) as SessionEvent)) {
        kept.push({ json: line.json, before });
        bytes += Buffer.byteLength(line.json);
      }
      while (kept.length > range.max || (bytes > MAX_PAGE_BYTES && kept.length > 1)) {
        bytes -= Buffer.byteLength(kept.shift()?.json ?? "");
        more = true;
      }
      before = line.cursor;
    }
  }
  return result(
    kept.map(({ json }) => json),
    formatCursor({ at: kept[0]?.before ?? 0 }),
    more,
    range.status,
  );
}

type CursorStatus = "ok" | "expired";

function result(
  events: readonly string[],
  cursor: string,
  hasMore: boolean,
  cursorStatus: CursorStatus,
): string {
  // Logs of other programs, and old ones, hold halves of surrogate pairs.
  const lines = wellFormedJson(events.join(","));
  return `{"events":[${lines}],"cursor":"${cursor}","hasMore":${hasMore},"cursorStatus":"${cursorStatus}"}`;
}

/** The first matching event that is told from now on. */
class Arrival {
  /** Ends the listening. */
  readonly stop: () => void;
  #arrived = false;
  #wake: (() => void) | undefined;

  constructor(session: Session, matches: (event: PublishedEvent) => boolean) {
    this.stop = session.observe((event) => {
      if (this.#arrived || !matches(event)) return;
      this.#arrived = true;
      this.#wake?.();
    });
  }

  /** Resolves when there was one, when the time is over, or when nobody waits any more. */
  async wait(waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#arrived || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
