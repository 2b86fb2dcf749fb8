/**
 * The place that a run has among those that may be running. A run that waits for clients' answers, and for nothing
 * else, holds none: others run meanwhile, also when nobody ever answers. It takes one again, in its turn, before it
 * goes on.
 */
import type { ActivePlace, PlaceState } from "./active-place.ts";
import type { QuestionKind } from "./clients/questions.ts";
import type { Session } from "./session.ts";

/** Where runs are let in, one by one, when as many as may be are running. */
export interface Places {
  /** Undefined when there is a place; or a promise, which rejects with the signal's reason. */
  enter(tenant: string, signal: AbortSignal): Promise<void> | undefined;
  leave(tenant: string): void;
}

/** What a run asks when no tool call of it is open. */
const BETWEEN_CALLS: ReadonlySet<QuestionKind> = new Set(["session-limits", "auto-mode-switch"]);

export class RunPlace implements ActivePlace {
  readonly #places: Places;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #state: PlaceState = "running";
  #held = false;
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
    this.#entering ??= this.#enter();
    return this.#entering;
  }

  look(): void {
    if (!this.#held || !waitsForAnswers(this.#session)) return;
    this.#held = false;
    this.#state = "waiting";
    this.#places.leave(this.#session.key.tenant);
  }

  goOn(): Promise<void> | undefined {
    if (this.#state === "running" || this.#signal.aborted || waitsForAnswers(this.#session)) return undefined;
    return this.enter();
  }

  leave(): void {
    this.#state = "left";
    if (!this.#held) return;
    this.#held = false;
    this.#places.leave(this.#session.key.tenant);
  }

  #enter(): Promise<void> | undefined {
    const wait = this.#places.enter(this.#session.key.tenant, this.#signal);
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
    if (this.#state === "left") this.leave();
    else this.#state = "running";
  }
}

/** Whether each tool call of the run is in the hands of clients; those of sub-agents that it waits for, too. */
function waitsForAnswers({ state, questions, subAgents }: Session): boolean {
  const open = questions.list();
  if (open.length === 0) return false;
  if (state.openToolCalls.length === 0) return open.some(({ kind }) => BETWEEN_CALLS.has(kind));
  const asked = new Set(open.map(({ toolCallId }) => toolCallId));
  const isAsked = (toolCallId: string): boolean =>
    asked.has(toolCallId) || subAgents?.waitsForAnswers(toolCallId, isAsked) === true;
  return state.openToolCalls.every(({ toolCallId }) => isAsked(toolCallId));
}
