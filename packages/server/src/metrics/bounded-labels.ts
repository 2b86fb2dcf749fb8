/** Keeps the values of a label few: clients choose them, and each is a series that is kept for ever. */
const OTHER = "other";

export class BoundedLabels {
  readonly #known = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The value, or "other" when as many are told apart as may be. */
  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return OTHER;
    this.#known.add(value);
    return value;
  }
}
