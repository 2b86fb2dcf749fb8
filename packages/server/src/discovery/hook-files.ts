/**
 * Hooks that people keep with a repository: commands in `.github/hooks/*.json`, in GitHub's published
 * format (https://docs.github.com/en/copilot/reference/hooks-reference). Commands alone: what a file says
 * of HTTP hooks and of prompts is told of as an error.
 */
import { join } from "node:path";
import { isDeeperThan, MAX_JSON_DEPTH } from "@rightseat/protocol";
import type { Discovered } from "./discovery-cache.ts";
import { findFiles, readTextFile } from "./text-file.ts";
import { compileToolMatcher, type ToolMatcher } from "./tool-matcher.ts";

/** One command, and when it is run. */
export interface FileHookSpec {
  /** As the file names the event, in camel case. */
  readonly event: string;
  /** For bash; or a program and its arguments. */
  readonly command: string | { readonly program: string; readonly args: readonly string[] };
  /** Absolute, or relative to the repository's root. */
  readonly cwd?: string;
  /** Set beside what commands get anyway; values may name variables as `$NAME` or `${NAME}`. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Matches the whole of what the event is about: a tool's name. */
  readonly matcher?: ToolMatcher;
  /** The file's path: within the repository, or absolute. */
  readonly source: string;
}

export interface HookQuery {
  /** The root of the repository, absolute; undefined leaves its hooks out. */
  readonly root?: string;
  /** More directories with files of hooks, absolute. */
  readonly directories?: readonly string[];
}

export interface FileHooks {
  /** By file, then as they stand there. */
  readonly hooks: readonly FileHookSpec[];
  /** Problems: what cannot be used, and why. */
  readonly errors: readonly string[];
}

const DIRECTORY = ".github/hooks";
const MAX_FILES = 50;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_HOOKS = 200;
const DEFAULT_TIMEOUT_SECONDS = 30;
const MAX_TIMEOUT_SECONDS = 3600;

export const FILE_HOOK_EVENTS: ReadonlySet<string> = new Set([
  "sessionStart",
  "sessionEnd",
  "userPromptSubmitted",
  "userPromptTransformed",
  "preToolUse",
  "postToolUse",
  "postToolUseFailure",
  "errorOccurred",
  "agentStop",
  "subagentStart",
  "subagentStop",
]);

/** Never rejects. */
export async function discoverHooks(query: HookQuery): Promise<FileHooks & Discovered> {
  const { root, directories = [] } = query;
  const places = [
    ...(root === undefined ? [] : [{ directory: join(root, DIRECTORY), shown: DIRECTORY, inside: root }]),
    ...directories.map((directory) => ({ directory, shown: directory, inside: directory })),
  ];
  const hooks: FileHookSpec[] = [];
  const errors: string[] = [];
  const stamps = new Map<string, string>();
  for (const { directory, shown, inside } of places) {
    const files = await findFiles(directory, {
      accepts: (name) => name.endsWith(".json"),
      maxFiles: MAX_FILES,
      maxDepth: 0,
      stamps,
    });
    for (const file of files) {
      const path = join(directory, file);
      const read = await readHookFile(path, `${shown}/${file}`, inside);
      hooks.push(...read.hooks);
      errors.push(...read.errors);
    }
  }
  if (hooks.length > MAX_HOOKS)
    errors.push(`${DIRECTORY}: more than ${MAX_HOOKS} hooks; the rest is left out`);
  return { hooks: hooks.slice(0, MAX_HOOKS), errors, stamps };
}

async function readHookFile(path: string, source: string, inside: string): Promise<FileHooks> {
  const read = await readTextFile(path, { maxBytes: MAX_FILE_BYTES, inside });
  const nothing = (why: string) => ({ hooks: [], errors: [`${source}: ${why}`] });
  if (read.kind === "missing") return { hooks: [], errors: [] };
  if (read.kind === "refused") return nothing(read.why);
  if (read.isCut) return nothing(`it is larger than ${MAX_FILE_BYTES} bytes`);
  const { hooks, errors } = await parseHookFile(read.text, source);
  return { hooks, errors: errors.map((error) => `${source}: ${error}`) };
}

/** A file that is not what it should be as a whole has no hooks; an entry that is not is left out alone. */
export async function parseHookFile(text: string, source: string): Promise<FileHooks> {
  if (isDeeperThan(text))
    return { hooks: [], errors: [`expected JSON that is nested at most ${MAX_JSON_DEPTH} deep`] };
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    return { hooks: [], errors: [`expected JSON (${(error as Error).message})`] };
  }
  if (!isObject(file) || file["version"] !== 1)
    return { hooks: [], errors: ["expected an object with version 1"] };
  if (file["disableAllHooks"] === true) return { hooks: [], errors: [] };
  if (!isObject(file["hooks"])) return { hooks: [], errors: ["expected an object 'hooks'"] };
  const events = Object.entries(file["hooks"]);
  const broken = events.find(([, entries]) => !Array.isArray(entries));
  if (broken) return { hooks: [], errors: [`hooks.${broken[0]}: expected a list`] };
  const hooks: FileHookSpec[] = [];
  const errors: string[] = [];
  for (const [event, entries] of events as [string, unknown[]][]) {
    for (const [index, entry] of entries.entries()) {
      if (hooks.length > MAX_HOOKS) break;
      const hook = await parseEntry(event, entry, source, (problem) =>
        errors.push(`hooks.${event}[${index}]: ${problem}`),
      );
      if (hook) hooks.push(hook);
    }
  }
  return { hooks, errors: errors.slice(0, MAX_HOOKS) };
}

/** The hook; undefined for an entry that is none. */
async function parseEntry(
  event: string,
  entry: unknown,
  source: string,
  onProblem: (problem: string) => void,
): Promise<FileHookSpec | undefined> {
  const hook = readEntry(event, entry, source);
  if (typeof hook === "string") return void onProblem(hook);
  const { matcher } = entry as { readonly matcher?: unknown };
  if (matcher === undefined) return hook;
  if (typeof matcher !== "string") return void onProblem("matcher: expected a regular expression");
  const compiled = await compileToolMatcher(matcher);
  if (!("problem" in compiled)) return { ...hook, matcher: compiled };
  if (!compiled.isExpression) return void onProblem(`matcher: ${compiled.problem}`);
  // A hook that guards some tools must not be got rid of: it guards all.
  onProblem(`matcher: ${compiled.problem}; the hook is asked about every tool`);
  return hook;
}

/** The hook without its matcher, or why the entry is none. */
function readEntry(event: string, entry: unknown, source: string): FileHookSpec | string {
  if (!FILE_HOOK_EVENTS.has(event)) return "this event is not supported";
  if (!isObject(entry)) return "expected an object";
  const { type = "command", cwd, env = {} } = entry;
  if (type !== "command") return `hooks of the type ${JSON.stringify(type)} are not supported`;
  const command = commandOf(entry);
  if (command === undefined) return "expected 'bash', 'command', or 'exec' with 'args'";
  if (cwd !== undefined && typeof cwd !== "string") return "cwd: expected text";
  if (!isObject(env) || !Object.values(env).every((value) => typeof value === "string"))
    return "env: expected an object of texts";
  const seconds = entry["timeoutSec"] ?? entry["timeout"] ?? DEFAULT_TIMEOUT_SECONDS;
  if (typeof seconds !== "number" || !(seconds > 0)) return "timeoutSec: expected a number of seconds";
  return {
    event,
    command,
    env: env as Record<string, string>,
    timeoutMs: Math.min(seconds, MAX_TIMEOUT_SECONDS) * 1000,
    source,
    ...(cwd !== undefined ? { cwd } : {}),
  };
}

function commandOf(entry: Record<string, unknown>): FileHookSpec["command"] | undefined {
  const { exec, args = [] } = entry;
  const shell = entry["bash"] ?? entry["command"];
  if (exec === undefined) return typeof shell === "string" && shell !== "" ? shell : undefined;
  const isWhole = typeof exec === "string" && exec !== "" && Array.isArray(args) && shell === undefined;
  if (!isWhole || !args.every((arg) => typeof arg === "string")) return undefined;
  return { program: exec, args };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
