/** A JSON-RPC 2.0 message of any kind, as it came. */
export interface WireMessage {
  readonly jsonrpc?: unknown;
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

export function encodeFrame(body: string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

const HEADER_END = "\r\n\r\n";

/** Cuts a stream of bytes into the bodies of its `Content-Length` frames. Throws on anything else. */
export class FrameSplitter {
  #waiting = Buffer.alloc(0);

  /** The bodies that this piece completes, in order. */
  push(piece: Uint8Array): string[] {
    this.#waiting = this.#waiting.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#waiting, piece]);
    const bodies: string[] = [];
    let start = 0;
    for (;;) {
      const headerEnd = this.#waiting.indexOf(HEADER_END, start);
      if (headerEnd < 0) break;
      const header = this.#waiting.toString("latin1", start, headerEnd);
      const length = /^Content-Length: (\d+)$/im.exec(header)?.[1];
      if (length === undefined)
        throw new Error(`expected a frame header with Content-Length, got ${JSON.stringify(header)}`);
      const bodyStart = headerEnd + HEADER_END.length;
      const bodyEnd = bodyStart + Number(length);
      if (this.#waiting.length < bodyEnd) break;
      bodies.push(this.#waiting.toString("utf8", bodyStart, bodyEnd));
      start = bodyEnd;
    }
    this.#waiting = this.#waiting.subarray(start);
    return bodies;
  }

  /** Whether a frame has begun and not ended. */
  get isInsideFrame(): boolean {
    return this.#waiting.length > 0;
  }
}
