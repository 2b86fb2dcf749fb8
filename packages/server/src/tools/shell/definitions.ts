/** What models are told of the shell tools. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";

const TEXT = { type: "string" };
const DELAY = { type: "number", description: "Seconds to wait for output." };

export const SHELL_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "bash",
      description: [
        "Runs a command in a new bash process in the working directory; nothing carries over to the next call.",
        "sync (default) waits initial_wait seconds (30); a slower command goes on under its shellId. async returns at once: for servers, and for input by write_bash.",
        "No terminal: avoid pagers, editors and prompts. Processes end with the session.",
      ].join("\n"),
      parameters: {
        type: "object",
        properties: {
          command: TEXT,
          description: { type: "string", description: "Its purpose, for the user." },
          mode: { type: "string", enum: ["sync", "async"] },
          initial_wait: { type: "number" },
          shellId: { type: "string", description: "Your name for it." },
        },
        required: ["command", "description"],
      },
    },
    load: async () => (await import("./bash.ts")).bash,
  },
  {
    definition: {
      name: "read_bash",
      description: "Gives a shell's new output, and whether it still runs.",
      parameters: {
        type: "object",
        properties: { shellId: TEXT, delay: DELAY },
        required: ["shellId"],
      },
    },
    load: async () => (await import("./read-bash.ts")).readBash,
  },
  {
    definition: {
      name: "write_bash",
      description:
        "Types into an async shell; gives its new output. Keys: {enter} (never added for you), {tab}, {backspace}, {escape}, {up}, {down}, {left}, {right}.",
      parameters: {
        type: "object",
        properties: { shellId: TEXT, input: TEXT, delay: DELAY },
        required: ["shellId", "input"],
      },
    },
    load: async () => (await import("./write-bash.ts")).writeBash,
  },
  {
    definition: {
      name: "stop_bash",
      description: "Ends a shell and all its processes.",
      parameters: { type: "object", properties: { shellId: TEXT }, required: ["shellId"] },
    },
    load: async () => (await import("./stop-bash.ts")).stopBash,
  },
  {
    definition: {
      name: "list_bash",
      description: "Lists this session's shells.",
      parameters: { type: "object", properties: {} },
    },
    load: async () => (await import("./list-bash.ts")).listBash,
  },
];
