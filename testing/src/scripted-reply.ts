/** What a scripted model server answers to one request. An empty object answers "ok". */
export interface ScriptedReply {
  /** The whole text in one delta. */
  readonly text?: string;
  /** The text as one delta a word. Wins over `text`. */
  readonly words?: readonly string[];
  readonly toolCalls?: readonly ScriptedToolCall[];
  /** Reasoning before the text, in one delta. */
  readonly reasoning?: string;
  /** What goes with it: Anthropic's signature, the encrypted content of Responses, GitHub's opaque field. */
  readonly reasoningOpaque?: string;
  /** Token counts; default: characters of the request and words of the answer. False sends none. */
  readonly usage?: ScriptedUsage | false;
  /** In the wire's own spelling; default what fits the content. */
  readonly finishReason?: string;
  /** An HTTP status other than 200 answers `body` (or an error object) at once. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The exact body: JSON unless it is a string. */
  readonly body?: unknown;
  /** The exact pieces of the body, each written by itself. */
  readonly rawChunks?: readonly (string | Uint8Array)[];
  /** Cuts the connection after this many chunks of the stream (0: before the first). */
  readonly dropAfter?: number;
  /** Ends the stream in good order after this many chunks, without the terminal marker. */
  readonly endAfter?: number;
  /** Leaves the connection open and silent after the content (or at once) until the client closes. */
  readonly hang?: boolean;
  /** Waits this long before the first byte. */
  readonly delayMs?: number;
}

export interface ScriptedToolCall {
  readonly id?: string;
  readonly name: string;
  /** Text as it is, anything else as JSON. */
  readonly arguments: unknown;
}

export interface ScriptedUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** A reply with every default filled in: what the wires render. */
export interface PlainAnswer {
  readonly id: string;
  readonly model: string;
  readonly words: readonly string[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly reasoning: string | undefined;
  readonly reasoningOpaque: string | undefined;
  readonly usage: ScriptedUsage | undefined;
  readonly finishReason: string | undefined;
}

/** A wire's way to say an answer. Each frame of `stream` is one event with its blank line. */
export interface ModelWire {
  readonly stream: (answer: PlainAnswer) => Iterable<string>;
  readonly whole: (answer: PlainAnswer) => unknown;
}

export function toPlainAnswer(
  reply: ScriptedReply,
  request: { readonly model: string; readonly number: number; readonly bytes: number },
): PlainAnswer {
  const toolCalls = (reply.toolCalls ?? []).map((call, index) => ({
    id: call.id ?? `call_${request.number}_${index}`,
    name: call.name,
    arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
  }));
  const words = reply.words ?? (reply.text !== undefined ? [reply.text] : toolCalls.length > 0 ? [] : ["ok"]);
  const counted = {
    inputTokens: Math.ceil(request.bytes / 4),
    outputTokens: words.length + 8 * toolCalls.length,
  };
  return {
    id: `answer_${request.number}`,
    model: request.model,
    words,
    toolCalls,
    reasoning: reply.reasoning,
    reasoningOpaque: reply.reasoningOpaque,
    usage: reply.usage === false ? undefined : (reply.usage ?? counted),
    finishReason: reply.finishReason,
  };
}
