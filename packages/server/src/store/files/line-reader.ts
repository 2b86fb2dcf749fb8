import { type FileHandle, open } from "node:fs/promises";
import { type StoredLine, StoreError } from "../event-log.ts";
import { isMissing, type StoreLog } from "./errors.ts";
import type { Limiter } from "./limiter.ts";

/** Read at once; each read costs a few turns through the thread pool. */
const readBytes = 1024 * 1024;
/** Given at once. */
const batchBytes = 256 * 1024;
const newline = 0x0a;

export interface LineSource {
  readonly path: string;
  readonly sessionId: string;
  readonly from: number;
  /** Undefined: the size of the file when reading begins. */
  readonly to: number | undefined;
  readonly log: StoreLog;
  readonly limit: Limiter;
}

/**
 * Streams the lines of a log, about 256 KiB at a time; a longer line makes one longer batch. The next
 * piece is read while the consumer works on this one. A line that is not JSON is skipped and logged: one
 * bad line must not make a session unreadable. What follows the last newline is not committed and not
 * given. No descriptor is held between reads, so that slow readers, and abandoned ones, cost none.
 * @throws StoreError `not-found`, also when the session is deleted half way.
 */
export async function* readLines(source: LineSource): AsyncGenerator<readonly StoredLine[]> {
  let position = source.from;
  let size = readBytes;
  let reading = readChunk(source, position, source.to, size);
  for (;;) {
    const { bytes, end } = await reading;
    const complete = bytes.lastIndexOf(newline) + 1;
    if (complete === 0 && bytes.length < size) return;
    const from = position;
    position += complete;
    size = complete > 0 ? readBytes : size * 2;
    const over = position >= end;
    if (!over) {
      reading = readChunk(source, position, end, size);
      // A consumer that stops early leaves it unread.
      reading.catch(() => undefined);
    }
    const lines = splitLines(source, bytes.subarray(0, complete), from);
    yield* inBatches(lines, from);
    if (over) return;
  }
}

function* inBatches(lines: readonly StoredLine[], from: number): Generator<readonly StoredLine[]> {
  let first = 0;
  let start = from;
  for (const [index, { cursor }] of lines.entries()) {
    if (cursor - start < batchBytes && index < lines.length - 1) continue;
    yield lines.slice(first, index + 1);
    first = index + 1;
    start = cursor;
  }
}

async function readChunk(
  source: LineSource,
  position: number,
  to: number | undefined,
  size: number,
): Promise<{ bytes: Buffer; end: number }> {
  return source.limit(async () => {
    const file = await openLog(source);
    try {
      const fileSize = (await file.stat()).size;
      const end = Math.min(to ?? fileSize, fileSize);
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(size, end - position)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return { bytes: bytes.subarray(0, filled), end };
    } finally {
      await file.close();
    }
  });
}

async function openLog(source: LineSource): Promise<FileHandle> {
  try {
    return await open(source.path, "r");
  } catch (error) {
    if (isMissing(error)) throw new StoreError("not-found", `no session ${source.sessionId}`);
    throw new StoreError("unavailable", `could not read session ${source.sessionId}`, {
      cause: error,
    });
  }
}

function splitLines(source: LineSource, bytes: Buffer, position: number): StoredLine[] {
  const lines: StoredLine[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(newline, start);
    const json = bytes.toString("utf8", start, end);
    const cursor = position + end + 1;
    const value = parse(json);
    if (value !== undefined) lines.push({ json, cursor, value });
    else if (json.trim() !== "") {
      const { sessionId } = source;
      source.log("skipped a corrupt line", {
        sessionId,
        offset: position + start,
        bytes: end - start,
      });
    }
    start = end + 1;
  }
  return lines;
}

/** Undefined when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
