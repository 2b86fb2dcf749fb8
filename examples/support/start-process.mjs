import { spawn } from "node:child_process";

const DEADLINE_MS = 15_000;

/**
 * Starts a script with Node and waits for the line that matches `ready`.
 *
 * @param {{ script: string, args?: string[], env?: Record<string, string>, ready: RegExp }} options
 * @returns the match, `output()`, and `end(signal)`, which resolves to `{ code, signal }`
 */
export async function startProcess({ script, args = [], env = {}, ready }) {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  let output = "";
  const match = await new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`${script} ${why}\n${output}`.trim()));
    };
    const timer = setTimeout(() => fail(`did not say ${ready} within ${DEADLINE_MS / 1000} s`), DEADLINE_MS);
    const read = (text) => {
      output += text;
      const found = ready.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    void closed.then(({ code, signal }) => fail(`ended too early (${signal ?? `code ${code}`})`));
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
  });
  return {
    match,
    pid: child.pid,
    output: () => output,
    /** May be called again. A process that does not end by itself is killed. */
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const giveUp = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
      const result = await closed;
      clearTimeout(giveUp);
      return result;
    },
  };
}
