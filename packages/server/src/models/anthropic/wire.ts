/** The parts of Messages answers that are read. */
export interface MessagesEvent {
  readonly type?: string;
  readonly index?: number;
  readonly message?: MessagesBody;
  readonly content_block?: MessagesBlock;
  readonly delta?: MessagesDelta;
  readonly usage?: MessagesUsage;
  readonly error?: unknown;
}

export interface MessagesBody {
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
}

export interface MessagesDelta {
  readonly type?: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly partial_json?: string;
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
