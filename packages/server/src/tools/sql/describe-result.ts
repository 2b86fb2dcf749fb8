/** The text that models read of SQL that was run. Recorded conversations have the same wording for writes. */
import type { RunResult, SqlRow, StatementResult } from "./sql-threads.ts";

export function describeResult({ statements }: RunResult): string {
  const [first] = statements;
  if (first === undefined) return "There was no statement to run.";
  if (statements.length === 1) return describeStatement(first);
  const parts = statements.map((statement, index) => {
    const lines = describeStatement(statement).split("\n");
    return `${index + 1}. ${statement.keyword}\n${lines.map((line) => `   ${line}`).join("\n")}`;
  });
  return [`Executed ${statements.length} statement(s):`, ...parts].join("\n\n");
}

function describeStatement(statement: StatementResult): string {
  if (statement.columns.length > 0) return describeRows(statement);
  const { keyword, changed, lastRowId } = statement;
  switch (keyword) {
    case "INSERT":
    case "REPLACE":
      return `${changed} row(s) inserted.${changed > 0 ? ` Last inserted row ID: ${lastRowId}.` : ""}`;
    case "UPDATE":
      return `${changed} row(s) updated.`;
    case "DELETE":
      return `${changed} row(s) deleted.`;
    case "WITH":
      return `${changed} row(s) changed.`;
    case "CREATE":
    case "DROP":
    case "ALTER":
      return "Schema operation completed successfully.";
    default:
      return "Done.";
  }
}

function describeRows({ columns, rows, isCut }: StatementResult): string {
  if (rows.length === 0) return "0 row(s).";
  const lines = [tableRow(columns), tableRow(columns.map(() => "---")), ...rows.map(tableRow)];
  const count = isCut ? `The first ${rows.length} row(s); there are more.` : `${rows.length} row(s).`;
  return [...lines, "", count].join("\n");
}

function tableRow(values: SqlRow | readonly string[]): string {
  const cells = values.map((value) =>
    value === null ? "NULL" : value.replaceAll("|", "\\|").replaceAll(/\r?\n/g, "\\n"),
  );
  return `| ${cells.join(" | ")} |`;
}
