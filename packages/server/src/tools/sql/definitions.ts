/** What models are told of the database. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

export const SQL_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "sql",
      description:
        "Runs SQL, all statements or none, on this session's own SQLite database, which outlives your context: for plans and notes. The user watches its tables todos (id TEXT, title, description, status: pending, in_progress, done or blocked) and todo_deps (todo_id, depends_on).",
      parameters: {
        type: "object",
        properties: {
          description: { type: "string", description: "Its purpose, for the user." },
          query: { type: "string" },
        },
        required: ["description", "query"],
      },
    },
    load: async () => (await import("./sql.ts")).sql,
  },
];
