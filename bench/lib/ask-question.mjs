import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { killTree } from "./processes.mjs";

const script = fileURLToPath(new URL("ask.mjs", import.meta.url));
const asking = new Set();
const directories = new Set();

/**
 * Asks one question of one runtime, in a process and directory of its own; neither is there afterwards.
 * Never throws: an answer has `figures` or an `error`.
 */
export async function askQuestion(question, { command, isOwn, size, timeoutMs }) {
  const directory = mkdtempSync(join(tmpdir(), "rightseat-bench-"));
  directories.add(directory);
  const child = fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  asking.add(child);
  const started = performance.now();
  try {
    const answer = await new Promise((resolve) => {
      const late = setTimeout(() => resolve({ error: `no end within ${timeoutMs / 1000} s` }), timeoutMs);
      child.once("message", resolve);
      child.once("exit", () => resolve({ error: "the asking process ended early" }));
      child.once("exit", () => clearTimeout(late));
      child.send({ name: question.name, command, isOwn, directory, size });
    });
    return { ...answer, tookS: Math.round((performance.now() - started) / 100) / 10 };
  } finally {
    killTree(child.pid);
    asking.delete(child);
    removeDirectory(directory);
  }
}

/** Ends what is being asked, for a run that is interrupted. */
export function endQuestions() {
  for (const child of asking) killTree(child.pid);
  for (const directory of directories) removeDirectory(directory);
}

function removeDirectory(directory) {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
