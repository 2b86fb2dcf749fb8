/**
 * Gives memory back when the server is quiet. V8 collects its old generation when that is about to grow,
 * so a burst of work leaves tens of megabytes behind which nothing collects as long as nobody asks for
 * anything: of 66 MB that 5,000 sleeping sessions seemed to take, 58 were garbage. One full collection in
 * a quiet moment returns them to the system.
 */
import type { Session } from "node:inspector";
import { performance } from "node:perf_hooks";
import { getHeapStatistics, type HeapInfo } from "node:v8";

const LOOK_MS = 2_000;
/** Quiet: the event loop was at work for less than this share of the time between two looks. */
const QUIET_SHARE = 0.01;
/** How many quiet looks in a row are needed, so that follow-up work, such as putting sessions to sleep, has ended. */
const QUIET_LOOKS = 2;
/** What has to have come since the last collection, of objects and of bytes outside the heap that they hold, for another one to be worth its while. */
const WORTH_BYTES = 12 * 1024 * 1024;
/** A collection stops everything, for some milliseconds a megabyte in use: none is made above this. */
const MOST_IN_USE_BYTES = 256 * 1024 * 1024;
/** Collections take at most this share of the time, so that even a caller who meets one is one in 200. */
const MOST_SHARE = 0.005;

/** Looks from time to time whether to collect. Nothing is kept running for it; a Node without an inspector never collects. */
export function collectWhenIdle(
  onCollected: (figures: { durationMs: number; returnedBytes: number }) => void,
): void {
  let inspector: Session | undefined;
  // What a start takes is no garbage: a collection then would only put off the first that is worth it.
  let leftInUse = inUse(getHeapStatistics());
  let notBeforeMs = 0;
  let quietLooks = 0;
  let last = performance.eventLoopUtilization();
  const look = async () => {
    const now = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(now, last).utilization;
    last = now;
    quietLooks = busy > QUIET_SHARE ? 0 : quietLooks + 1;
    if (quietLooks < QUIET_LOOKS || performance.now() < notBeforeMs) return;
    const before = getHeapStatistics();
    if (inUse(before) - leftInUse < WORTH_BYTES || before.used_heap_size > MOST_IN_USE_BYTES) return;
    const started = performance.now();
    notBeforeMs = Number.POSITIVE_INFINITY;
    inspector ??= await connect();
    if (!inspector) return;
    // The one documented way to a collection that also shrinks the heap. It runs in a task of its own.
    inspector.post("HeapProfiler.collectGarbage", () => {
      const after = getHeapStatistics();
      leftInUse = inUse(after);
      const durationMs = performance.now() - started;
      notBeforeMs = performance.now() + durationMs / MOST_SHARE;
      last = performance.eventLoopUtilization();
      const returnedBytes = before.total_heap_size - after.total_heap_size;
      onCollected({ durationMs: Math.round(durationMs), returnedBytes });
    });
  };
  setInterval(() => void look(), LOOK_MS).unref();
}

/** Objects, and what they hold outside the heap. */
function inUse({ used_heap_size, external_memory }: HeapInfo): number {
  return used_heap_size + external_memory;
}

/** Undefined where Node was built without one. */
async function connect(): Promise<Session | undefined> {
  try {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connect();
    return session;
  } catch {
    return undefined;
  }
}
