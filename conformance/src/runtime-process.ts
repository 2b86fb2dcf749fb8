import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command that is tested: the built server, or what RIGHTSEAT_CONFORMANCE_RUNTIME names (a `.js` file is run with node). */
export const runtimePath =
  process.env["RIGHTSEAT_CONFORMANCE_RUNTIME"] ??
  fileURLToPath(new URL("../../packages/server/bin/rightseat.js", import.meta.url));

export interface RuntimeOptions {
  /** Its state directory. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface RuntimeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A runtime that listens on TCP. */
export interface RuntimeProcess {
  readonly port: number;
  /** All it has written to standard error. */
  readonly log: string;
  readonly exited: Promise<RuntimeExit>;
  /** Sends the signal and resolves once the process is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<RuntimeExit>;
  /** Whether a process that it started lives on. */
  hasDescendants(): boolean;
}

/** Starts a runtime on a free port, without anything of this environment that would give it a model or an account. */
export async function startRuntime({ home, env = {}, args = [] }: RuntimeOptions): Promise<RuntimeProcess> {
  const command = runtimePath.endsWith(".js") ? [process.execPath, runtimePath] : [runtimePath];
  const [program = "", ...before] = command;
  const child = spawn(program, [...before, "--headless", "--no-auto-update", "--port", "0", ...args], {
    env: runtimeEnvironment({ ...env, COPILOT_HOME: home }),
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that what it leaves behind can be found.
    detached: true,
  });
  let log = "";
  child.stderr.on("data", (piece) => (log += piece));
  const exited = new Promise<RuntimeExit>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  // A test that hangs never comes to its end, and the runtime must not outlive it.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  void exited.then(() => process.off("exit", kill));
  const port = await readPort(child, () => log);
  return {
    port,
    exited,
    get log() {
      return log;
    },
    end(signal) {
      child.kill(signal);
      return exited;
    },
    hasDescendants: () => isGroupAlive(child.pid ?? 0),
  };
}

/** This process's environment without what configures a runtime. */
export function runtimeEnvironment(extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(COPILOT_|RIGHTSEAT_|OPENAI_|ANTHROPIC_|GITHUB_|GH_|NODE_OPTIONS$|VITEST)/.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}

function readPort(child: ChildProcess, log: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.on("data", (piece) => {
      said += piece;
      const port = /listening on port (\d+)/i.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`the runtime ended before it listened (${code ?? signal}): ${log()}`)),
    );
  });
}

function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
