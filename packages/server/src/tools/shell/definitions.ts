/** What models are told of the shell tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const SHELL_ID = { type: "string", description: "Which shell: the shellId that bash gave." };
const DELAY = {
  type: "number",
  description: "For how many seconds to wait for more output, at most. It ends early when the command does.",
};

export const SHELL_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "bash",
      description: [
        "Runs a command in a new bash process and returns what it wrote to stdout and stderr, in order, with its exit code.",
        "Each call starts afresh in the working directory: cd, variables and functions do not carry over, so put what belongs together in one command.",
        'In "sync" mode the call waits up to initial_wait seconds. A command that takes longer goes on running under its shellId; follow it with read_bash and end it with stop_bash.',
        'In "async" mode the call returns at once: right for servers and watchers, and for commands that need input, which write_bash sends.',
        "There is no terminal: avoid pagers, editors and interactive prompts, and pass flags that answer questions. All processes end with the session.",
      ].join("\n"),
      parameters: {
        type: "object",
        properties: {
          command: { type: "string", description: "The bash command, which may have several lines." },
          description: {
            type: "string",
            description: "What the command is for, in a few words, for the person who watches.",
          },
          mode: { type: "string", enum: ["sync", "async"], description: "sync (the default) or async." },
          initial_wait: {
            type: "number",
            description: "In sync mode: for how many seconds to wait for the end. Default 30.",
          },
          shellId: {
            type: "string",
            description:
              "A name of your own for this shell, for the other shell tools. Default: one is given.",
          },
        },
        required: ["command", "description"],
      },
    },
    load: async () => (await import("./bash.ts")).bash,
  },
  {
    definition: {
      name: "read_bash",
      description:
        "Returns what a shell started by bash has written since you last read it, and whether it still runs.",
      parameters: {
        type: "object",
        properties: { shellId: SHELL_ID, delay: DELAY },
        required: ["shellId"],
      },
    },
    load: async () => (await import("./read-bash.ts")).readBash,
  },
  {
    definition: {
      name: "write_bash",
      description:
        'Sends input to a command that bash started in "async" mode, then returns its new output. Nothing is added to the input: write {enter} where the Enter key is pressed. Also understood: {tab}, {backspace}, {escape}, {up}, {down}, {left}, {right}.',
      parameters: {
        type: "object",
        properties: {
          shellId: SHELL_ID,
          input: { type: "string", description: "What to type." },
          delay: DELAY,
        },
        required: ["shellId", "input"],
      },
    },
    load: async () => (await import("./write-bash.ts")).writeBash,
  },
  {
    definition: {
      name: "stop_bash",
      description: "Ends a shell started by bash, with every process that it started.",
      parameters: { type: "object", properties: { shellId: SHELL_ID }, required: ["shellId"] },
    },
    load: async () => (await import("./stop-bash.ts")).stopBash,
  },
  {
    definition: {
      name: "list_bash",
      description: "Lists the shells of this session: their shellIds, commands and states.",
      parameters: { type: "object", properties: {} },
    },
    load: async () => (await import("./list-bash.ts")).listBash,
  },
];
