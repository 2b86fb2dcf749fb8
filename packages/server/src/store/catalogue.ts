/** The list of sessions, with a summary of each. Listing never opens a session's own log. */
import type { Lease, SessionKey } from "./session-key.ts";

/** A session in a list. */
export interface SessionSummary {
  readonly sessionId: string;
  /** ISO 8601. */
  readonly startTime: string;
  /** ISO 8601; the time of the last turn or change. */
  readonly modifiedTime: string;
  /** A short title, once there is one. */
  readonly summary?: string;
  /** The name a user gave the session. */
  readonly name?: string;
  readonly clientName?: string;
  readonly context?: SessionContext;
}

/** Where a session works. */
export interface SessionContext {
  readonly cwd: string;
  readonly gitRoot?: string;
  readonly repository?: string;
  readonly branch?: string;
}

/** A place in the order of a list. */
export type ListPosition = Pick<SessionSummary, "modifiedTime" | "sessionId">;

export interface ListQuery {
  readonly cwd?: string;
  readonly gitRoot?: string;
  readonly repository?: string;
  readonly branch?: string;
  /** At most this many. */
  readonly limit?: number;
  /** Only sessions after this place, which is the last one of the page before. */
  readonly after?: ListPosition;
}

export interface Catalogue {
  /** Replaces the summary of the session. Durable within a second or at the release of its lease. */
  setSummary(lease: Lease, summary: SessionSummary): void;

  /** One session's summary, or undefined when there is no such session. */
  get(key: SessionKey): Promise<SessionSummary | undefined>;

  /** Summaries of a tenant, the most recently modified first; by their ids when the times are equal. */
  list(tenant: string, query?: ListQuery): Promise<SessionSummary[]>;

  /** The tenants that have, or had, sessions. */
  tenants(): Promise<string[]>;

  /** The bytes that a tenant's sessions and all their files take up. Expensive: it looks at each session. */
  storedBytes(tenant: string): Promise<number>;
}

/** The order of lists: negative when `one` comes first. */
export function compareInList(one: ListPosition, other: ListPosition): number {
  if (one.modifiedTime !== other.modifiedTime) return one.modifiedTime < other.modifiedTime ? 1 : -1;
  return one.sessionId < other.sessionId ? -1 : one.sessionId > other.sessionId ? 1 : 0;
}

/** Whether a list that was asked for so has the session in it, but for its limit. */
export function matchesQuery(summary: SessionSummary, query: ListQuery): boolean {
  const { context } = summary;
  return (
    (query.cwd === undefined || context?.cwd === query.cwd) &&
    (query.gitRoot === undefined || context?.gitRoot === query.gitRoot) &&
    (query.repository === undefined || context?.repository === query.repository) &&
    (query.branch === undefined || context?.branch === query.branch) &&
    (query.after === undefined || compareInList(query.after, summary) < 0)
  );
}
