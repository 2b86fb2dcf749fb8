/**
 * A slot holds what one feature keeps with an open session, beside its log. The feature defines the slot in its own file; the
 * session knows neither the feature nor what is in the slot.
 */
export class Slot<T> {
  readonly #shelf: keyof Slotted;

  /**
   * @param lasts `open`: as long as the session is open. `awake`: as long as the session has the state that it has now;
   * sleep and a rewind empty the slot.
   */
  constructor(lasts: "open" | "awake" = "open") {
    this.#shelf = lasts === "open" ? "slots" : "awakeSlots";
  }

  /** Undefined when there is nothing in it. */
  of(session: Slotted): T | undefined {
    return session[this.#shelf]?.get(this) as T | undefined;
  }

  /** @param value undefined takes out what is in it. */
  set(session: Slotted, value: T | undefined): void {
    if (value !== undefined) {
      session[this.#shelf] ??= new Map();
      session[this.#shelf]?.set(this, value);
      return;
    }
    session[this.#shelf]?.delete(this);
    if (session[this.#shelf]?.size === 0) session[this.#shelf] = undefined;
  }

  /** The content; made and put there when there is none. */
  ensure(session: Slotted, make: () => T): T {
    const known = this.of(session);
    if (known !== undefined) return known;
    const made = make();
    this.set(session, made);
    return made;
  }
}

/** Each is undefined while all slots of its kind are empty. */
export interface Slotted {
  slots: Map<object, unknown> | undefined;
  awakeSlots: Map<object, unknown> | undefined;
}
