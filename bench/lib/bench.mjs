/** What a question is given: ways to start runtimes, and their sessions. */
import { fileURLToPath } from "node:url";
import { runDirectories, sessionConfig, startModel, startRuntime } from "./runtime.mjs";

/** The runtime in this repository, built. */
export const ownServer = fileURLToPath(new URL("../../packages/server/bin/rightseat.js", import.meta.url));

/** The command that serves one of our builds on $PORT. */
export function serve(server, nodeFlags = "") {
  return `"${process.execPath}" ${nodeFlags} "${server}" --headless --port $PORT --log-level error`;
}

/**
 * @param {{command: string, isOwn: boolean, directory: string, size: object}} options
 *   `directory` is empty and the question's own; `isOwn` tells our runtime from another
 */
export async function createBench({ command, isOwn, directory, size }) {
  const model = await startModel();
  const { home, work } = runDirectories(directory);
  const running = new Set();
  return {
    size,
    isOwn,
    home,
    config: (extra) => sessionConfig(model, work, extra),
    /** Starts a runtime on the question's home; `ownFlags` go behind the command of ours. */
    async start({ ownFlags = "", connectionToken } = {}) {
      const line = isOwn ? `${command} ${ownFlags}` : command;
      const runtime = await startRuntime({ command: line, home, work, connectionToken });
      running.add(runtime);
      return {
        ...runtime,
        createSession: (extra) => runtime.client.createSession(sessionConfig(model, work, extra)),
        resumeSession: (id, extra) => runtime.client.resumeSession(id, sessionConfig(model, work, extra)),
        async stop() {
          running.delete(runtime);
          await runtime.stop();
        },
      };
    },
    async close() {
      await Promise.all(Array.from(running, (runtime) => runtime.stop()));
      model.stop();
    },
  };
}
