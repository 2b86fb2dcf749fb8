/** Timers of any length: Node's own fire at once when they are to wait for 2³¹ ms or more. */

const LONGEST_MS = 2 ** 31 - 1;

/** Calls back after a while, never for `Infinity`. Returns the way to stop it. `unref`: the process may end meanwhile. */
export function after(ms: number, callback: () => void, { unref = false } = {}): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => undefined;
  let leftMs = ms;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const stepMs = Math.min(leftMs, LONGEST_MS);
    leftMs -= stepMs;
    timer = setTimeout(() => (leftMs > 0 ? wait() : callback()), stepMs);
    if (unref) timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}
