/**
 * How much memory what tenants bring may take: settings, tools, agents, prompts that wait, open questions, and what
 * waits for their clients to read. What is let in is added up; only when that comes to the limit is it measured what
 * is still held.
 */
import { getHeapStatistics } from "node:v8";

export interface TenantMemoryOptions {
  /** Bytes that a tenant's sessions and connections hold now. */
  readonly measure: (tenant: string) => number;
  readonly maxBytes: (tenant: string) => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** A share of the memory that JavaScript has, unless the configuration says otherwise. */
const PART_OF_A_TENANT = 0.25;
/** A tenant at its limit is not measured more often than that. */
const MEASURE_EVERY_MS = 20;

export const DEFAULT_MEMORY_BYTES = Math.floor(getHeapStatistics().heap_size_limit * PART_OF_A_TENANT);

export class TenantMemory {
  readonly #options: TenantMemoryOptions;
  readonly #held = new Map<string, { bytes: number; measuredMs: number }>();

  constructor(options: TenantMemoryOptions) {
    this.#options = options;
  }

  /** Whether so much more may be held; if so, it counts. */
  admits(tenant: string, bytes: number): boolean {
    const max = this.#options.maxBytes(tenant);
    const held = this.#held.get(tenant) ?? { bytes: 0, measuredMs: Number.NEGATIVE_INFINITY };
    this.#held.set(tenant, held);
    if (held.bytes + bytes > max) {
      const now = this.#options.now();
      if (now - held.measuredMs < MEASURE_EVERY_MS) return false;
      held.measuredMs = now;
      held.bytes = this.#options.measure(tenant);
      if (held.bytes + bytes > max) return false;
    }
    held.bytes += bytes;
    return true;
  }
}
