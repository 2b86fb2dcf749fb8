/** What models are told of the file tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const TEXT = { type: "string" };

export const FILE_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "view",
      description:
        "Shows a text file with line numbers (not part of it), an image, or a directory two levels deep. View long files in parts.",
      parameters: {
        type: "object",
        properties: {
          path: TEXT,
          view_range: {
            type: "array",
            items: { type: "integer" },
            description: "First and last line, from 1; -1 is the end.",
          },
        },
        required: ["path"],
      },
    },
    load: async () => (await import("./view.ts")).view,
  },
  {
    definition: {
      name: "create",
      description: "Makes a new file and its directories. Fails where one is: edit that.",
      parameters: {
        type: "object",
        properties: { path: TEXT, file_text: TEXT },
        required: ["path", "file_text"],
      },
    },
    load: async () => (await import("./create.ts")).create,
  },
  {
    definition: {
      name: "edit",
      description:
        "Replaces text in a file. old_str must occur exactly once, spaces included: add lines around it. Without new_str it is removed.",
      parameters: {
        type: "object",
        properties: { path: TEXT, old_str: TEXT, new_str: TEXT },
        required: ["path", "old_str"],
      },
    },
    load: async () => (await import("./edit.ts")).edit,
  },
];
