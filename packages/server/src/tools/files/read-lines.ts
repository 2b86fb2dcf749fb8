/** Reads some lines of a file of any size, in bounded memory. */
import type { FileHandle } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;

export interface LineRange {
  /** Counted from 1. */
  readonly from: number;
  /** Included; Infinity for the end. */
  readonly to: number;
}

export interface ReadLines {
  /** From the first line asked for; invalid UTF-8 becomes U+FFFD. Empty when the file is shorter. */
  readonly lines: readonly string[];
  /** Whether there was more than `maxBytes` of them: the last is incomplete or others are missing. */
  readonly isCut: boolean;
  /** The number of lines in the file, the one behind the last newline included; unless reading ended before. */
  readonly total: number | undefined;
}

export async function readLines(handle: FileHandle, range: LineRange, maxBytes: number): Promise<ReadLines> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const parts: Buffer[] = [];
  let room = maxBytes;
  let line = 1;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return toLines(parts, line >= range.from, false, line);
    position += bytesRead;
    for (let start = 0; start < bytesRead; ) {
      const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE, start);
      const end = newline < 0 ? bytesRead : newline + 1;
      if (line >= range.from) {
        // A copy: the buffer is used again.
        parts.push(Buffer.from(buffer.subarray(start, Math.min(end, start + room))));
        room -= end - start;
        if (room < 0) return toLines(parts, true, true, undefined);
      }
      start = end;
      if (newline >= 0 && ++line > range.to) return toLines(withoutNewline(parts), true, false, undefined);
    }
  }
}

function toLines(parts: Buffer[], hasAny: boolean, isCut: boolean, total: number | undefined): ReadLines {
  if (!hasAny) return { lines: [], isCut, total };
  const lines = Buffer.concat(parts).toString("utf8").split("\n");
  return { lines: lines.map((text) => (text.endsWith("\r") ? text.slice(0, -1) : text)), isCut, total };
}

/** The newline that ends the last line asked for begins no other. */
function withoutNewline(parts: Buffer[]): Buffer[] {
  const end = parts.at(-1);
  return end ? [...parts.slice(0, -1), end.subarray(0, -1)] : parts;
}
