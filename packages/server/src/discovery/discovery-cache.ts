/** What files say now, at little cost: they are read again only when one has changed. */
import { stampOf } from "./text-file.ts";

export interface Discovered {
  /** What the answer depends on: paths, there or not, and their stamps at the time. */
  readonly stamps: ReadonlyMap<string, string>;
}

/** The same object as long as nothing has changed. Never rejects. */
export interface Discovery<Q, T> {
  (query: Q): Promise<T>;
  /** Looks at the files before it answers again. */
  forget(): void;
}

export interface DiscoveryCacheOptions {
  /** How long an answer is given again without a look at the files; default 1 second. */
  readonly trustMs?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

interface Entry<T> {
  found: Promise<T>;
  until: number;
}

/** Places whose files are remembered at a time. */
const MAX_ENTRIES = 128;

/** @param discover must not reject. Queries are told apart by their JSON. */
export function createDiscoveryCache<Q, T extends Discovered>(
  discover: (query: Q) => Promise<T>,
  options: DiscoveryCacheOptions = {},
): Discovery<Q, T> {
  const { trustMs = 1000, now = () => performance.now() } = options;
  const entries = new Map<string, Entry<T>>();
  const refresh = async (query: Q, before: Promise<T>): Promise<T> => {
    const known = await before;
    const stamps = await Promise.all([...known.stamps.keys()].map(stampOf));
    const isUnchanged = [...known.stamps.values()].every((stamp, index) => stamp === stamps[index]);
    return isUnchanged ? known : discover(query);
  };
  const find = (query: Q) => {
    const key = JSON.stringify(query);
    const known = entries.get(key);
    if (known !== undefined && now() < known.until) return known.found;
    entries.delete(key);
    const oldest = entries.keys().next();
    if (entries.size >= MAX_ENTRIES && oldest.done !== true) entries.delete(oldest.value);
    const found = known === undefined ? discover(query) : refresh(query, known.found);
    entries.set(key, { found, until: now() + trustMs });
    return found;
  };
  const forget = () => {
    for (const entry of entries.values()) entry.until = Number.NEGATIVE_INFINITY;
  };
  return Object.assign(find, { forget });
}
