/** What a session knows of the place that its run has among those that may be running; see `run-place.ts`. */
export interface ActivePlace {
  readonly state: PlaceState;
  /** Undefined when there is a place; or a promise, which resolves when it is had, or the run aborted. */
  enter(): Promise<void> | undefined;
  /** Something that the run does was asked of a client, or has ended: gives the place up when nothing else is left. */
  look(): void;
  /** A question is settled. Undefined when the run may know; or a promise, until it may go on. */
  goOn(): Promise<void> | undefined;
}

/**
 * `running` (it has a place, or does not need one yet) → `waiting` (for an answer; no place) → `queued` (for a place) →
 * `running`. `left` is the end.
 */
export type PlaceState = "running" | "waiting" | "queued" | "left";
