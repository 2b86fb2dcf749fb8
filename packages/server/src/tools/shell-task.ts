/** Commands of the model that went on when their call had ended, for clients that list, read and end them. */
export interface ShellTasks {
  list(): readonly ShellTask[];
  find(id: string): ShellTask | undefined;
}

export interface ShellTask {
  readonly id: string;
  readonly command: string;
  readonly description: string;
  readonly startedAt: string;
  readonly completedAt: string | undefined;
  readonly status: "running" | "completed" | "failed" | "cancelled";
  readonly exitCode: number | undefined;
  readonly pid: number;
  /** The end of what it wrote. */
  readonly recentOutput: string;
  /**
   * What it wrote after the cursor, at most 64 KiB. Waits for more when there is none yet.
   * @throws RpcError `invalid_params` for a cursor of another task, or of output that is not kept any more.
   */
  read(cursor: string | undefined, waitMs: number, signal: AbortSignal): Promise<ShellOutput>;
  /** Ends it with all that it started. False when it had ended. */
  cancel(): Promise<boolean>;
}

export interface ShellOutput {
  readonly text: string;
  readonly cursor: string;
  /** The task has ended, and this is the last of its output. */
  readonly isLast: boolean;
}
