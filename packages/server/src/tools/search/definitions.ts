/** What models are told of the search tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const count = (description: string) => ({ type: "integer", minimum: 0, description });

export const SEARCH_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "grep",
      description:
        "Searches the contents of files for a regular expression, in ripgrep's syntax. Hidden and binary files, and what .gitignore names, are left out.",
      parameters: {
        type: "object",
        properties: {
          pattern: { type: "string", description: "The regular expression." },
          path: { type: "string", description: "A file or directory. Default: the working directory." },
          output_mode: {
            type: "string",
            enum: ["content", "files_with_matches", "count"],
            description:
              "content: the matching lines; files_with_matches (the default): only the paths; count: how many lines match in each file.",
          },
          glob: {
            type: "string",
            description: 'Only files that match, such as "*.ts" or "src/**/*.{js,ts}".',
          },
          type: { type: "string", description: 'Only files of a language, such as "ts", "py" or "rust".' },
          "-i": { type: "boolean", description: "Upper and lower case are the same." },
          "-n": { type: "boolean", description: "With line numbers, in content mode. Default true." },
          "-A": count("So many lines after each match, in content mode."),
          "-B": count("So many lines before each match, in content mode."),
          "-C": count("So many lines before and after each match, in content mode."),
          multiline: {
            type: "boolean",
            description: "The pattern may match across lines; . matches newlines.",
          },
          head_limit: count("Only the first so many lines of the result."),
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
        "Finds files by their paths, with *, **, ?, [abc] and {a,b}. Hidden files are found only by patterns that name the dot, and those that .gitignore names only when the pattern begins with their directory.",
      parameters: {
        type: "object",
        properties: {
          pattern: { type: "string", description: 'Such as "**/*.ts" or "src/{a,b}/*.md".' },
          path: { type: "string", description: "Where to search. Default: the working directory." },
        },
        required: ["pattern"],
      },
    },
    load: async () => (await import("./glob.ts")).glob,
  },
];
