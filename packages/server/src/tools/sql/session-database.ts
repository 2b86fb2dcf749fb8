/**
 * The database of a session, which its model keeps notes and todos in: one SQLite file in the session's
 * own directory. Nothing of it is held between calls.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { SessionTodos } from "../session-todos.ts";
import { callSqlThread, type RunResult, SqlError } from "./sql-threads.ts";

const FILE = "session.db";
const MAX_BYTES = 16 * 1024 * 1024;
const RUN_TIMEOUT_MS = 10_000;
const READ_TIMEOUT_MS = 5_000;

/** What there is from the start; the model is told of it in the tool's description. */
const SCHEMA = `
CREATE TABLE todos (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  description TEXT,
  status TEXT NOT NULL DEFAULT 'pending',
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE TABLE todo_deps (
  todo_id TEXT NOT NULL,
  depends_on TEXT NOT NULL,
  PRIMARY KEY (todo_id, depends_on)
);
`;

/** Calls of one session happen one after the other: each replaces the file as a whole. */
const tails = new Map<string, Promise<unknown>>();

/** @param directory the session's own. @throws as `callSqlThread`. */
export async function runSql(directory: string, sql: string, signal: AbortSignal): Promise<RunResult> {
  const path = join(directory, FILE);
  const before = tails.get(path) ?? Promise.resolve();
  const running = before.then(() =>
    callSqlThread(
      "run",
      { path, maxBytes: MAX_BYTES, sql, schema: SCHEMA },
      { signal, timeoutMs: RUN_TIMEOUT_MS },
    ),
  );
  const tail = running.then(
    () => undefined,
    () => undefined,
  );
  tails.set(path, tail);
  try {
    return await running;
  } finally {
    if (tails.get(path) === tail) tails.delete(path);
  }
}

/** Whether a call may have changed what `readTodos` returns; in doubt, yes. */
export function mayChangeTodos(sql: string, { touched }: RunResult): boolean {
  if (touched.some((table) => /^todo(s|_deps)$/i.test(table))) return true;
  // Not told by the hook: all rows deleted at once, tables dropped, renamed or made anew.
  return /\btodo(s|_deps)\b/i.test(sql) && /\b(delete|drop|alter|create|rollback)\b/i.test(sql);
}

const TODO_COLUMNS = ["id", "title", "description", "status", "created_at"];

/**
 * Empty where there is no database, or its tables are no longer what they were. The rows come in the order
 * of their creation.
 */
export async function readTodos(directory: string, signal: AbortSignal): Promise<SessionTodos> {
  const path = join(directory, FILE);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return { rows: [], dependencies: [] };
  const read = (queries: readonly string[]) =>
    callSqlThread("read", { path, maxBytes: MAX_BYTES, queries }, { signal, timeoutMs: READ_TIMEOUT_MS });
  try {
    return await readTables(read);
  } catch (error) {
    // A database that takes too long to read, or is none: the model's doing, like missing tables.
    if (error instanceof SqlError) return { rows: [], dependencies: [] };
    throw error;
  }
}

type Read = (queries: readonly string[]) => ReturnType<typeof callSqlThread<"read">>;

async function readTables(read: Read): Promise<SessionTodos> {
  const [info] = await read(["SELECT name FROM pragma_table_info('todos')"]);
  const there = (info ?? []).map((row) => String(row.name));
  const columns = TODO_COLUMNS.filter((column) => there.includes(column));
  const select = `SELECT ${columns.join(", ")} FROM todos ORDER BY `;
  const first = columns.includes("created_at") ? "created_at, " : "";
  const [byRow, byId, dependencies] = await read([
    columns.length > 0 ? `${select}${first}rowid` : "",
    // A table WITHOUT ROWID.
    columns.includes("id") ? `${select}${first}id` : "",
    "SELECT todo_id, depends_on FROM todo_deps",
  ]);
  return {
    rows: (byRow ?? byId ?? []).map((row) => ({
      ...textOf("id", row.id),
      ...textOf("title", row.title),
      ...textOf("description", row.description),
      ...textOf("status", row.status),
      ...textOf("createdAt", row.created_at),
    })),
    dependencies: (dependencies ?? []).map((row) => ({
      todoId: String(row.todo_id),
      dependsOn: String(row.depends_on),
    })),
  };
}

function textOf(name: string, value: unknown): Record<string, string> {
  return value === null || value === undefined ? {} : { [name]: String(value) };
}
