/** The end of what a command wrote, with how far into its output that is. */
export class OutputTail {
  readonly #maxChars: number;
  #text = "";
  #dropped = 0;
  #waiting: (() => void)[] = [];

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** Where what is kept begins. */
  get start(): number {
    return this.#dropped;
  }

  /** Characters of the output in all. */
  get end(): number {
    return this.#dropped + this.#text.length;
  }

  append(text: string): void {
    this.#text += text;
    // Not with every piece: a text that is cut is copied.
    if (this.#text.length > 2 * this.#maxChars) {
      const excess = this.#text.length - this.#maxChars;
      this.#text = this.#text.slice(excess);
      this.#dropped += excess;
    }
    this.wake();
  }

  /** Undefined for a place that is not kept any more, or was never reached. */
  from(position: number): string | undefined {
    if (position < this.#dropped || position > this.end) return undefined;
    return this.#text.slice(position - this.#dropped);
  }

  last(chars: number): string {
    return this.#text.slice(-chars);
  }

  /** Resolves with the next piece, or the next `wake`. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
