/** Whether a turn is under way, from the events: needed to know what was missed while nobody listened. */
import type { SessionEvent } from "@rightseat/protocol";

export class SessionProgress {
  #running = false;
  /** An idle event was made up, and the server's own may still come. */
  #madeUp = false;

  get isRunning(): boolean {
    return this.#running;
  }

  /** Takes note of an event; false when it says again what was made up already. */
  note({ type, agentId }: SessionEvent): boolean {
    if (agentId !== undefined) return true;
    if (type === "user.message" || type === "assistant.turn_start") {
      this.#running = true;
      this.#madeUp = false;
    } else if (type === "session.idle") {
      const told = this.#madeUp && !this.#running;
      this.#running = false;
      this.#madeUp = false;
      return !told;
    }
    return true;
  }

  noteMadeUpIdle(): void {
    this.#madeUp = true;
  }

  reset(): void {
    this.#running = false;
    this.#madeUp = false;
  }
}
