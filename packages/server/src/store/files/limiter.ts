/** Runs a job now, or when one of the others has ended. */
export type Limiter = <T>(run: () => Promise<T>) => Promise<T>;

/** Lets at most `max` jobs run at once, in order; this is what bounds short-lived descriptors. */
export function createLimiter(max: number): Limiter {
  let active = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (active < max) active++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else active--;
    }
  };
}
