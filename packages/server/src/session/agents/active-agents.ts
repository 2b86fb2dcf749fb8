/** What a session itself knows of its sub-agents; see `agent-tasks.ts`. */
export interface ActiveAgents {
  /** Those that work, or wait for a place to. */
  readonly working: number;
  /** Lets go of what those that do not work could still be told about. */
  forget(): void;
  /** Ends them all; resolves when they have. */
  cancelAll(): Promise<void>;
}
