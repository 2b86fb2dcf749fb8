/** What a session itself knows of its sub-agents; see `agent-tasks.ts`. */
export interface ActiveAgents {
  /** Those that work, or wait for a place to. */
  readonly working: number;
  /** Ends them all; resolves when they have. */
  cancelAll(): Promise<void>;
}
