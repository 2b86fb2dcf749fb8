import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProcess } from "./start-process.mjs";

const COMMAND = fileURLToPath(import.meta.resolve("rightseat/bin"));
const BUNDLE = fileURLToPath(new URL("../dist/rightseat.js", import.meta.resolve("rightseat/bin")));

/**
 * Starts a server of its own, on a free port unless told otherwise, with nothing of the caller's
 * environment (no keys, no tokens) but the search path.
 *
 * @param {{ home: string, demo?: boolean, port?: number, env?: Record<string, string> }} options
 */
export async function startServer({ home, demo = true, port = 0, env = {} }) {
  if (!existsSync(BUNDLE)) throw new Error("the server is not built yet: run `npm run build` first");
  const started = await startProcess({
    script: COMMAND,
    args: ["--headless", "--port", String(port), ...(demo ? ["--demo"] : [])],
    env: { HOME: home, COPILOT_HOME: home, RIGHTSEAT_LOG_LEVEL: "error", ...env },
    ready: /listening on port (\d+)/,
  });
  return {
    address: `localhost:${started.match[1]}`,
    port: Number(started.match[1]),
    /** Asks it to end; resolves to `{ code, signal }` once it has. */
    stop: () => started.end("SIGTERM"),
    /** Ends it as a crash would. */
    kill: () => started.end("SIGKILL"),
    log: started.output,
  };
}
