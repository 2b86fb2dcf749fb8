/** Reads a session's log page by page, and waits for what comes: `session.eventLog.read`. */
import { RpcError, wellFormedJson } from "@rightseat/protocol";
import type { EventLog } from "../store/event-log.ts";
import type { PublishedEvent } from "./published-event.ts";
import type { Session } from "./session.ts";
import { readVisible } from "./visible-log.ts";

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

/**
 * The result as JSON text. Waits up to `waitMs` when there is nothing yet; then ephemeral events are
 * told too, which only a read that is waiting can see, since they are nowhere kept.
 * @throws RpcError `invalid_params` for a cursor that this server has not given out.
 */
export async function readEventLog(
  log: EventLog,
  session: Session,
  params: EventLogReadParams,
  signal: AbortSignal,
): Promise<string> {
  const from = parseCursor(params.cursor);
  const max = Math.min(params.max ?? DEFAULT_MAX, LARGEST_MAX);
  const matches = matcher(params);
  // Listening begins before reading, so that nothing falls between the two.
  const arrivals = new Arrivals(session, (event) => matches(event.event.type, event.event.agentId));
  try {
    await session.committed();
    const end = session.end;
    if (from !== undefined && from > end) return result([], end, false, "expired");
    if (params.direction === "backward")
      return await readBackward(log, session, { to: from ?? end, max, matches });
    const page = await readForward(log, session, { from: from ?? 0, to: end, max, matches });
    if (page.events.length > 0 || !params.waitMs) return result(page.events, page.cursor, page.hasMore, "ok");
    const arrived = await arrivals.first(Math.min(params.waitMs, LONGEST_WAIT_MS), signal);
    await session.committed();
    return result(arrived.slice(0, max), arrived.length > 0 ? session.end : page.cursor, false, "ok");
  } finally {
    arrivals.stop();
  }
}

type Matcher = (type: string, agentId: string | undefined) => boolean;

function matcher(params: EventLogReadParams): Matcher {
  const types = params.types === undefined || params.types === "*" ? undefined : new Set(params.types);
  const agents = params.agentIds ? new Set(params.agentIds) : undefined;
  return (type, agentId) => {
    if (types && !types.has(type)) return false;
    if (agents) return agentId !== undefined && agents.has(agentId);
    return params.agentScope !== "primary" || agentId === undefined;
  };
}

function parseCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (!/^\d{1,15}$/.test(cursor)) {
    throw new RpcError(
      "invalid_params",
      `session.eventLog.read: cursor: expected one that an earlier answer gave, got ${JSON.stringify(cursor)}`,
      {
        path: "cursor",
      },
    );
  }
  return Number(cursor);
}

interface Page {
  readonly events: string[];
  readonly cursor: number;
  readonly hasMore: boolean;
}

async function readForward(
  log: EventLog,
  session: Session,
  range: { from: number; to: number; max: number; matches: Matcher },
): Promise<Page> {
  const events: string[] = [];
  let bytes = 0;
  let cursor = range.from;
  for await (const batch of readVisible(log, session.key, session.state.cuts, range)) {
    for (const line of batch) {
      if (events.length === range.max) return { events, cursor, hasMore: true };
      if (matchesLine(line.json, range.matches)) {
        bytes += Buffer.byteLength(line.json);
        if (bytes > MAX_PAGE_BYTES && events.length > 0) return { events, cursor, hasMore: true };
        events.push(line.json);
      }
      cursor = line.cursor;
    }
  }
  return { events, cursor: Math.max(cursor, range.to), hasMore: false };
}

/** The last `max` matching events before `to`, oldest first; the cursor is before the first of them. */
async function readBackward(
  log: EventLog,
  session: Session,
  range: { to: number; max: number; matches: Matcher },
): Promise<string> {
  const kept: { json: string; before: number }[] = [];
  let before = 0;
  let bytes = 0;
  let more = false;
  for await (const batch of readVisible(log, session.key, session.state.cuts, { to: range.to })) {
    for (const line of batch) {
      if (matchesLine(line.json, range.matches)) {
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
    kept[0]?.before ?? 0,
    more,
    "ok",
  );
}

function matchesLine(json: string, matches: Matcher): boolean {
  const { type, agentId } = JSON.parse(json) as { type: string; agentId?: string };
  return matches(type, agentId);
}

function result(
  events: readonly string[],
  cursor: number,
  hasMore: boolean,
  cursorStatus: "ok" | "expired",
): string {
  // Logs of other programs, and old ones, hold halves of surrogate pairs.
  const lines = wellFormedJson(events.join(","));
  return `{"events":[${lines}],"cursor":"${cursor}","hasMore":${hasMore},"cursorStatus":"${cursorStatus}"}`;
}

/** Collects matching events as they are told. */
class Arrivals {
  /** Ends the collecting. */
  readonly stop: () => void;
  readonly #events: string[] = [];
  #wake: (() => void) | undefined;

  constructor(session: Session, matches: (event: PublishedEvent) => boolean) {
    this.stop = session.observe((event) => {
      if (!matches(event)) return;
      this.#events.push(event.json);
      this.#wake?.();
    });
  }

  async first(waitMs: number, signal: AbortSignal): Promise<string[]> {
    if (this.#events.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    return this.#events;
  }
}
