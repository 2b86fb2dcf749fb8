/** How long work in one piece may keep the event loop from everybody else. */
const SLICE_MS = 8;

/**
 * For loops over what a tenant has made as many of as it liked: `await breathe()` in each round lets
 * others have their turn after every few milliseconds, and costs no more than a look at the clock else.
 */
export function createBreather(): () => Promise<void> | undefined {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        sinceMs = performance.now();
        resolve();
      });
    });
  };
}
