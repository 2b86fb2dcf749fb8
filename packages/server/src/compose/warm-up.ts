/** What the first session needs and a start does not, loaded while nobody asks for anything. */

/** After the start, when whoever started it has had a first answer. */
const LOAD_MS = 300;
/** Between two loads, each of which takes the thread for some 10 ms. */
const PAUSE_MS = 25;
/** Busy: the event loop was at work for more than this share of a pause. A client that is served now loads what it needs itself. */
const BUSY_SHARE = 0.3;
const BUSY_PAUSE_MS = 500;

/** One after the other, each when it is quiet. Keeps no process running; what cannot be loaded is tried when it is needed. @returns a promise that is settled when all were tried. */
export function warmUp(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const left = [...steps];
  let settle!: () => void;
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  let last = performance.eventLoopUtilization();
  const later = (ms: number) => {
    last = performance.eventLoopUtilization();
    setTimeout(() => void next(), ms).unref();
  };
  const next = async () => {
    if (performance.eventLoopUtilization(last).utilization > BUSY_SHARE) return later(BUSY_PAUSE_MS);
    await left
      .shift()?.()
      .catch(() => undefined);
    if (left.length > 0) later(PAUSE_MS);
    else settle();
  };
  later(LOAD_MS);
  return done;
}
