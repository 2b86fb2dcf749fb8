/**
 * The place that a run has among those that may be running. A run that waits for clients' answers, and for nothing
 * else, holds none: others run meanwhile, also when nobody ever answers. It takes one again, in its turn, before it
 * goes on.
 */

import { activeAgents } from "../abilities/agents/active-agents.ts";
import type { ActivePlace, PlaceState } from "../members/active-place.ts";
import type { Waiter } from "../members/client-waits.ts";
import type { Session } from "../open/session.ts";

/** Where runs are let in, one by one, when as many as may be are running. */
export interface Places {
  /** Undefined when there is a place; or a promise, which rejects with the signal's reason. */
  enter(tenant: string, signal: AbortSignal, goesOn: boolean): Promise<void> | undefined;
  leave(tenant: string): void;
}

export class RunPlace implements ActivePlace {
  readonly #places: Places;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #state: PlaceState = "running";
  #held = false;
  /** Hooks are asked about a prompt before its run needs a place. */
  #isNeeded = false;
  #hadOne = false;
  #entering: Promise<void> | undefined;

  constructor(places: Places, session: Session, signal: AbortSignal) {
    this.#places = places;
    this.#session = session;
    this.#signal = signal;
  }

  get state(): PlaceState {
    return this.#state;
  }

  enter(): Promise<void> | undefined {
    if (this.#held || this.#state === "left") return undefined;
    this.#isNeeded = true;
    this.#entering ??= this.#enter();
    return this.#entering;
  }

  look(): void {
    if (this.#state !== "running" || !isWaiting(this.#session)) return;
    this.#state = "waiting";
    if (!this.#held) return;
    this.#held = false;
    this.#places.leave(this.#session.key.tenant);
  }

  goOn(): Promise<void> | undefined {
    if (this.#state === "running" || this.#signal.aborted || isWaiting(this.#session)) return undefined;
    if (this.#isNeeded) return this.enter();
    this.#state = "running";
    return undefined;
  }

  leave(): void {
    this.#state = "left";
    if (!this.#held) return;
    this.#held = false;
    this.#places.leave(this.#session.key.tenant);
  }

  #enter(): Promise<void> | undefined {
    const wait = this.#places.enter(this.#session.key.tenant, this.#signal, this.#hadOne);
    if (!wait) {
      this.#have();
      return undefined;
    }
    this.#state = "queued";
    return wait
      .then(
        () => this.#have(),
        // An abort while it waits is for the loop to end, as any other.
        () => undefined,
      )
      .finally(() => {
        this.#entering = undefined;
      });
  }

  #have(): void {
    this.#held = true;
    this.#hadOne = true;
    if (this.#state === "left") this.leave();
    else this.#state = "running";
  }
}

/** Whether each tool call of the run is in the hands of clients, or the run itself between its calls; so, too, sub-agents that a call waits for. */
function isWaiting(session: Session): boolean {
  const { state, waits } = session;
  const isInHands = (waiter: Waiter): boolean =>
    waits.has(waiter) ||
    (typeof waiter === "object" &&
      "toolCallId" in waiter &&
      activeAgents.of(session)?.isWaiting(waiter.toolCallId, isInHands) === true);
  const { openToolCalls } = state;
  return openToolCalls.length > 0 ? openToolCalls.every(isInHands) : isInHands("run");
}
