/**
 * What one feature keeps with an open session, beside its log. The feature defines the slot in its own file; the
 * session knows neither the feature nor what is in it.
 */
export class Slot<T> {
  /** Undefined when there is nothing in it. */
  of(session: Slotted): T | undefined {
    return session.slots?.get(this) as T | undefined;
  }

  /** @param value undefined takes out what is in it. */
  set(session: Slotted, value: T | undefined): void {
    if (value !== undefined) {
      session.slots ??= new Map();
      session.slots.set(this, value);
      return;
    }
    session.slots?.delete(this);
    if (session.slots?.size === 0) session.slots = undefined;
  }

  /** What is in it, made and put there when there is nothing. */
  ensure(session: Slotted, make: () => T): T {
    const known = this.of(session);
    if (known !== undefined) return known;
    const made = make();
    this.set(session, made);
    return made;
  }
}

export interface Slotted {
  /** Undefined while all are empty. */
  slots: Map<object, unknown> | undefined;
}
