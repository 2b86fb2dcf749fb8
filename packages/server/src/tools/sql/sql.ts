/** `sql`: the session's own database. Asks nobody: it reaches nothing else. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { limitOutput } from "../large-output.ts";
import { requiredText, toArguments } from "../tool-arguments.ts";
import { failure, success } from "../tool-results.ts";
import { describeResult } from "./describe-result.ts";
import { mayChangeTodos, runSql } from "./session-database.ts";
import { SqlError } from "./sql-threads.ts";

const MAX_QUERY_CHARACTERS = 256 * 1024;

export const sql: BuiltInToolBody = {
  async run(args, context, session) {
    const query = requiredText(toArguments(args), "query");
    if (query.length > MAX_QUERY_CHARACTERS)
      return failure(`A query has at most ${MAX_QUERY_CHARACTERS} characters.`, "too_large");
    const directory = session.host.sessionDirectory?.();
    if (directory === undefined)
      return failure("This session has no database: the server keeps no files for it.", "not_available");
    await session.host.admitStoring?.(Buffer.byteLength(query));
    try {
      const result = await runSql(directory, query, context.signal);
      if (mayChangeTodos(query, result)) session.host.onTodosChanged?.();
      return success(await limitOutput(describeResult(result), session.host));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return failure(`SQL error: ${error.message}. Nothing was changed.`, "sql_error");
    }
  },
};
