import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBuiltInTools } from "../built-in.ts";
import type { Tool, ToolContext, ToolResult } from "../tool.ts";
import { readTodos } from "./session-database.ts";
import { callSqlThread } from "./sql-threads.ts";

let directory = "";
let tool: Tool;
let changes = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sql-tool-"));
  changes = 0;
  tool = newTool(() => directory);
});
afterEach(() => rm(directory, { recursive: true }));

function newTool(sessionDirectory: () => string | undefined): Tool {
  const { tools } = createBuiltInTools({
    sessionId: "s",
    workingDirectory: () => "/",
    largeOutputDirectory: () => undefined,
    sessionDirectory,
    onTodosChanged: () => {
      changes += 1;
    },
    environment: () => ({}),
  });
  return tools.find((candidate) => candidate.definition.name === "sql") as Tool;
}

const never = new AbortController().signal;

const newContext = (signal = never): ToolContext => ({
  sessionId: "s",
  toolCallId: "t",
  signal,
  workingDirectory: "/",
  onOutput: () => {},
  ask: async () => ({ allowed: false, message: "nobody is asked here" }),
});

const run = (query: string, context = newContext()): Promise<ToolResult> =>
  tool.run({ description: "d", query }, context);

/** The text of a call that succeeds. */
async function text(query: string): Promise<string> {
  const result = await run(query);
  expect(result).toMatchObject({ resultType: "success" });
  return result.text;
}

/** The text of a call that fails. */
async function problem(query: string): Promise<string> {
  const result = await run(query);
  expect(result).toMatchObject({ resultType: "failure" });
  return result.text;
}

const TWO_TODOS = `
INSERT INTO todos (id, title, status, created_at) VALUES ('b', 'Second', 'done', '2026-01-02');
INSERT INTO todos (id, title, created_at) VALUES ('a', 'First', '2026-01-01');
INSERT INTO todo_deps (todo_id, depends_on) VALUES ('b', 'a');`;

describe("results", () => {
  test("tell what each statement of several did", async () => {
    expect(await text(TWO_TODOS)).toBe(
      [
        "Executed 3 statement(s):",
        "",
        "1. INSERT",
        "   1 row(s) inserted. Last inserted row ID: 1.",
        "",
        "2. INSERT",
        "   1 row(s) inserted. Last inserted row ID: 2.",
        "",
        "3. INSERT",
        "   1 row(s) inserted. Last inserted row ID: 1.",
      ].join("\n"),
    );
  });

  test.each([
    ["CREATE TABLE t (x)", "Schema operation completed successfully."],
    ["/* none */ UPDATE todos SET status = 'done'", "2 row(s) updated."],
    ["DELETE FROM todos WHERE id = 'a'", "1 row(s) deleted."],
    ["WITH x AS (SELECT 'a') DELETE FROM todos WHERE id IN x", "1 row(s) changed."],
    ["SELECT id FROM todos WHERE id = 'none'", "0 row(s)."],
    ["-- nothing", "There was no statement to run."],
  ])("of %s are told", async (query, result) => {
    await run(TWO_TODOS);
    expect(await text(query)).toBe(result);
  });

  test("of a query are a table, in which no cell breaks out of its row", async () => {
    expect(
      await text("SELECT 1 AS one, 'a|b' || char(10) || 'c' AS two, NULL AS three, x'0102' AS four"),
    ).toBe(
      "| one | two | three | four |\n| --- | --- | --- | --- |\n| 1 | a\\|b\\nc | NULL | <2 bytes> |\n\n1 row(s).",
    );
  });

  test("of a query without end are cut", async () => {
    const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    expect(await text(endless)).toContain("The first 1000 row(s); there are more.");
  });
});

describe("the database", () => {
  test("keeps what was written, between calls and over threads", async () => {
    await run("CREATE TABLE notes (x); INSERT INTO notes VALUES ('kept')");
    tool = newTool(() => directory);
    expect(await text("SELECT x FROM notes")).toContain("kept");
    expect(await readdir(directory)).toEqual(["session.db"]);
  });

  test("is a SQLite file, and none is made by reading", async () => {
    await run("SELECT * FROM todos");
    expect(await readdir(directory)).toEqual([]);
    await run(TWO_TODOS);
    expect((await readFile(join(directory, "session.db"))).toString("latin1", 0, 15)).toBe("SQLite format 3");
  });

  test("is as it was when a statement fails, and the failure is told with its place", async () => {
    await run(TWO_TODOS);
    const before = await readFile(join(directory, "session.db"));
    expect(await problem("DELETE FROM todos; INSERT INTO none VALUES (1)")).toBe(
      "SQL error: no such table: none (in statement 2). Nothing was changed.",
    );
    expect(await readFile(join(directory, "session.db"))).toEqual(before);
  });

  test("keeps a transaction that a call leaves open", async () => {
    await run("BEGIN; CREATE TABLE t (x); INSERT INTO t VALUES (7)");
    expect(await text("SELECT x FROM t")).toContain("7");
  });

  test("takes calls that overlap one after the other", async () => {
    await run("CREATE TABLE t (x)");
    await Promise.all(Array.from({ length: 12 }, (_, n) => run(`INSERT INTO t VALUES (${n})`)));
    expect(await text("SELECT count(*) AS n, sum(x) AS s FROM t")).toContain("| 12 | 66 |");
  });

  test("that is none is told of, and stays", async () => {
    await writeFile(join(directory, "session.db"), "x".repeat(5000));
    expect(await problem("SELECT 1 FROM todos")).toContain("not a database");
    expect(await readTodos(directory, never)).toEqual({ rows: [], dependencies: [] });
  });

  test("is not there for a session whose store keeps no files", async () => {
    tool = newTool(() => undefined);
    expect(await problem("SELECT 1")).toContain("keeps no files");
  });
});

describe("limits", () => {
  test.each([
    "ATTACH '/etc/passwd' AS p",
    "/* x */ -- y\n attach ':memory:' as m",
    "DETACH main",
    "VACUUM INTO '/tmp/copy.db'",
    "PRAGMA max_page_count = 1000000000",
    "PRAGMA writable_schema(1)",
    "PRAGMA table_info = 1",
    "PRAGMA hard_heap_limit",
  ])("%s is refused", async (query) => {
    expect(await problem(query)).toMatch(/allowed/);
  });

  test.each(["SELECT load_extension('x')", "SELECT readfile('/etc/passwd')", "SELECT writefile('x', 'y')"])(
    "%s is not there",
    async (query) => {
      expect(await problem(query)).toContain("no such function");
    },
  );

  test("PRAGMA may describe tables", async () => {
    expect(await text("PRAGMA table_info(todos)")).toContain("created_at");
  });

  test("a database does not grow without end", async () => {
    await run("CREATE TABLE t (x)");
    const fill =
      "INSERT INTO t SELECT randomblob(100000) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000) SELECT x FROM n)";
    expect(await problem(fill)).toContain("full");
    expect(await text("SELECT count(*) AS n FROM t")).toContain("| 0 |");
  });

  test("a statement does not take all memory", async () => {
    expect(await problem("SELECT hex(zeroblob(400000000))")).toContain("out of memory");
    expect(await text("SELECT 1 AS one")).toContain("| 1 |");
  });

  test("a statement that does not end is ended, and the next one runs", async () => {
    const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    const ended = callSqlThread(
      "run",
      { path: join(directory, "session.db"), maxBytes: 1e6, sql: endless, schema: "" },
      { signal: never, timeoutMs: 100 },
    );
    await expect(ended).rejects.toThrow("took longer than 0.1 s");
    const turn = new AbortController();
    const aborted = run(endless, newContext(turn.signal));
    turn.abort(new Error("the turn was aborted"));
    await expect(aborted).rejects.toThrow("the turn was aborted");
    expect(await text("SELECT 1 AS one")).toContain("| 1 |");
  });
});

describe("todos", () => {
  test("are read in the order of their creation, with what depends on what", async () => {
    await run(TWO_TODOS);
    expect(await readTodos(directory, never)).toEqual({
      rows: [
        { id: "a", title: "First", status: "pending", createdAt: "2026-01-01" },
        { id: "b", title: "Second", status: "done", createdAt: "2026-01-02" },
      ],
      dependencies: [{ todoId: "b", dependsOn: "a" }],
    });
  });

  test.each([
    ["without a table", "DROP TABLE todos; DROP TABLE todo_deps", { rows: [], dependencies: [] }],
    [
      "of another shape",
      "DROP TABLE todos; CREATE TABLE todos (id TEXT PRIMARY KEY, n) WITHOUT ROWID; INSERT INTO todos VALUES ('z', 1), ('y', 2)",
      { rows: [{ id: "y" }, { id: "z" }], dependencies: [{ todoId: "b", dependsOn: "a" }] },
    ],
  ])("%s are what is left of them", async (_title, query, todos) => {
    await run(`${TWO_TODOS} ${query}`);
    expect(await readTodos(directory, never)).toEqual(todos);
  });

  test.each([
    ["INSERT INTO todos (id, title) VALUES ('c', 'Third')", 1],
    ["UPDATE todo_deps SET depends_on = 'c'", 1],
    ["DELETE FROM todos", 1],
    ["DROP TABLE todo_deps", 1],
    ["INSERT INTO copies SELECT id FROM todos", 0],
    ["SELECT * FROM todos", 0],
    ["INSERT INTO todos (id, none) VALUES (1, 2)", 0],
  ])("%s is told of as a change %i times", async (query, times) => {
    await run(`${TWO_TODOS} CREATE TABLE copies (x)`);
    changes = 0;
    await run(query);
    expect(changes).toBe(times);
  });
});
