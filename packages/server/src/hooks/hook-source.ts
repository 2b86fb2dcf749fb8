/**
 * The seam to the owners of hooks: a client that declared some, or a file of the repository. The names
 * and the fields of inputs are the wire's. The asker adds the fields that all inputs have (session, time,
 * directory).
 */
export type HookType =
  | "preToolUse"
  | "postToolUse"
  | "postToolUseFailure"
  | "userPromptSubmitted"
  | "userPromptTransformed"
  | "sessionStart"
  | "sessionEnd"
  | "errorOccurred"
  | "agentStop"
  | "subagentStart"
  | "subagentStop";

export type HookInput = Readonly<Record<string, unknown>>;

export interface HookSource {
  /** Whether a client answers: the run has nothing to do meanwhile. */
  readonly isClient?: boolean;
  /** Whose hooks these are, for the server's log and the error of a `hook.end`. */
  readonly name: string;
  /** How the session began for this source; set until the source was told. */
  start?: "new" | "resume" | undefined;
  /** The fields of its answer that count; all of them when left out. */
  usable?(type: HookType): readonly string[];
  /** Whether it wants to be asked at all; asked before every invocation, so it must be cheap. */
  wants(type: HookType, input: HookInput): boolean;
  /**
   * Asks, and resolves with the output as it came; undefined for none.
   * @throws whatever went wrong, and the signal's reason when it aborts.
   */
  invoke(type: HookType, input: HookInput, signal: AbortSignal): Promise<unknown>;
}
