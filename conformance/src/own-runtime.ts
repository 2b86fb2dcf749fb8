import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RuntimeProcess, startRuntime } from "./runtime-process.ts";

/** A runtime with a home of its own, which is gone with it. */
export interface OwnRuntime {
  readonly process: RuntimeProcess;
  /** Starts it on the same home, once it has ended. */
  startAgain(): Promise<void>;
  /** Ends it in order; says what was not as it should be. */
  end(): Promise<string[]>;
}

export async function startOwnRuntime({
  token,
  args,
  env: more = {},
}: {
  readonly token?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<OwnRuntime> {
  const home = await mkdtemp(join(tmpdir(), "rightseat-conformance-"));
  const env = { ...more, ...(token === undefined ? {} : { COPILOT_CONNECTION_TOKEN: token }) };
  let running = await startRuntime({ home, env, args });
  return {
    get process() {
      return running;
    },
    async startAgain() {
      running = await startRuntime({ home, env, args });
    },
    async end() {
      const { code, signal } = await running.end("SIGTERM");
      const problems = [];
      if (code !== 0) problems.push(`the runtime ended with ${code ?? signal}: ${running.log}`);
      if (running.log.includes("ExceededWarning")) problems.push(`the runtime leaks: ${running.log}`);
      if (running.hasDescendants()) problems.push("the runtime left a process behind");
      await rm(home, { recursive: true });
      return problems;
    },
  };
}
