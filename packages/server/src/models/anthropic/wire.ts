import type { CopilotCost } from "../copilot-cost.ts";

/** The parts of Messages answers that are read. */
export interface MessagesEvent extends CopilotCost {
  readonly type?: string;
  readonly index?: number;
  readonly message?: MessagesBody;
  readonly content_block?: MessagesBlock;
  readonly delta?: MessagesDelta;
  readonly usage?: MessagesUsage;
  readonly error?: unknown;
}

export interface MessagesBody extends CopilotCost {
  readonly id?: string;
  readonly type?: string;
  readonly model?: string;
  readonly content?: readonly MessagesBlock[];
  readonly stop_reason?: string | null;
  readonly usage?: MessagesUsage;
  readonly error?: unknown;
}

export interface MessagesBlock {
  readonly type: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly data?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly citations?: readonly MessagesCitation[] | null;
}

/** Which fields are there depends on what was cited: a document, a search result, a web page. */
export interface MessagesCitation {
  readonly cited_text?: string;
  readonly document_index?: number;
  readonly document_title?: string | null;
  readonly title?: string | null;
  readonly url?: string;
  readonly source?: string;
  readonly search_result_index?: number;
  readonly start_char_index?: number;
  readonly end_char_index?: number;
  readonly start_page_number?: number;
  readonly end_page_number?: number;
  readonly start_block_index?: number;
  readonly end_block_index?: number;
}

export interface MessagesDelta {
  readonly type?: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly partial_json?: string;
  readonly citation?: MessagesCitation;
  readonly stop_reason?: string | null;
}

/** `input_tokens` counts neither what was read from the cache nor what was written to it. */
export interface MessagesUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
}
