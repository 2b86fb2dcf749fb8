import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(import.meta.resolve("rightseat/bin"));
const BUNDLE = fileURLToPath(new URL("../dist/rightseat.js", import.meta.resolve("rightseat/bin")));
const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 15_000;

/**
 * Starts a server of its own: a child process on a free port of this machine, with nothing of the
 * caller's environment (no keys, no tokens) but the search path.
 *
 * @param {{ home: string, demo?: boolean, env?: Record<string, string>, args?: string[] }} options
 */
export async function startServer({ home, demo = true, env = {}, args = [] }) {
  if (!existsSync(BUNDLE)) throw new Error("the server is not built yet: run `npm run build` first");
  const child = spawn(process.execPath, [COMMAND, "--headless", "--port", "0", ...(demo ? ["--demo"] : []), ...args], {
    env: { PATH: process.env.PATH, HOME: home, COPILOT_HOME: home, RIGHTSEAT_LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  const log = [];
  child.stderr.setEncoding("utf8").on("data", (text) => log.push(text));
  const port = await portOf(child, closed, log);
  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const giveUp = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
    const result = await closed;
    clearTimeout(giveUp);
    return result;
  };
  return {
    address: `localhost:${port}`,
    port,
    pid: child.pid,
    home,
    /** Asks it to end; resolves to `{ code, signal }` once it has. May be called again. */
    stop: () => end("SIGTERM"),
    /** Ends it as a crash would: no signal handler runs. */
    kill: () => end("SIGKILL"),
    /** What it wrote to standard error. */
    log: () => log.join(""),
  };
}

/** The port from the line "CLI server listening on port N". */
function portOf(child, closed, log) {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`the server ${why}\n${log.join("")}`.trim()));
    };
    const timer = setTimeout(() => fail(`did not listen within ${START_DEADLINE_MS / 1000} s`), START_DEADLINE_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    closed.then(({ code, signal }) => fail(`ended before it listened (${signal ?? `code ${code}`})`));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
      const port = /listening on port (\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
  });
}
