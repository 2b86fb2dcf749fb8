/**
 * Finds, in the output of a shell, the marker that its wrapper writes behind the command's own output.
 * The marker travels the same pipe, so all output before it has been read when it comes; the end of the
 * pipe would not do, since processes that a command leaves behind keep it open.
 */

/** How the marker is written: `\0<token> <exit code>\0`. */
export class EndMarker {
  readonly #prefix: Buffer;
  #held: Buffer = Buffer.alloc(0);

  /** @param token a random word that no command writes by chance. */
  constructor(token: string) {
    this.#prefix = Buffer.from(`\0${token} `);
  }

  /** The output in a chunk, less a possible start of the marker, and the exit code once it is known. */
  push(chunk: Buffer): { output: Buffer; exitCode?: number } {
    const data = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    const start = data.indexOf(this.#prefix);
    if (start < 0) return this.#hold(data, this.#startOfPrefix(data));
    const codeAt = start + this.#prefix.length;
    const end = data.indexOf(0, codeAt);
    if (end < 0) return this.#hold(data, start);
    const output = Buffer.concat([data.subarray(0, start), data.subarray(end + 1)]);
    return { output, exitCode: Number.parseInt(data.toString("latin1", codeAt, end), 10) };
  }

  /** What was held back, when no marker follows. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  #hold(data: Buffer, from: number): { output: Buffer } {
    // A copy, so that a few bytes do not keep a whole read buffer.
    this.#held = Buffer.from(data.subarray(from));
    return { output: data.subarray(0, from) };
  }

  /** Where the prefix may have begun at the very end of the data; its length when it has not. */
  #startOfPrefix(data: Buffer): number {
    const at = data.lastIndexOf(0);
    if (at < 0 || data.length - at >= this.#prefix.length) return data.length;
    return this.#prefix.subarray(0, data.length - at).equals(data.subarray(at)) ? at : data.length;
  }
}
