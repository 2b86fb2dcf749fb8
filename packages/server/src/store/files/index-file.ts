import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { SessionSummary } from "../catalogue.ts";
import { errorCode, isMissing } from "./errors.ts";

/**
 * The file behind a tenant's session list: an append-only log of summaries, the last one of a session
 * counts. Several processes append to it, each flush in one write, and any of them may replace it by
 * a compacted one. Its first line is a random id: a reader whose id no longer matches starts again
 * at the top. It is a cache: sessions that it does not name are found in their own directories.
 */

export interface IndexLine {
  readonly sessionId: string;
  /** Undefined: the session is gone. */
  readonly summary: SessionSummary | undefined;
  /** Taken from the session's own files; never replaces what its owner wrote. */
  readonly found: boolean;
  /** Length in the file. */
  readonly bytes: number;
}

const newline = 0x0a;
const chunkBytes = 1024 * 1024;
const appendFlags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;

export function encodeIndexLine(
  sessionId: string,
  summary: SessionSummary | undefined,
  found: boolean,
): string {
  if (!summary) return JSON.stringify({ sessionId, deleted: true });
  return JSON.stringify(found ? { ...summary, found: true } : summary);
}

export class IndexFile {
  readonly #path: string;
  readonly #sync: boolean;
  #id: string | undefined;
  /** Read up to here. */
  #offset = 0;
  /** Bytes in the file when it was last looked at. */
  size = 0;

  constructor(path: string, durable: boolean) {
    this.#path = path;
    this.#sync = durable;
  }

  /**
   * Gives what was appended since the last call, to `onLine`; `onRestart` comes first when the file
   * is another one than before, and everything is given again.
   */
  async readNew(onRestart: () => void, onLine: (line: IndexLine) => void): Promise<void> {
    const file = await openIfThere(this.#path);
    if (!file) {
      if (this.#id !== undefined) onRestart();
      this.#startAgain(undefined, 0);
      return;
    }
    try {
      this.size = (await file.stat()).size;
      if (this.size === this.#offset && this.#id !== undefined && !(await this.#isOther(file))) return;
      if (this.#id === undefined || this.size < this.#offset || (await this.#isOther(file))) {
        onRestart();
        this.#startAgain(await readId(file), this.size);
      }
      await this.#readFrom(file, onLine);
    } finally {
      await file.close();
    }
  }

  /** Appends lines in one write. */
  async append(lines: readonly string[]): Promise<void> {
    // A newline first: what a crash cut off before it stays a line of its own.
    const text = Buffer.from(`\n${lines.join("\n")}\n`, "utf8");
    for (;;) {
      const file = await openToAppend(this.#path);
      try {
        if ((await file.stat()).size === 0) await file.write(`{"index":"${newId()}"}\n`);
        await file.write(text);
        if (this.#sync) await file.datasync();
        const written = await file.stat();
        this.size = written.size;
        // Another process may have put a compacted file in its place meanwhile: write there too.
        if (isSameFile(written, await statIfThere(this.#path))) return;
      } finally {
        await file.close();
      }
    }
  }

  /**
   * Replaces the file by one with these lines alone. What other processes append while it is being
   * written is carried over: they see that the file was replaced, or we see what they wrote.
   */
  async compact(lines: Iterable<string>): Promise<void> {
    const old = await openIfThere(this.#path);
    if (!old) return;
    const draft = `${this.#path}.${newId()}`;
    try {
      const before = await old.stat();
      if (before.size !== this.#offset) return;
      const id = newId();
      const size = await writeDraft(draft, id, lines, this.#sync);
      if (!isSameFile(before, await statIfThere(this.#path))) return;
      await rename(draft, this.#path);
      this.#startAgain(id, size);
      this.#offset = size;
      const late = await readRange(old, before.size, (await old.stat()).size);
      if (late.length > 0) await this.append([late.toString("utf8").trim()]);
    } finally {
      await old.close();
      await rm(draft, { force: true });
    }
  }

  async #readFrom(file: FileHandle, onLine: (line: IndexLine) => void): Promise<void> {
    let carry: Buffer = Buffer.alloc(0);
    for (let position = this.#offset; position < this.size; ) {
      const chunk = await readRange(file, position, Math.min(position + chunkBytes, this.size));
      if (chunk.length === 0) return;
      position += chunk.length;
      const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
      const complete = bytes.lastIndexOf(newline) + 1;
      giveLines(bytes.toString("utf8", 0, complete), onLine);
      carry = bytes.subarray(complete);
      this.#offset = position - carry.length;
    }
  }

  async #isOther(file: FileHandle): Promise<boolean> {
    return (await readId(file)) !== this.#id;
  }

  #startAgain(id: string | undefined, size: number): void {
    this.#id = id;
    this.#offset = 0;
    this.size = size;
  }
}

function giveLines(text: string, onLine: (line: IndexLine) => void): void {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const parsed = parseLine(line);
    if (parsed) onLine(parsed);
  }
}

/** Undefined for anything else than an entry: the first line, a torn one, one of a later version. */
function parseLine(line: string): IndexLine | undefined {
  try {
    const { found, deleted, ...summary } = JSON.parse(line) as SessionSummary & {
      found?: boolean;
      deleted?: boolean;
    };
    const { sessionId, startTime, modifiedTime } = summary;
    if (typeof sessionId !== "string") return undefined;
    const bytes = line.length + 1;
    if (deleted) return { sessionId, summary: undefined, found: false, bytes };
    if (typeof startTime !== "string" || typeof modifiedTime !== "string") return undefined;
    return { sessionId, summary, found: found === true, bytes };
  } catch {
    return undefined;
  }
}

async function writeDraft(path: string, id: string, lines: Iterable<string>, sync: boolean): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    let text = `{"index":"${id}"}\n`;
    for (const line of lines) {
      text += `${line}\n`;
      if (text.length < chunkBytes) continue;
      await file.writeFile(text);
      text = "";
    }
    await file.writeFile(text);
    if (sync) await file.datasync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** The id in the first line; empty when there is none yet. */
async function readId(file: FileHandle): Promise<string> {
  const head = (await readRange(file, 0, 64)).toString("latin1");
  return /^\{"index":"([0-9a-f]+)"\}\n/.exec(head)?.[1] ?? "";
}

async function readRange(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, to - from));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function openToAppend(path: string): Promise<FileHandle> {
  try {
    return await open(path, appendFlags, 0o600);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, appendFlags, 0o600);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isSameFile(one: Stats, other: Stats | undefined): boolean {
  return other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function newId(): string {
  return randomBytes(8).toString("hex");
}
