/**
 * Runs SQL on one database file, in a thread of its own: SQLite is synchronous, and a statement may take
 * for ever. It is plain JavaScript since Node runs it as it stands, from the sources as from the bundle.
 *
 * SQLite is compiled to WebAssembly and sees no file system: the file's bytes are copied in, and copied
 * out again once everything has gone well. A call therefore happens as a whole or not at all, however it ends.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import initSqlJs from "sql.js";

const PAGE_BYTES = 4096;
/** What SQLite may use beside the database: sorting, intermediate results, long texts. */
const MAX_HEAP_BYTES = 64 * 1024 * 1024;
const MAX_ROWS = 1000;
const MAX_ROW_CHARACTERS = 256 * 1024;
/** Statements that reach beyond this one database, or change how it is kept. */
const FORBIDDEN = /^(ATTACH|DETACH|VACUUM)$/;
const READING_PRAGMAS =
  /^PRAGMA\s+(table_info|table_xinfo|table_list|index_list|index_info|index_xinfo|foreign_key_list|foreign_key_check|integrity_check|quick_check)\b[^=]*$/i;

/** Sent back as a refusal: what the SQL did, and not what failed here. */
class SqlError extends Error {}

// Beside the bundle there is a copy; the sources have the package.
const bundled = new URL("./sql-wasm.wasm", import.meta.url);
const wasm = existsSync(bundled) ? bundled : new URL(import.meta.resolve("sql.js/dist/sql-wasm.wasm"));
const library = await initSqlJs({ wasmBinary: readFileSync(wasm) });

parentPort.on("message", ({ request }) => {
  try {
    parentPort.postMessage({ result: answer(request) });
  } catch (error) {
    // The library throws plain errors for what SQLite finds wrong; those of the system have a code.
    const isSql = error instanceof SqlError || (error.constructor === Error && error.code === undefined);
    parentPort.postMessage({ error: error.message, isSql });
  }
});

function answer(request) {
  const bytes = readDatabase(request);
  if (bytes === undefined && request.kind === "read") return request.queries.map(() => undefined);
  const database = new library.Database(bytes);
  try {
    database.run(`PRAGMA hard_heap_limit = ${MAX_HEAP_BYTES}`);
    database.run(`PRAGMA max_page_count = ${Math.ceil(request.maxBytes / PAGE_BYTES)}`);
    if (request.kind === "read") return request.queries.map((query) => readRows(database, query));
    if (bytes === undefined) database.run(request.schema);
    return runStatements(database, request);
  } finally {
    database.close();
  }
}

/** Undefined when there is none yet. */
function readDatabase({ path, maxBytes }) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  if (bytes.length > maxBytes) throw new SqlError(`the database is larger than ${maxBytes} bytes`);
  // A database in WAL mode, as other programs leave it, cannot be opened without its shared memory.
  if (bytes.length > 19 && bytes[18] === 2) bytes.fill(1, 18, 20);
  return bytes;
}

/** The rows of one query as objects; undefined when it fails: tables are the model's, and may be anything. */
function readRows(database, query) {
  try {
    const statement = database.prepare(query);
    try {
      const rows = [];
      while (rows.length < MAX_ROWS && statement.step()) rows.push(statement.getAsObject());
      return rows;
    } finally {
      statement.free();
    }
  } catch {
    return undefined;
  }
}

function runStatements(database, request) {
  const before = stateOf(database);
  const touched = new Set();
  database.updateHook?.((_operation, _database, table) => touched.add(table));
  const statements = [];
  try {
    for (const statement of database.iterateStatements(request.sql)) {
      const sql = withoutLeadingComments(statement.getSQL());
      assertAllowed(sql);
      statements.push(runStatement(database, statement, sql));
    }
  } catch (error) {
    if (error instanceof SqlError) throw error;
    const which = statements.length > 0 ? ` (in statement ${statements.length + 1})` : "";
    throw new SqlError(`${error.message}${which}`);
  }
  commitOpenTransaction(database);
  if (stateOf(database) !== before) save(database, request);
  return { statements, touched: [...touched] };
}

const withoutLeadingComments = (sql) => sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
const keywordOf = (sql) => /^[a-z]+/i.exec(sql)?.[0].toUpperCase() ?? "";

function assertAllowed(sql) {
  const keyword = keywordOf(sql);
  if (FORBIDDEN.test(keyword))
    throw new SqlError(`${keyword} is not allowed: there is this one database and no other`);
  if (keyword === "PRAGMA" && !READING_PRAGMAS.test(sql))
    throw new SqlError("of PRAGMA, only those that describe tables and indexes are allowed");
}

function runStatement(database, statement, sql) {
  const changesBefore = totalChanges(database);
  const rows = [];
  let characters = 0;
  let isCut = false;
  while (statement.step()) {
    if (rows.length >= MAX_ROWS || characters >= MAX_ROW_CHARACTERS) {
      isCut = true;
      break;
    }
    const row = statement.get().map(toText);
    characters += row.reduce((sum, value) => sum + (value?.length ?? 4), 0);
    rows.push(row);
  }
  const columns = statement.getColumnNames();
  const changed = totalChanges(database) - changesBefore;
  return { keyword: keywordOf(sql), columns, rows, isCut, changed, lastRowId: lastRowId(database) };
}

/** Null stays null; bytes are named, since a model reads text. */
function toText(value) {
  if (value === null) return null;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  const text = String(value);
  return text.length > MAX_ROW_CHARACTERS ? `${text.slice(0, MAX_ROW_CHARACTERS)}…` : text;
}

const single = (database, sql) => database.exec(sql)[0]?.values[0]?.[0];
const totalChanges = (database) => Number(single(database, "SELECT total_changes()"));
const lastRowId = (database) => Number(single(database, "SELECT last_insert_rowid()"));
/** Differs once anything was written. */
const stateOf = (database) => `${single(database, "PRAGMA schema_version")}/${totalChanges(database)}`;

function commitOpenTransaction(database) {
  try {
    database.run("COMMIT");
  } catch {
    // None was open.
  }
}

/** Written beside it and put in its place, so that whoever reads finds it whole. */
function save(database, { path, maxBytes }) {
  const bytes = database.export();
  if (bytes.length > maxBytes) throw new SqlError(`the database would be larger than ${maxBytes} bytes`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.tmp`;
  const file = openSync(next, "w", 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
