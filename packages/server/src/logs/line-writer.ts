/**
 * Lines on their way to a target that may be full, gone or slow. Writing never waits and never throws: lines
 * wait in memory up to a bound, and are tried again until they are written; those beyond the bound are lost,
 * counted, and told of in one line where they are missing.
 */
import type { LineTarget } from "./line-target.ts";

export interface LineWriterOptions {
  readonly target: LineTarget;
  readonly maxWaitingCharacters: number;
  /** The line that stands for lines that were lost. */
  readonly describeLost: (lost: Lost) => string;
  /** The target does not take lines any more; told once, until it does again. */
  readonly onTrouble?: (why: string) => void;
  /** Between two tries. Default 1,000. */
  readonly retryMs?: number;
}

export interface Lost {
  readonly lines: number;
  readonly why: string;
}

const RETRY_MS = 1_000;
const MAX_WRITE_CHARACTERS = 64 * 1024;
const NOT_READ = "what was written is not read";

export class LineWriter {
  readonly #options: LineWriterOptions;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #writing = false;
  /** Since when the target has taken nothing, although there was something to take. */
  #waitingSinceMs: number | undefined;
  #trouble: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Since it was last told. */
  #untold = 0;
  #onEmpty: (() => void)[] = [];
  /** All lines lost so far. */
  lost = 0;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Why the target takes nothing, when it has not for `graceMs`. */
  trouble(graceMs: number): string | undefined {
    if (this.#trouble !== undefined) return this.#trouble;
    const since = this.#waitingSinceMs;
    return since !== undefined && performance.now() - since > graceMs ? NOT_READ : undefined;
  }

  /** @param line ends with a newline. */
  write(line: string): void {
    const { maxWaitingCharacters } = this.#options;
    // Half of the room has to be free again, so that a slow reader is not told of every small gap.
    const room = this.#untold > 0 ? maxWaitingCharacters / 2 : maxWaitingCharacters;
    if (this.#waitingCharacters + line.length > room) {
      this.lost += 1;
      this.#untold += 1;
      return;
    }
    this.#tellLost();
    this.#add(line);
    void this.#work();
  }

  /** Opens the target anew, and tries at once what waits. */
  reopen(): void {
    this.#options.target.reopen();
    this.#tryAgain();
  }

  /** Tries what waits once more, for so long at the most. @returns whether the process can end in order. */
  async close(timeoutMs: number): Promise<boolean> {
    this.#tryAgain();
    if (this.#waiting.length > 0 || this.#writing) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onEmpty.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    clearTimeout(this.#retry);
    const { target } = this.#options;
    if (!target.stuck) target.close();
    return !target.stuck;
  }

  #add(line: string): void {
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    this.#waitingSinceMs ??= performance.now();
  }

  #tellLost(): void {
    if (this.#untold === 0) return;
    const lines = this.#untold;
    this.#untold = 0;
    this.#add(this.#options.describeLost({ lines, why: this.#trouble ?? NOT_READ }));
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#writing || this.#retry !== undefined) return;
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const lines = this.#nextLines();
      const { lines: written, error } = await this.#options.target.write(lines);
      this.#took(lines, written);
      if (error) {
        this.#failed(error);
        break;
      }
      if (this.#waiting.length === 0) this.#tellLost();
      this.#trouble = undefined;
    }
    this.#writing = false;
    if (this.#waiting.length > 0 && this.#onEmpty.length === 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  #nextLines(): string[] {
    let characters = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || characters < MAX_WRITE_CHARACTERS))
      characters += (this.#waiting[count++] as string).length;
    return this.#waiting.slice(0, count);
  }

  #took(lines: readonly string[], written: number): void {
    if (written === 0) return;
    this.#waiting.splice(0, written);
    for (let at = 0; at < written; at++) this.#waitingCharacters -= (lines[at] as string).length;
    this.#waitingSinceMs = this.#waiting.length > 0 ? performance.now() : undefined;
  }

  #failed(error: Error): void {
    const why = error.message;
    if (this.#trouble === undefined) {
      this.#trouble = why;
      this.#options.onTrouble?.(why);
    }
    this.#retry = setTimeout(() => this.#tryAgain(), this.#options.retryMs ?? RETRY_MS).unref();
  }
}
