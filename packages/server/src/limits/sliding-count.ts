/**
 * How much was used in the last minute, hour or day: a ring of slots, so that memory does not depend
 * on how much it was. What it tells is late by at most one slot.
 */
export class SlidingCount {
  readonly #slotMs: number;
  readonly #slots: Float64Array;
  #newest = 0;
  #total = 0;

  /** @param windowMs the time looked at; @param slots how finely it is told apart. */
  constructor(windowMs: number, slots: number) {
    this.#slotMs = windowMs / slots;
    this.#slots = new Float64Array(slots);
  }

  add(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    const at = this.#newest % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + amount;
    this.#total += amount;
  }

  total(nowMs: number): number {
    this.#turn(nowMs);
    return this.#total;
  }

  /** Milliseconds until `amount` more would fit under `max`; 0 when it fits now. */
  waitFor(amount: number, max: number, nowMs: number): number {
    let excess = this.total(nowMs) + amount - max;
    if (excess <= 0) return 0;
    const length = this.#slots.length;
    for (let age = length - 1; age > 0; age -= 1) {
      const slot = this.#newest - age;
      excess -= slot < 0 ? 0 : (this.#slots[slot % length] ?? 0);
      if (excess <= 0) return (slot + length) * this.#slotMs - nowMs;
    }
    return (this.#newest + length) * this.#slotMs - nowMs;
  }

  #turn(nowMs: number): void {
    const current = Math.floor(nowMs / this.#slotMs);
    const length = this.#slots.length;
    const passed = Math.min(current - this.#newest, length);
    for (let step = 1; step <= passed; step += 1) {
      const at = (current - passed + step) % length;
      this.#total -= this.#slots[at] ?? 0;
      this.#slots[at] = 0;
    }
    if (current > this.#newest) this.#newest = current;
  }
}
