import type { SessionEvent } from "@github/copilot-sdk";

type EventOf<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

/** The events that one client was told, oldest first. Give `record` to a session as `onEvent`. */
export class SeenEvents {
  readonly all: SessionEvent[] = [];
  readonly #waiters = new Set<() => void>();

  readonly record = (event: SessionEvent): void => {
    this.all.push(event);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  };

  of<T extends SessionEvent["type"]>(type: T): EventOf<T>[] {
    return this.all.filter((event): event is EventOf<T> => event.type === type);
  }

  /** Resolves once this many events of a type came. */
  async until(type: SessionEvent["type"], count = 1): Promise<void> {
    while (this.of(type).length < count) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }
}
