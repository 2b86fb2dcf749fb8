/** Where lines go: a file, or a pipe. Nothing here blocks the event loop, however slow the other end is. */
import { close, constants, fstat, fstatSync, mkdirSync, open, openSync, stat, write } from "node:fs";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** How far a write came. Lines from `lines` on are not written. */
export interface Written {
  readonly lines: number;
  /** Why not all of them are; undefined when they are. */
  readonly error?: Error;
}

/** One write at a time. Never rejects. */
export interface LineTarget {
  /** Each line ends with a newline. */
  write(lines: readonly string[]): Promise<Written>;
  /** Opens anew what has a path. */
  reopen(): void;
  /**
   * Whether a thread of the process waits for the other end: a process with one cannot end in order, since its
   * end waits for all threads.
   */
  readonly stuck: boolean;
  close(): void;
}

const writeSome = promisify(write);
const openFile = promisify(open);
const statPath = promisify(stat);
const statDescriptor = promisify(fstat);

interface Place {
  readonly path: string;
  /** How often, at the most, it is looked whether the path leads elsewhere. */
  readonly lookEveryMs: number;
}

/** A file by its path: made again when it was moved away or removed. Or standard error, which is given. */
export class FileTarget implements LineTarget {
  readonly #place: Place | undefined;
  #descriptor: number | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** A write stopped inside a line: what follows begins a new one. */
  #torn = false;
  #stale = false;
  stuck = false;

  constructor(place: Place | { readonly descriptor: number }) {
    if ("descriptor" in place) this.#descriptor = place.descriptor;
    else this.#place = place;
  }

  async write(lines: readonly string[]): Promise<Written> {
    this.stuck = true;
    let done = 0;
    const bytes = Buffer.from(lines.join(""));
    try {
      const descriptor = await this.#current();
      if (this.#torn) await writeSome(descriptor, Buffer.from("\n"), 0, 1, null);
      this.#torn = false;
      while (done < bytes.length)
        done += (await writeSome(descriptor, bytes, done, bytes.length - done, null)).bytesWritten;
      return { lines: lines.length };
    } catch (error) {
      this.#torn = this.#torn || (done > 0 && bytes[done - 1] !== NEWLINE);
      return { lines: countLines(bytes, done), error: error as Error };
    } finally {
      this.stuck = false;
    }
  }

  reopen(): void {
    this.#stale = true;
  }

  close(): void {
    if (this.#place && this.#descriptor !== undefined) close(this.#descriptor, () => undefined);
    this.#descriptor = undefined;
  }

  async #current(): Promise<number> {
    if (!this.#place) return this.#descriptor as number;
    const { path, lookEveryMs } = this.#place;
    if (this.#descriptor !== undefined && !this.#stale) {
      const now = performance.now();
      if (now - this.#lookedMs < lookEveryMs) return this.#descriptor;
      this.#lookedMs = now;
      if (await leadsTo(path, this.#descriptor)) return this.#descriptor;
    }
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = await openFile(path, "a", 0o600);
    if (this.#descriptor !== undefined) close(this.#descriptor, () => undefined);
    this.#descriptor = descriptor;
    this.#lookedMs = performance.now();
    this.#stale = false;
    this.#torn = false;
    return descriptor;
  }
}

const NEWLINE = 0x0a;

function countLines(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

async function leadsTo(path: string, descriptor: number): Promise<boolean> {
  const [there, ours] = await Promise.all([
    statPath(path).catch(() => undefined),
    statDescriptor(descriptor),
  ]);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

interface Stream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  destroy(): unknown;
}

/** A pipe or a socket. A write that the other end does not read stays under way. */
export class StreamTarget implements LineTarget {
  readonly #open: () => Stream;
  #stream: Stream | undefined;
  /** The kernel holds what was written: no thread waits. */
  readonly stuck = false;

  /** @param open may throw the system's error. */
  constructor(open: () => Stream) {
    this.#open = open;
  }

  write(lines: readonly string[]): Promise<Written> {
    return new Promise((resolve) => {
      const fail = (error: unknown) => {
        this.close();
        resolve({ lines: 0, error: error as Error });
      };
      try {
        this.#stream ??= this.#open();
        this.#stream.write(lines.join(""), (error) =>
          error ? fail(error) : resolve({ lines: lines.length }),
        );
      } catch (error) {
        fail(error);
      }
    });
  }

  reopen(): void {
    this.close();
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }
}

/** A named pipe. Opening one that nobody reads is an error. */
export function namedPipe(path: string): LineTarget {
  return new StreamTarget(() => {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const socket = new Socket({ fd: descriptor, readable: false, writable: true });
    socket.on("error", ignore);
    return socket.unref();
  });
}

/** Standard error, whatever it is: Node writes to pipes without waiting, and to files and terminals only when told how. */
export function standardError(): LineTarget {
  const descriptor = 2;
  const kind = fstatSync(descriptor);
  if (!kind.isFIFO() && !kind.isSocket()) return new FileTarget({ descriptor });
  process.stderr.on("error", ignore);
  // Never destroyed: the descriptor's number would go to the next file that is opened.
  const stream: Stream = { write: (text, done) => process.stderr.write(text, done), destroy: ignore };
  return new StreamTarget(() => stream);
}

/** The callback of a write is told the same; without a listener an error would end the process. */
function ignore(): void {}
