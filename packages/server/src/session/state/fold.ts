/** What one line of a log does to a session's state. */
import type { SessionState } from "./session-state.ts";

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

export type Folder = (state: SessionState, data: Data, event: LoggedEvent) => void;

/** A fold says itself what is left of it once a rewind took its line back. */
export interface Fold {
  readonly apply: Folder;
  readonly rewound?: Folder;
}

/** By the type of the line. */
export type Folds = Readonly<Record<string, Fold>>;

/** What a line set or cost is still so after a rewind. */
export function kept(apply: Folder): Fold {
  return { apply, rewound: apply };
}

/** What a line said or did is not so after a rewind. @param rewound what of it is all the same. */
export function takenBack(apply: Folder, rewound?: Folder): Fold {
  return { apply, ...(rewound ? { rewound } : {}) };
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function toMode(mode: unknown): SessionState["mode"] | undefined {
  return mode === "interactive" || mode === "plan" || mode === "autopilot" ? mode : undefined;
}
