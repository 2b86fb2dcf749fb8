import { type FileHandle, open } from "node:fs/promises";
import type { RepairReport } from "../ownership.ts";
import { StoreError } from "../store-error.ts";
import { errorCode } from "./errors.ts";

/**
 * A crash may leave the end of a log torn: half a line, NUL bytes where data never reached the disk,
 * or a line that is not JSON. `repairTail` cuts back to the last good line and keeps what it cut in a
 * file beside the log. It reads the tail alone, however long the log is.
 */

export interface RepairedTail {
  /** Bytes of the log that are good. */
  readonly end: number;
  readonly repaired?: RepairReport;
}

const chunkBytes = 16 * 1024;
// More than this without one good line is no torn tail, and nothing to cut off unasked.
const maxDroppedBytes = 256 * 1024 * 1024;
const newline = 0x0a;

/**
 * Mends the log at `path`, which the caller must own.
 * @throws StoreError `corrupt` when 256 MiB at the end hold no good line.
 */
export async function repairTail(path: string): Promise<RepairedTail> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    const tail = await inspectTail(file, size);
    if (tail.addNewline) return await completeLastLine(file, tail.end, size);
    if (tail.end === size) return { end: size };
    await keepDropped(file, path, tail.end, tail.dataEnd);
    await file.truncate(tail.end);
    await file.datasync();
    return { end: tail.end, repaired: { droppedBytes: size - tail.end, reason: tail.reason } };
  } finally {
    await file.close();
  }
}

interface Tail {
  readonly end: number;
  /** Where the NUL bytes at the end of the file begin. */
  readonly dataEnd: number;
  readonly addNewline: boolean;
  readonly reason: RepairReport["reason"];
}

async function inspectTail(file: FileHandle, size: number): Promise<Tail> {
  const reader = new BackwardReader(file, size);
  const dataEnd = await reader.skipNulBytes();
  let reason: RepairReport["reason"] = dataEnd < size ? "nul-bytes" : "invalid-json";
  let end = dataEnd;
  while (end > 0) {
    const line = await reader.lastLine(end);
    if (isGood(line)) return { end, dataEnd, addNewline: !line.complete, reason };
    if (end === dataEnd && dataEnd === size) reason = describe(line);
    end = line.start;
    if (dataEnd - end > maxDroppedBytes) {
      throw new StoreError("corrupt", `no readable line in the last ${dataEnd - end} bytes`);
    }
  }
  return { end, dataEnd, addNewline: false, reason };
}

function describe(line: LastLine): RepairReport["reason"] {
  if (line.bytes.includes(0)) return "nul-bytes";
  return line.complete ? "invalid-json" : "torn-line";
}

function isGood(line: LastLine): boolean {
  const text = line.bytes.toString("utf8");
  if (line.complete && text.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(text);
    // A torn number or word may parse; a torn object never does.
    return line.complete || (typeof value === "object" && value !== null);
  } catch {
    return false;
  }
}

async function completeLastLine(file: FileHandle, end: number, size: number): Promise<RepairedTail> {
  if (end < size) await file.truncate(end);
  await file.write("\n", end);
  await file.datasync();
  if (end === size) return { end: end + 1 };
  return { end: end + 1, repaired: { droppedBytes: size - end, reason: "nul-bytes" } };
}

/** Copies `[from, to)` to a new file; the NUL bytes behind `to` hold nothing worth keeping. */
async function keepDropped(file: FileHandle, path: string, from: number, to: number) {
  if (from >= to) return;
  const copy = await openDropped(path);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(to - from, 1024 * 1024));
    for (let position = from; position < to; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - position), position);
      if (bytesRead === 0) break;
      await copy.writeFile(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}

async function openDropped(path: string): Promise<FileHandle> {
  const stamp = new Date().toISOString().replaceAll(":", "-");
  for (let count = 0; ; count++) {
    try {
      return await open(`${path}.dropped-${stamp}${count ? `-${count}` : ""}`, "wx", 0o600);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}

interface LastLine {
  readonly start: number;
  readonly bytes: Buffer;
  /** Ends with a newline. */
  readonly complete: boolean;
}

/** Holds the bytes from `#start` to the end of the file, growing towards the front. */
class BackwardReader {
  readonly #file: FileHandle;
  #start: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#start = size;
  }

  /** The position behind the last byte that is not NUL. */
  async skipNulBytes(): Promise<number> {
    while (this.#start > 0) {
      const end = this.#start;
      this.#bytes = await this.#readBefore(end, chunkBytes);
      this.#start = end - this.#bytes.length;
      for (let i = this.#bytes.length - 1; i >= 0; i--) {
        if (this.#bytes[i] === 0) continue;
        this.#bytes = this.#bytes.subarray(0, i + 1);
        return this.#start + i + 1;
      }
    }
    return 0;
  }

  /** The line that ends at `end`, with or without a newline. */
  async lastLine(end: number): Promise<LastLine> {
    const complete = (await this.#slice(end - 1, end))[0] === newline;
    const lineEnd = complete ? end - 1 : end;
    let searched = lineEnd;
    for (;;) {
      const held = this.#bytes.subarray(0, Math.max(0, searched - this.#start));
      const found = held.lastIndexOf(newline);
      const start = found >= 0 ? this.#start + found + 1 : this.#start;
      if (found >= 0 || this.#start === 0) {
        return { start, bytes: await this.#slice(start, lineEnd), complete };
      }
      searched = this.#start;
      await this.#grow(lineEnd);
    }
  }

  async #slice(start: number, end: number): Promise<Buffer> {
    while (start < this.#start) await this.#grow(end);
    return this.#bytes.subarray(start - this.#start, end - this.#start);
  }

  /** Reads as much again as it holds, so that a line of many megabytes is not copied chunk by chunk. */
  async #grow(keepBefore: number): Promise<void> {
    const held = this.#bytes.subarray(0, Math.max(0, keepBefore + 1 - this.#start));
    const before = await this.#readBefore(this.#start, Math.max(chunkBytes, held.length));
    this.#start -= before.length;
    this.#bytes = Buffer.concat([before, held]);
  }

  async #readBefore(end: number, bytes: number): Promise<Buffer> {
    const start = Math.max(0, end - bytes);
    const buffer = Buffer.allocUnsafe(end - start);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) throw new StoreError("unavailable", "the log shrank while it was read");
      filled += bytesRead;
    }
    return buffer;
  }
}
