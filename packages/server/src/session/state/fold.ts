/** What one line of a log does to a state: a session's, or that of a conversation alone. */
import type { SessionMode, SessionState } from "./session-state.ts";

/** An event or private record as it comes out of a log: anything may be missing. */
export interface LoggedEvent {
  readonly type: string;
  readonly id?: string;
  readonly timestamp?: string;
  readonly agentId?: string;
  // biome-ignore lint/suspicious/noExplicitAny: logs of other versions hold any shape; every reader below checks what it uses
  readonly data?: any;
}

export type Data = NonNullable<LoggedEvent["data"]>;

export type Folder<S> = (state: S, data: Data, event: LoggedEvent) => void;

/** A fold says itself what is left of it once a rewind took its line back. */
export interface Fold<S> {
  readonly apply: Folder<S>;
  readonly rewound?: Folder<S>;
}

/** By the type of the line. */
export type Folds<S = SessionState> = Readonly<Record<string, Fold<S>>>;

/** What a line set or cost is still so after a rewind. */
export function kept<S>(apply: Folder<S>): Fold<S> {
  return { apply, rewound: apply };
}

/** What a line said or did is not so after a rewind. @param rewound what of it is all the same. */
export function takenBack<S>(apply: Folder<S>, rewound?: Folder<S>): Fold<S> {
  return { apply, ...(rewound ? { rewound } : {}) };
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function toMode(mode: unknown): SessionMode | undefined {
  return mode === "interactive" || mode === "plan" || mode === "autopilot" ? mode : undefined;
}
