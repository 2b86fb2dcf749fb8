/** What an agent is, wherever its definition comes from. */
export interface AgentDefinition {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly prompt: string;
  readonly source: "application" | "user" | "project" | "builtin";
  /** Absolute; of an agent of a file. */
  readonly path?: string;
  /** Names, patterns or well-known words for tools; undefined for all. */
  readonly tools?: readonly string[];
  readonly model?: string;
  /** It answers on its model, or not at all. */
  readonly requiresModel?: true;
  readonly reasoningEffort?: string;
  /** Whether a model may hand it a task by itself. */
  readonly infer: boolean;
  readonly userInvocable: boolean;
}
