/** How late the event loop is, looked at four times a second: a finer look costs a server that has nothing to do. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

const EVERY_MS = 250;

/** Milliseconds, since the last time that they were taken. */
export interface LoopDelays {
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  percentile(percent: 50 | 90 | 99): number;
}

const NANOSECONDS = 1e6;

export class LoopDelay {
  readonly #histogram: RecordableHistogram = createHistogram();
  readonly #timer: NodeJS.Timeout;
  #dueMs = performance.now() + EVERY_MS;
  #lastMs = 0;
  #longestMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  /**
   * For how long it stood still at most, about, since this was last asked: a delay that begins between two looks is
   * told from where it is likely to have begun, in the middle of them.
   */
  takeLongestMs(): number {
    // Whoever asks may come before the look that is overdue.
    const overdueMs = performance.now() - this.#dueMs;
    const longestMs = Math.max(this.#longestMs, overdueMs);
    this.#longestMs = 0;
    return longestMs > EVERY_MS ? longestMs + EVERY_MS / 2 : longestMs;
  }

  takeDelays(): LoopDelays {
    const { min, max, mean, stddev, count } = this.#histogram;
    const percentiles = new Map(
      ([50, 90, 99] as const).map((percent) => [percent, this.#histogram.percentile(percent)]),
    );
    this.#histogram.reset();
    const toMs = (nanoseconds: number | undefined) => (count > 0 ? (nanoseconds ?? 0) / NANOSECONDS : 0);
    return {
      last: this.#lastMs,
      min: toMs(min),
      max: toMs(max),
      mean: toMs(mean),
      stddev: toMs(stddev),
      percentile: (percent) => toMs(percentiles.get(percent)),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    this.#lastMs = Math.max(0, nowMs - this.#dueMs);
    this.#longestMs = Math.max(this.#longestMs, this.#lastMs);
    // It takes no zero.
    this.#histogram.record(Math.max(1, Math.round(this.#lastMs * NANOSECONDS)));
    this.#dueMs = nowMs + EVERY_MS;
  }
}
