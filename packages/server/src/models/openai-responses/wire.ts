import type { CopilotCost } from "../copilot-cost.ts";

/** The parts of Responses answers that are read. */
export interface ResponsesEvent extends CopilotCost {
  readonly type?: string;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly summary_index?: number;
  readonly delta?: unknown;
  /** The whole of it, where something ends. */
  readonly text?: unknown;
  readonly arguments?: unknown;
  readonly item?: ResponseItem;
  readonly response?: ResponseBody;
  readonly error?: unknown;
}

export interface ResponseBody extends CopilotCost {
  readonly id?: string;
  readonly model?: string;
  readonly status?: string;
  readonly output?: readonly ResponseItem[];
  readonly usage?: ResponseUsage | null;
  readonly error?: unknown;
  readonly incomplete_details?: { readonly reason?: string } | null;
}

export interface ResponseItem {
  readonly type?: string;
  readonly id?: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly content?:
    | readonly { readonly type?: string; readonly text?: string; readonly refusal?: string }[]
    | null;
  readonly summary?: readonly { readonly text?: string }[];
  readonly encrypted_content?: string | null;
}

export interface ResponseUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly input_tokens_details?: { readonly cached_tokens?: number } | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: number } | null;
}
