/** The application's part of the system message. */

export type SystemMessageSection =
  | "preamble"
  | "identity"
  | "tone"
  | "tool_efficiency"
  | "environment_context"
  | "code_change_rules"
  | "guidelines"
  | "safety"
  | "tool_instructions"
  | "custom_instructions"
  | "runtime_instructions"
  | "last_instructions";

/** The sections that can be customised, and what is in them. */
export const SYSTEM_MESSAGE_SECTIONS: Record<SystemMessageSection, { description: string }> = {
  preamble: { description: "Who the agent is, in a few words, and its mode" },
  identity: {
    description: "The preamble together with tone, tool efficiency and what else describes the agent",
  },
  tone: { description: "Style, length and format of answers" },
  tool_efficiency: { description: "How tools are used well: together, in parallel" },
  environment_context: { description: "Working directory, operating system, repository, what is there" },
  code_change_rules: { description: "How code is changed and checked" },
  guidelines: { description: "Good practice" },
  safety: { description: "What is not to be done" },
  tool_instructions: { description: "What there is to say about each tool" },
  custom_instructions: { description: "Instructions of the repository and the organisation" },
  runtime_instructions: { description: "What the server adds: notices, memories, the workspace, the mode" },
  last_instructions: { description: "What is said last: see the task through" },
};

/** Gets a section's text, returns the new one. One that throws leaves the section as it is. */
export type SectionTransformFn = (currentContent: string) => string | Promise<string>;

/** The change to a section; `preserve` keeps a part of a removed section. */
export type SectionOverrideAction =
  | "replace"
  | "remove"
  | "append"
  | "prepend"
  | "preserve"
  | SectionTransformFn;

/** The change to a section, with its text. */
export interface SectionOverride {
  action: SectionOverrideAction;
  /** The text to put in; nothing replaces a section with an empty one. */
  content?: string;
}

/** The server's own message, and something after it. */
export interface SystemMessageAppendConfig {
  mode?: "append";
  content?: string;
}

/** The application's message and nothing else. */
export interface SystemMessageReplaceConfig {
  mode: "replace";
  content: string;
}

/** The server's message with some sections changed, and something after it. */
export interface SystemMessageCustomizeConfig {
  mode: "customize";
  sections?: Partial<Record<SystemMessageSection, SectionOverride>>;
  content?: string;
}

/** The application's part of the system message. */
export type SystemMessageConfig =
  | SystemMessageAppendConfig
  | SystemMessageReplaceConfig
  | SystemMessageCustomizeConfig;
