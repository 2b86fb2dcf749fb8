import { type FileHandle, open } from "node:fs/promises";
import type { StoredLine } from "../event-log.ts";
import { StoreError } from "../store-error.ts";
import { isMissing, type StoreLog } from "./errors.ts";
import type { Limiter } from "./limiter.ts";

/** Read at once. */
const chunkBytes = 1024 * 1024;
/** Reads under way while the consumer works: each takes several turns of the event loop, which it gets only between chunks. */
const chunksAhead = 2;
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
 * chunks are read while the consumer works on this one. A line that is not JSON is skipped and logged: one
 * bad line must not make a session unreadable. What follows the last newline is not committed and not
 * given. No descriptor is held between reads, so that slow readers, and abandoned ones, cost none.
 * @throws StoreError `not-found`, also when the session is deleted half way.
 */
export async function* readLines(source: LineSource): AsyncGenerator<readonly StoredLine[]> {
  /** What follows the last newline so far, and its place. */
  let begun: Buffer[] = [];
  let position = source.from;
  for await (const chunk of readChunks(source)) {
    const complete = chunk.lastIndexOf(newline) + 1;
    if (complete === 0) {
      begun.push(chunk);
      continue;
    }
    const lines: StoredLine[] = [];
    const from = position;
    let start = 0;
    if (begun.length > 0) {
      start = chunk.indexOf(newline) + 1;
      const line = Buffer.concat([...begun, chunk.subarray(0, start)]);
      splitLines(source, line, position, lines);
      position += line.length;
    }
    splitLines(source, chunk.subarray(start, complete), position, lines);
    position += complete - start;
    begun = complete < chunk.length ? [chunk.subarray(complete)] : [];
    yield* inBatches(lines, from);
  }
}

/** The bytes in their order. Ends early when the file does. */
async function* readChunks(source: LineSource): AsyncGenerator<Buffer> {
  const { from, limit } = source;
  const to = source.to ?? (await limit(() => sizeOf(source)));
  const coming: Promise<Buffer>[] = [];
  let next = from;
  const readAhead = () => {
    while (coming.length < chunksAhead && next < to) {
      const position = next;
      const length = Math.min(chunkBytes, to - position);
      next += length;
      const reading = limit(() => readChunk(source, position, length));
      // A consumer that stops early leaves it unread.
      reading.catch(() => undefined);
      coming.push(reading);
    }
  };
  readAhead();
  for (let reading = coming.shift(); reading; reading = coming.shift()) {
    const bytes = await reading;
    if (bytes.length === 0) return;
    readAhead();
    yield bytes;
    if (bytes.length < chunkBytes) return;
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

async function sizeOf(source: LineSource): Promise<number> {
  const file = await openLog(source);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Fewer bytes where the file ends. */
async function readChunk(source: LineSource, position: number, length: number): Promise<Buffer> {
  const file = await openLog(source);
  try {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
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

/** Adds the lines of `bytes`, which begin at `position` of the file and end with a newline. */
function splitLines(source: LineSource, bytes: Buffer, position: number, lines: StoredLine[]): void {
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
}

/** Undefined when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
