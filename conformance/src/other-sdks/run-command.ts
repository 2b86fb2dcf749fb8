import { spawn } from "node:child_process";
import type { CommandLine } from "./languages.ts";

export interface CommandOutcome {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
  /** Standard output and error together, for people; what went wrong when the program could not be started. */
  readonly log: string;
}

/** Runs a program to its end; ends it when that takes longer than allowed. */
export function runCommand(
  [program, ...args]: CommandLine,
  options: { cwd: string; env: Record<string, string>; timeoutMs: number },
): Promise<CommandOutcome> {
  const { timeoutMs, ...spawnOptions } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...spawnOptions, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    let log = "";
    const timer = setTimeout(() => {
      log += `\n${program} was ended after ${timeoutMs / 1000} s`;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (piece) => {
      output += piece;
      log += piece;
    });
    child.stderr.on("data", (piece) => {
      errors += piece;
      log += piece;
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ ok: false, output, errors, log: error.message });
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, output, errors, log });
    });
  });
}
