/** One request of the server to a model, and the application's answer to it, piece by piece. */
import type { PublishedMethods } from "@rightseat/protocol";

type Chunk = PublishedMethods["llmInference.httpRequestChunk"]["params"];
type Head = Omit<PublishedMethods["llmInference.httpResponseStart"]["params"], "requestId">;

export class InferenceExchange {
  readonly requestId: string;
  readonly #call: (method: string, params: object) => Promise<unknown>;
  readonly #controller = new AbortController();
  readonly #pieces: Uint8Array[] = [];
  #isWhole = false;
  #wake: (() => void) | undefined;
  #begun = false;
  #ended = false;
  /** Answers of a WebSocket come from anywhere: each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(requestId: string, call: (method: string, params: object) => Promise<unknown>) {
    this.requestId = requestId;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  take({ data, binary, end, cancel, cancelReason }: Chunk): void {
    if (cancel) {
      this.cancel(cancelReason);
      return;
    }
    if (data) this.#pieces.push(binary ? Buffer.from(data, "base64") : new TextEncoder().encode(data));
    if (end) this.#isWhole = true;
    this.#wake?.();
  }

  cancel(why?: string): void {
    this.#ended = true;
    this.#controller.abort(new Error(`Request cancelled by runtime${why ? `: ${why}` : ""}`));
    this.#wake?.();
  }

  /** The request's body as it comes. @throws Error when the request is cancelled. */
  async *body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.signal.throwIfAborted();
      const piece = this.#pieces.shift();
      if (piece) yield piece;
      else if (this.#isWhole) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async wholeBody(): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.body()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  begin(head: Head): Promise<void> {
    return this.#send("llmInference.httpResponseStart", head, () => {
      this.#begun = true;
    });
  }

  write(data: string | Uint8Array): Promise<void> {
    const isText = typeof data === "string";
    const text = isText
      ? data
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
    return this.#send("llmInference.httpResponseChunk", { data: text, binary: !isText, end: false });
  }

  end(error?: { message: string; code?: string }): Promise<void> {
    const piece = { data: "", end: true, ...(error ? { error } : {}) };
    return this.#send("llmInference.httpResponseChunk", piece, () => {
      this.#ended = true;
    });
  }

  /** Tells that there will be no answer, as far as it can still be told. */
  async fail(error: Error): Promise<void> {
    if (this.#ended) return;
    if (!this.#begun) await this.begin({ status: 502, headers: {} });
    await this.end({ message: error.message });
  }

  #send(method: string, params: object, note?: () => void): Promise<void> {
    const sent = this.#last.then(async () => {
      if (this.#ended) return;
      note?.();
      await this.#call(method, { requestId: this.requestId, ...params });
    });
    this.#last = sent.catch(() => undefined);
    return sent;
  }
}
