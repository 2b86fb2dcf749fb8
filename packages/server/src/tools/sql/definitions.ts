/** What models are told of the database. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

export const SQL_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "sql",
      description: [
        "Runs SQL on a SQLite database that belongs to this session alone and outlives its context. Use it to plan work and track it, and to keep structured notes.",
        "Two tables are there: todos (id TEXT PRIMARY KEY, title, description, status DEFAULT 'pending', created_at, updated_at) and todo_deps (todo_id, depends_on). The user is shown both as they change: give todos short descriptive ids, and keep status to pending, in_progress, done or blocked. Make other tables as you need them.",
        "Several statements, separated by semicolons, run in one call; when one fails, none of the call is kept.",
      ].join("\n"),
      parameters: {
        type: "object",
        properties: {
          description: {
            type: "string",
            description: "What the call is for, in a few words, for the person who watches.",
          },
          query: { type: "string", description: "One or more SQL statements of SQLite." },
        },
        required: ["description", "query"],
      },
    },
    load: async () => (await import("./sql.ts")).sql,
  },
];
