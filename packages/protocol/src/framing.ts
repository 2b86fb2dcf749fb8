/**
 * The framing of the wire: `Content-Length: N\r\n\r\n` and N bytes of UTF-8 JSON, on TCP and stdio
 * alike (the base protocol of the Language Server Protocol).
 */

import { type FrameHead, isEnough, readFrameHead } from "./frame-head.ts";

/** Why a frame could not be read. After all but `header-too-long` the decoder goes on with the next frame. */
export type FramingProblem = "bad-header" | "header-too-long" | "frame-too-large" | "bad-utf8";

export class FramingError extends Error {
  readonly problem: FramingProblem;
  /** The known parts of the refused message. */
  readonly head: FrameHead;
  constructor(problem: FramingProblem, message: string, head: FrameHead = { isAnswer: false }) {
    super(message);
    this.name = "FramingError";
    this.problem = problem;
    this.head = head;
  }
  /** True when the position of the next frame is unknown, so that the connection has to end. */
  get fatal(): boolean {
    return this.problem === "header-too-long";
  }
}

export interface FrameDecoderOptions {
  /** Largest body accepted, in bytes. A larger one is skipped without being held. */
  readonly maxFrameBytes: number;
  readonly onFrame: (body: string) => void;
  readonly onError: (error: FramingError) => void;
}

/** How much of a skipped body is kept, to find out which message it was. */
const HEAD_BYTES = 4 * 1024;
const MAX_HEADER_BYTES = 8 * 1024;
const CR = 13;
const LF = 10;
const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder("utf-8", { fatal: true });
const lenientDecoder = new TextDecoder();

/** Encodes one message. The result may be written to any number of connections. */
export function encodeFrame(body: string): Uint8Array {
  const length = Buffer.byteLength(body);
  const header = `Content-Length: ${length}\r\n\r\n`;
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.write(header, 0, "latin1");
  frame.write(body, header.length, "utf8");
  return frame;
}

/**
 * Cuts a byte stream into messages. Two states: reading a header block, or reading (or skipping) the
 * body it announced. Holds at most one header block and one body of `maxFrameBytes`.
 */
export class FrameDecoder {
  readonly #options: FrameDecoderOptions;
  #header: Uint8Array = NO_BYTES;
  /** Parts of a body that has not arrived whole, and how much of it is missing. */
  #parts: Uint8Array[] = [];
  #missing = 0;
  #skipped: SkippedBody | undefined;
  #dead = false;

  constructor(options: FrameDecoderOptions) {
    this.#options = options;
  }

  /** Whether a frame has begun and its end has not arrived; its sender waits for an acknowledgement. */
  get incomplete(): boolean {
    return this.#header.byteLength > 0 || this.#missing > 0;
  }

  /** Ends the decoder: the rest of a chunk, and later bytes, are thrown away. */
  close(): void {
    this.#dead = true;
    this.#header = NO_BYTES;
    this.#parts = [];
  }

  /** Takes the next bytes. Keeps the chunk itself until its message is whole: it must not be changed. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.byteLength > 0 && !this.#dead) {
      rest = this.#missing > 0 ? this.#readBody(rest) : this.#readHeader(rest);
    }
  }

  #readHeader(chunk: Uint8Array): Uint8Array {
    const bytes = this.#header.byteLength === 0 ? chunk : concat([this.#header, chunk]);
    const end = endOfHeader(bytes);
    if ((end < 0 ? bytes.byteLength : end) > MAX_HEADER_BYTES) return this.#giveUp();
    if (end < 0) {
      this.#header = bytes;
      return NO_BYTES;
    }
    this.#header = NO_BYTES;
    const length = contentLength(bytes.subarray(0, end));
    if (length === undefined) {
      this.#options.onError(
        new FramingError("bad-header", "expected a header 'Content-Length: <bytes>' before each message"),
      );
      return bytes.subarray(end);
    }
    if (length > this.#options.maxFrameBytes) {
      const expected = `expected a message of at most ${this.#options.maxFrameBytes} bytes, got one of ${length}`;
      this.#skipped = new SkippedBody((head) =>
        this.#options.onError(new FramingError("frame-too-large", expected, head)),
      );
    }
    this.#missing = length;
    if (length === 0) this.#finishBody();
    return bytes.subarray(end);
  }

  #giveUp(): Uint8Array {
    this.#dead = true;
    this.#header = NO_BYTES;
    const expected = `expected a header block of at most ${MAX_HEADER_BYTES} bytes ending in an empty line`;
    this.#options.onError(new FramingError("header-too-long", expected));
    return NO_BYTES;
  }

  #readBody(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(this.#missing, chunk.byteLength);
    const part = chunk.subarray(0, taken);
    this.#missing -= taken;
    if (this.#skipped) this.#skipped.push(part);
    else this.#parts.push(part);
    if (this.#missing === 0) this.#finishBody();
    return chunk.subarray(taken);
  }

  #finishBody(): void {
    const parts = this.#parts;
    this.#parts = [];
    if (this.#skipped) {
      this.#skipped.end();
      this.#skipped = undefined;
      return;
    }
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : concat(parts);
    let body: string;
    try {
      body = decoder.decode(bytes);
    } catch {
      const [start, end] = [bytes.subarray(0, HEAD_BYTES), bytes.subarray(-HEAD_BYTES)];
      const head = readFrameHead(lenientDecoder.decode(start), lenientDecoder.decode(end));
      this.#options.onError(new FramingError("bad-utf8", "expected a message in UTF-8", head));
      return;
    }
    this.#options.onFrame(body);
  }
}

/** A skipped body: only its begin and end are kept, until its message is known. */
class SkippedBody {
  readonly #onHead: (head: FrameHead) => void;
  #head: Uint8Array = NO_BYTES;
  #tail: Uint8Array = NO_BYTES;
  #told = false;

  constructor(onHead: (head: FrameHead) => void) {
    this.#onHead = onHead;
  }

  push(part: Uint8Array): void {
    if (this.#told) return;
    if (this.#head.byteLength < HEAD_BYTES) {
      this.#head = concat([this.#head, part.subarray(0, HEAD_BYTES - this.#head.byteLength)]);
      if (this.#head.byteLength === HEAD_BYTES) this.#look();
    }
    if (!this.#told) this.#tail = concat([this.#tail, part.subarray(-HEAD_BYTES)]).subarray(-HEAD_BYTES);
  }

  end(): void {
    if (!this.#told) this.#onHead(this.#read(this.#tail));
  }

  #look(): void {
    const head = this.#read(NO_BYTES);
    if (!isEnough(head)) return;
    this.#told = true;
    this.#onHead(head);
  }

  #read(tail: Uint8Array): FrameHead {
    return readFrameHead(lenientDecoder.decode(this.#head), lenientDecoder.decode(tail));
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Index behind the empty line that ends a header block, or -1. */
function endOfHeader(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at >= 3 && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
  }
  return -1;
}

function contentLength(header: Uint8Array): number | undefined {
  let text = "";
  for (const byte of header) text += String.fromCharCode(byte);
  const match = /(?:^|\r\n)content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(text);
  return match ? Number(match[1]) : undefined;
}
