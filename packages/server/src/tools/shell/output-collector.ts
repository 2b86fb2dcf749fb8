/** Collects what a command writes, in bounded memory: what is too large for a model goes to a file. */

import type { FileHandle } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { cutText, endOfText } from "@rightseat/protocol";
import type { BuiltInToolHost } from "../built-in-tool.ts";
import {
  describeLargeOutput,
  maxOutputBytes,
  mayKeepOutput,
  openOutputFile,
  PREVIEW_CHARS,
} from "../large-output.ts";

/** One command may not fill the disk. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/**
 * How long the next output is left in its pipe, in milliseconds, behind some that is too large for a model, and behind
 * some that nobody keeps. A command that writes without end would otherwise be read without end, and nobody served.
 */
const PAUSE_MS = { kept: 1, dropped: 5 };
/** How much is asked for at a time before it is written. */
const ASK_FOR_BYTES = 1024 * 1024;

export interface TakenOutput {
  /** Cut to what a model can read. */
  readonly text: string;
  /** Where all of it is, when that was too much. */
  readonly file?: string;
}

interface Spill {
  readonly path: string | undefined;
  readonly handle: FileHandle | undefined;
  readonly head: string;
  tail: string;
  fileBytes: number;
  /** How far the file may grow before more is asked for. */
  admittedBytes: number;
  droppedBytes: number;
}

export class OutputCollector {
  readonly #host: BuiltInToolHost;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #bytes = 0;
  #spill: Spill | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(host: BuiltInToolHost) {
    this.#host = host;
  }

  /**
   * Adds bytes; invalid UTF-8 becomes U+FFFD. Resolves with the text that came of them once the disk has
   * it, and a moment later where it is large: a command whose reader waits for this writes no faster than that. Does
   * not throw.
   */
  append(chunk: Buffer): Promise<string> {
    return this.#serially(async () => {
      // NUL is valid in JSON and refused by databases.
      const text = this.#decoder.write(chunk).replaceAll("\0", "\ufffd");
      this.#bytes += chunk.length;
      if (this.#spill) {
        await this.#write(this.#spill, text);
        await sleep(this.#spill.droppedBytes > 0 || !this.#spill.handle ? PAUSE_MS.dropped : PAUSE_MS.kept);
      } else {
        this.#text += text;
        if (this.#bytes > maxOutputBytes(this.#host)) await this.#startSpill();
      }
      return text;
    });
  }

  /** What has come since the last call, as a model reads it. */
  take(): Promise<TakenOutput> {
    return this.#serially(async () => {
      const [spill, text, bytes] = [this.#spill, this.#text, this.#bytes];
      this.#spill = undefined;
      this.#text = "";
      this.#bytes = 0;
      if (!spill) return { text };
      await spill.handle?.close();
      return { text: describeLargeOutput({ ...spill, bytes }), file: spill.path };
    });
  }

  async #startSpill(): Promise<void> {
    const admittedBytes = Math.max(ASK_FOR_BYTES, Buffer.byteLength(this.#text));
    const isAdmitted = await mayKeepOutput(this.#host, admittedBytes).catch(() => false);
    const file = isAdmitted ? await openOutputFile(this.#host).catch(() => undefined) : undefined;
    const head = cutText(this.#text, PREVIEW_CHARS);
    const { path, handle } = file ?? {};
    this.#spill = { path, handle, head, tail: "", fileBytes: 0, admittedBytes, droppedBytes: 0 };
    await this.#write(this.#spill, this.#text);
    this.#text = "";
  }

  async #write(spill: Spill, text: string): Promise<void> {
    spill.tail = endOfText(spill.tail + text, PREVIEW_CHARS);
    if (!spill.handle) return;
    const bytes = Buffer.from(text);
    if (await this.#hasRoom(spill, bytes.length)) {
      // A full disk costs the rest of the file, not the command.
      const { bytesWritten } = await spill.handle.write(bytes).catch(() => ({ bytesWritten: 0 }));
      spill.fileBytes += bytesWritten;
      spill.droppedBytes += bytes.length - bytesWritten;
    } else {
      spill.droppedBytes += bytes.length;
    }
  }

  /** What is dropped once is followed by nothing: a file with a gap would tell another story. */
  async #hasRoom(spill: Spill, bytes: number): Promise<boolean> {
    if (spill.droppedBytes > 0 || spill.fileBytes + bytes > MAX_FILE_BYTES) return false;
    if (spill.fileBytes + bytes <= spill.admittedBytes) return true;
    const more = Math.max(ASK_FOR_BYTES, bytes);
    if (!(await mayKeepOutput(this.#host, more).catch(() => false))) return false;
    spill.admittedBytes += more;
    return true;
  }

  #serially<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}
