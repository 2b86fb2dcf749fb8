/** What models are told of the search tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const TEXT = { type: "string" };
const COUNT = { type: "integer" };
const YES_OR_NO = { type: "boolean" };

export const SEARCH_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "grep",
      description:
        "Searches file contents with ripgrep's syntax and options, without hidden, binary and git-ignored files. Default: gives the paths.",
      parameters: {
        type: "object",
        properties: {
          pattern: TEXT,
          path: TEXT,
          output_mode: { type: "string", enum: ["content", "files_with_matches", "count"] },
          glob: TEXT,
          type: TEXT,
          "-i": YES_OR_NO,
          "-n": YES_OR_NO,
          "-A": COUNT,
          "-B": COUNT,
          "-C": COUNT,
          multiline: YES_OR_NO,
          head_limit: COUNT,
        },
        required: ["pattern"],
      },
    },
    load: async () => (await import("./grep.ts")).grep,
  },
  {
    definition: {
      name: "glob",
      description:
        "Finds files by path, with *, **, ?, [abc], {a,b}. Hidden files need a pattern with the dot; git-ignored ones, one that begins with their directory.",
      parameters: {
        type: "object",
        properties: { pattern: TEXT, path: TEXT },
        required: ["pattern"],
      },
    },
    load: async () => (await import("./glob.ts")).glob,
  },
];
