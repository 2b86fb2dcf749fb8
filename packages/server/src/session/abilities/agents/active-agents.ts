import type { Waiter } from "../../members/client-waits.ts";
import { Slot } from "../../open/slot.ts";

/** What a session itself knows of its sub-agents; see `agent-tasks.ts`. */
export interface ActiveAgents {
  /** Those that work, or wait for a place to. */
  readonly working: number;
  /** The session lets its state go: so do they with what is in its log. */
  sleep(): void;
  /** Whether the call waits for a sub-agent that does nothing but wait, as its calls do. */
  isWaiting(toolCallId: string, isWaiting: (waiter: Waiter) => boolean): boolean;
  /** Ends them all; resolves when they have. */
  cancelAll(): Promise<void>;
}

/** Filled with the first sub-agent that a session begins. */
export const activeAgents = new Slot<ActiveAgents>();
