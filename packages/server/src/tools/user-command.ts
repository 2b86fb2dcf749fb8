/** A command that a person runs in a session, beside its model. */

export interface UserCommandOptions {
  /** Unique in the session. */
  readonly id: string;
  /** For bash. */
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  /** Told all output as it comes, stdout and stderr alike. Must not throw. */
  readonly onOutput: (text: string) => void;
}

/** It leads a process group, which ends with the session and with the server. */
export interface UserCommand {
  /** Resolves with the exit code; 128 and the signal's number where a signal ended it. Never rejects. */
  readonly finished: Promise<number>;
  /** What it wrote, once it has finished; of much output the start and the end. Once only. */
  takeOutput(): Promise<{ readonly text: string }>;
  /** Signals the whole group. False when none of it is left. */
  signal(signal: "SIGTERM" | "SIGKILL" | "SIGINT"): boolean;
  /** Ends the whole group, within a second. May be called twice; does not throw. */
  end(): Promise<void>;
}

/** The commands of one session's people. */
export interface UserCommands {
  /** In the background, by id. */
  readonly background: Map<string, UserCommand>;
  /** Those whose end a client waits for, by its id of the request. */
  readonly requests: Map<string, AbortController>;
}
