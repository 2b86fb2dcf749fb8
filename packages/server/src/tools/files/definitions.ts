/** What models are told of the file tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const PATH = { type: "string", description: "Absolute, or relative to the working directory." };

export const FILE_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "view",
      description:
        "Shows a text file with its lines numbered (`1. text`), an image, or what is in a directory, two levels deep and without hidden entries. The numbers are not part of the file. Of a long file, view parts with view_range.",
      parameters: {
        type: "object",
        properties: {
          path: PATH,
          view_range: {
            type: "array",
            items: { type: "integer" },
            minItems: 2,
            maxItems: 2,
            description: "The first and the last line to show, counted from 1; -1 as the last is the end.",
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
      description:
        "Makes a new file, and the directories that lead to it. Refuses when there is a file already: use edit to change one.",
      parameters: {
        type: "object",
        properties: { path: PATH, file_text: { type: "string", description: "The whole content." } },
        required: ["path", "file_text"],
      },
    },
    load: async () => (await import("./create.ts")).create,
  },
  {
    definition: {
      name: "edit",
      description:
        "Replaces one piece of text in a file. old_str must be in the file exactly once, to the last space: give a few lines around the change where that is needed, without line numbers. Call it once for each change.",
      parameters: {
        type: "object",
        properties: {
          path: PATH,
          old_str: { type: "string", description: "The text to replace." },
          new_str: {
            type: "string",
            description: "The text in its place. Empty or left out: it is removed.",
          },
        },
        required: ["path", "old_str"],
      },
    },
    load: async () => (await import("./edit.ts")).edit,
  },
];
