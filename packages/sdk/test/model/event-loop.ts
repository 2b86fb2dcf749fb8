/**
 * Notices an event loop that is blocked, from a thread beside it. What counts is the time that the process was given
 * by its machine, not the time that went by: a machine that is busy with others blocks nothing.
 */
import { Worker } from "node:worker_threads";

/** A loop that does not turn once in so much time of a processor is blocked. */
const BLOCKED_MS = 1000;

const WATCH = `
const { workerData } = require("node:worker_threads");
const turns = new Int32Array(workerData.turns);
let seen = -1;
let since = 0;
setInterval(() => {
  const { user, system } = process.cpuUsage();
  const usedMs = (user + system) / 1000;
  if (turns[0] !== seen) {
    seen = turns[0];
    since = usedMs;
  } else if (usedMs - since > workerData.blockedMs) {
    require("node:fs").writeSync(1, workerData.line + "\\n");
    process.kill(process.pid, "SIGKILL");
  }
}, 100);
`;

/** Ends the process, after a line that says why, when the loop is blocked. */
export function watchEventLoop(): { stop: () => Promise<unknown> } {
  const turns = new SharedArrayBuffer(4);
  const counter = new Int32Array(turns);
  const timer = setInterval(() => {
    counter[0] = (counter[0] as number) + 1;
  }, 20);
  const failures = [{ message: `the event loop did not turn for ${BLOCKED_MS} ms of processor time` }];
  const line = JSON.stringify({ steps: 0, sequences: 0, faults: 0, seconds: 0, failures });
  const worker = new Worker(WATCH, {
    eval: true,
    workerData: { turns, blockedMs: BLOCKED_MS, line },
  });
  return {
    stop: () => {
      clearInterval(timer);
      return worker.terminate();
    },
  };
}
