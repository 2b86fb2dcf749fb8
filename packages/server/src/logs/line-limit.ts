/**
 * Keeps a loop from filling the log: of one message so many lines a minute are written, the others are counted
 * and told in one line when the minute is over. Messages are constant, and what differs is in their fields.
 */
export interface LineLimitOptions {
  /** Told at the end of a minute in which lines were left out. */
  readonly onLeftOut: (message: string, lines: number) => void;
  readonly maxLines?: number;
  readonly windowMs?: number;
}

const MAX_LINES = 30;
const WINDOW_MS = 60_000;
/** Told apart; beyond, nothing is left out. */
const MAX_MESSAGES = 1_000;

interface Count {
  lines: number;
  readonly beganMs: number;
}

export class LineLimit {
  readonly #options: LineLimitOptions;
  readonly #counts = new Map<string, Count>();

  constructor(options: LineLimitOptions) {
    this.#options = options;
  }

  /** Whether the line is to be written. */
  admits(message: string): boolean {
    const { maxLines = MAX_LINES, windowMs = WINDOW_MS } = this.#options;
    const now = performance.now();
    let count = this.#counts.get(message);
    if (!count || (now - count.beganMs >= windowMs && count.lines <= maxLines)) {
      if (!count && this.#counts.size >= MAX_MESSAGES) return true;
      count = { lines: 0, beganMs: now };
      this.#counts.set(message, count);
    }
    count.lines += 1;
    if (count.lines === maxLines + 1)
      setTimeout(() => this.#end(message), Math.max(0, count.beganMs + windowMs - now)).unref();
    return count.lines <= maxLines;
  }

  /** Tells now what was left out so far. */
  flush(): void {
    for (const message of [...this.#counts.keys()]) this.#end(message);
  }

  #end(message: string): void {
    const { maxLines = MAX_LINES, onLeftOut } = this.#options;
    const count = this.#counts.get(message);
    this.#counts.delete(message);
    if (count && count.lines > maxLines) onLeftOut(message, count.lines - maxLines);
  }
}
