/**
 * A hook of the repository: a command. What its end means is GitHub's to say
 * (https://docs.github.com/en/copilot/reference/hooks-reference): an exit code other than 0 counts as not
 * answered, but before a tool call it denies; time that runs out never does.
 */

import { isAbsolute, join } from "node:path";

import { cutText, isDeeperThan, toJson } from "@rightseat/protocol";

import type { FileHookSpec } from "../discovery/hook-files.ts";
import { isObject } from "./hook-output.ts";
import type { HookInput, HookSource, HookType } from "./hook-source.ts";
import type { HookCommand, HookCommandEnd } from "./run-hook-command.ts";

export interface FileHookOptions {
  /** Absolute; the repository's. */
  readonly root: string;
  readonly start: "new" | "resume" | undefined;
  /** What every command gets: no credentials. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Asked before each command; the function gives the place back. @throws RpcError `limit_exceeded`. */
  readonly takeProcess: () => Promise<() => void>;
  /** Tells clients how the command gets on. */
  readonly onProgress: (message: string, temporary: boolean) => void;
}

/** Says no to what is about to happen, in the words of other agents' hooks. */
const REFUSAL = ["decision", "reason", "continue", "stopReason"];
/** The fields that count, by event. */
const FIELDS: Partial<Record<HookType, readonly string[]>> = {
  preToolUse: [
    "permissionDecision",
    "permissionDecisionReason",
    "modifiedArgs",

    ...REFUSAL,
  ],
  userPromptSubmitted: REFUSAL,
  postToolUse: ["modifiedResult", "additionalContext"],
  postToolUseFailure: ["additionalContext"],
  userPromptTransformed: ["modifiedTransformedPrompt"],
  sessionStart: ["additionalContext"],
  agentStop: REFUSAL,
  subagentStart: ["additionalContext"],
  subagentStop: REFUSAL,
};
/** The exit code by which a command says no, or has something to say. */
const EXIT_BLOCKS = 2;
const MAX_SHOWN = 300;

export class FileHook implements HookSource {
  readonly name: string;
  start: "new" | "resume" | undefined;
  readonly #spec: FileHookSpec;
  readonly #options: FileHookOptions;

  constructor(spec: FileHookSpec, options: FileHookOptions) {
    this.name = spec.source;
    this.start = options.start;
    this.#spec = spec;
    this.#options = options;
  }

  usable(type: HookType): readonly string[] {
    return FIELDS[type] ?? [];
  }

  wants(type: HookType, input: HookInput): boolean {
    const { event, matcher } = this.#spec;
    if (type !== event || (type === "sessionStart" && this.start === undefined)) return false;
    return matcher === undefined || typeof input.toolName !== "string" || matcher.matches(input.toolName);
  }

  async invoke(type: HookType, input: HookInput, signal: AbortSignal): Promise<unknown> {
    const { command, cwd = "", timeoutMs } = this.#spec;
    const { root, environment } = this.#options;
    const env = { ...environment() };
    for (const [name, value] of Object.entries(this.#spec.env)) env[name] = expand(value, env);
    const run = this.#run({
      command,
      cwd: isAbsolute(cwd) ? cwd : join(root, cwd),
      env,
      input: toJson(type === "errorOccurred" ? withErrorObject(input) : input),
      timeoutMs,
      signal,
      onLine: (line) => this.#isProgress(line),
    });
    if (type !== "preToolUse") return this.#outputOf(type, await run);
    // Nobody must get rid of a hook that guards tool calls by making it fail.
    const end = await run.catch((error: unknown) => {
      if (signal.aborted) throw error;
      return error as Error;
    });
    if (end instanceof Error) return deny(`the hook could not be run: ${end.message}`);
    if (end.timedOut || end.exitCode === 0) return this.#outputOf(type, end);
    const output = outputIn(end.stdout);
    const said = typeof output?.permissionDecisionReason === "string" ? output.permissionDecisionReason : "";
    // After a signal, the text is the shell's and not the command's.
    const why = end.exitCode === undefined ? "" : shown(end.stderr);
    return deny(said || why || `the hook ended with ${endOf(end)}`);
  }

  async #run(command: HookCommand): Promise<HookCommandEnd> {
    const giveBack = await this.#options.takeProcess();
    try {
      const { runHookCommand } = await import("./run-hook-command.ts");
      return await runHookCommand(command);
    } finally {
      giveBack();
    }
  }

  /** @throws when the command failed. */
  #outputOf(type: HookType, end: HookCommandEnd): unknown {
    if (end.timedOut)
      throw new Error(`timed out after ${this.#spec.timeoutMs / 1000} s: ${this.#shownCommand()}`);
    if (type === "postToolUseFailure" && end.exitCode === EXIT_BLOCKS)
      return { additionalContext: end.stdout.trim() };
    if (end.exitCode !== 0) {
      const why = shown(end.stderr);
      throw new Error(`ended with ${endOf(end)}${why ? `: ${why}` : ""}`);
    }
    return outputIn(end.stdout);
  }

  #isProgress(line: string): boolean {
    const trimmed = line.trim();
    if (!trimmed.startsWith("{") || !trimmed.includes('"progress"')) return false;
    const said = outputIn(trimmed);
    if (said?.type !== "progress" || typeof said.message !== "string") return false;
    this.#options.onProgress(said.message, said.temporary === true);
    return true;
  }

  #shownCommand(): string {
    const { command } = this.#spec;
    const text = typeof command === "string" ? command : [command.program, ...command.args].join(" ");
    return cutText(text, 80);
  }
}

function deny(permissionDecisionReason: string) {
  return { permissionDecision: "deny", permissionDecisionReason };
}

/** What a command printed, if that is one JSON object; anything else is no output. */
function outputIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const output = isDeeperThan(text) ? undefined : (JSON.parse(text) as unknown);
    return isObject(output) ? output : undefined;
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return cutText(text.trim(), MAX_SHOWN);
}

function endOf({ exitCode }: HookCommandEnd): string {
  return exitCode === undefined ? "a signal" : `exit code ${exitCode}`;
}

/** Commands are told of errors as objects, clients as texts. */
function withErrorObject(input: HookInput): HookInput {
  return { ...input, error: { name: "Error", message: input.error } };
}

function expand(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced?: string, bare?: string) => env[braced ?? bare ?? ""] ?? "",
  );
}
