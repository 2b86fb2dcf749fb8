/** Instructions as they are now, at little cost: files are read again only when one has changed. */
import {
  type DiscoveredInstructions,
  discoverInstructions,
  type InstructionQuery,
  type Instructions,
} from "./instructions.ts";
import { stampOf } from "./text-file.ts";

/** The same object as long as nothing has changed. Never rejects. */
export type InstructionLoader = (query: InstructionQuery) => Promise<Instructions>;

export interface InstructionLoaderOptions {
  /** How long an answer is given again without a look at the files; default 1 second. */
  readonly trustMs?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

interface Entry {
  found: Promise<DiscoveredInstructions>;
  until: number;
}

/** Places whose instructions are remembered at a time. */
const MAX_ENTRIES = 128;

export function createInstructionLoader(options: InstructionLoaderOptions = {}): InstructionLoader {
  const { trustMs = 1000, now = () => performance.now() } = options;
  const entries = new Map<string, Entry>();
  return (query) => {
    const key = JSON.stringify([query.workingDirectory, query.gitRoot, query.home, query.directories]);
    const known = entries.get(key);
    if (known !== undefined && now() < known.until) return known.found;
    entries.delete(key);
    const oldest = entries.keys().next();
    if (entries.size >= MAX_ENTRIES && oldest.done !== true) entries.delete(oldest.value);
    const found = known === undefined ? discoverInstructions(query) : refresh(query, known.found);
    entries.set(key, { found, until: now() + trustMs });
    return found;
  };
}

async function refresh(
  query: InstructionQuery,
  before: Promise<DiscoveredInstructions>,
): Promise<DiscoveredInstructions> {
  const known = await before;
  const stamps = await Promise.all([...known.stamps.keys()].map(stampOf));
  const isUnchanged = [...known.stamps.values()].every((stamp, index) => stamp === stamps[index]);
  return isUnchanged ? known : discoverInstructions(query);
}
