/**
 * What one connection still has to be told. A reader that keeps up gets every frame in one write a
 * loop iteration. For one that does not, frames wait here, and a slow reader slows nobody: deltas of
 * one message are merged into one, then ephemeral events are dropped; durable events, requests and
 * answers never are. Past `maxBytes` of those the connection is given up through `onOverflow`.
 */
import type { Writable } from "node:stream";

/** A frame whose text may be merged with the next one of the same key while it waits. */
export interface DeltaFrame {
  readonly key: string;
  readonly text: string;
  /** Builds the frame for a merged text. */
  readonly build: (text: string) => Uint8Array;
}

/** An event is one by itself: what it would be made of anew for each connection is made for each delta, too. */
export interface OutboundFrame {
  /** Looked at once, and only when it is written or waits. */
  readonly frame: Uint8Array;
  /** True for what a client can do without. */
  readonly ephemeral: boolean;
  readonly delta?: DeltaFrame | undefined;
}

/** A frame too large to hold: written as it is produced. Its length is announced, so it must keep it. */
export interface StreamedFrame {
  readonly header: Uint8Array;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OutboundQueueOptions {
  /** Bytes that may wait, in this queue and in the socket; default 64 MiB. Looked at anew each time. */
  readonly maxBytes?: number;
  /** Bytes in the socket's own buffer from which on frames wait here; default 256 KiB. */
  readonly highWaterBytes?: number;
  /** Asked each time that so many more bytes wait (1 MiB); false gives the connection up as an overflow does. */
  readonly mayWait?: (bytes: number) => boolean;
  readonly onOverflow: (waitingBytes: number) => void;
  readonly onWriteError: (error: Error) => void;
}

interface Waiting {
  bytes?: Uint8Array;
  droppable: boolean;
  delta?: DeltaFrame;
  streamed?: StreamedFrame;
  size: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const ASK_EVERY_BYTES = 1024 * 1024;
const DEFAULT_HIGH_WATER_BYTES = 256 * 1024;

export class OutboundQueue {
  readonly #writable: Writable;
  readonly #options: OutboundQueueOptions;
  readonly #highWater: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #askAt = ASK_EVERY_BYTES;
  #scheduled = false;
  #streaming = false;
  #ended = false;
  #onIdle: (() => void)[] = [];
  /** Ephemeral events that were dropped for this reader. */
  dropped = 0;

  constructor(writable: Writable, options: OutboundQueueOptions) {
    this.#writable = writable;
    this.#options = options;
    this.#highWater = options.highWaterBytes ?? DEFAULT_HIGH_WATER_BYTES;
    writable.on("drain", () => this.#schedule());
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  push(outbound: OutboundFrame): void {
    if (this.#ended) return;
    // Asked for only when it is of use: for a reader that keeps up a delta is a frame like any other.
    const delta = this.#congested ? outbound.delta : undefined;
    if (delta && this.#mergeDelta(delta)) return;
    const bytes = outbound.frame;
    this.#add({ bytes, droppable: outbound.ephemeral, delta, size: bytes.byteLength });
  }

  pushStreamed(streamed: StreamedFrame): void {
    if (this.#ended) return;
    this.#add({ streamed, droppable: false, size: 0 });
  }

  /** Resolves once everything pushed so far has been handed to the operating system, or the end came. */
  flushed(): Promise<void> {
    if (this.#ended || (this.#waiting.length === 0 && this.#writable.writableLength === 0))
      return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#schedule();
    });
  }

  end(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#settleIdle();
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  get #congested(): boolean {
    return this.#streaming || this.#writable.writableLength > this.#highWater;
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.size;
    const total = this.#waitingBytes + this.#writable.writableLength;
    if (total > this.#askAt) this.#askForMore(total);
    if (total > this.#maxBytes) this.#relieve(this.#maxBytes);
    this.#schedule();
  }

  /** Merges with the last frame waiting, when that is a delta of the same message. */
  #mergeDelta(delta: DeltaFrame): boolean {
    const last = this.#waiting.at(-1);
    if (last?.delta?.key !== delta.key) return false;
    const merged: DeltaFrame = { ...delta, text: last.delta.text + delta.text };
    last.delta = merged;
    last.bytes = undefined;
    const size = last.size + delta.text.length;
    this.#waitingBytes += size - last.size;
    last.size = size;
    return true;
  }

  #askForMore(total: number): void {
    this.#askAt = total + ASK_EVERY_BYTES;
    if (this.#options.mayWait?.(ASK_EVERY_BYTES) === false) this.#relieve(ASK_EVERY_BYTES);
  }

  /** Over the bound: drops what may be dropped; if that is not enough, gives the connection up. */
  #relieve(maxBytes: number): void {
    const kept = this.#waiting.filter((waiting) => !waiting.droppable);
    this.dropped += this.#waiting.length - kept.length;
    this.#waiting = kept;
    this.#waitingBytes = kept.reduce((sum, waiting) => sum + waiting.size, 0);
    const total = this.#waitingBytes + this.#writable.writableLength;
    if (total <= maxBytes) return;
    this.end();
    this.#options.onOverflow(total);
  }

  #schedule(): void {
    if (this.#scheduled || this.#streaming) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#streaming) return;
    const batch: Uint8Array[] = [];
    let batchBytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (this.#writable.writableLength + batchBytes > this.#highWater) break;
      taken += 1;
      if (waiting.streamed) {
        this.#write(batch);
        this.#waiting.splice(0, taken);
        void this.#writeStreamed(waiting.streamed);
        return;
      }
      const bytes = waiting.bytes ?? (waiting.delta as DeltaFrame).build((waiting.delta as DeltaFrame).text);
      batch.push(bytes);
      batchBytes += bytes.byteLength;
      this.#waitingBytes -= waiting.size;
    }
    if (taken === this.#waiting.length) this.#waiting = [];
    else this.#waiting.splice(0, taken);
    this.#write(batch);
    if (this.#waiting.length === 0) this.#askAt = ASK_EVERY_BYTES;
    if (this.#waiting.length === 0) this.#settleIdle();
    // A write that the system took whole at once is followed by no 'drain'.
    else if (this.#writable.writableLength <= this.#highWater) this.#schedule();
  }

  #write(batch: Uint8Array[]): void {
    if (batch.length === 0 || this.#writable.destroyed) return;
    const bytes = batch.length === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch);
    this.#writable.write(bytes);
  }

  async #writeStreamed(streamed: StreamedFrame): Promise<void> {
    this.#streaming = true;
    try {
      await this.#writeAndWait(streamed.header);
      for await (const chunk of streamed.body) {
        if (this.#ended) return;
        await this.#writeAndWait(chunk);
      }
    } catch (error) {
      this.end();
      this.#options.onWriteError(error as Error);
    } finally {
      this.#streaming = false;
      this.#schedule();
    }
  }

  async #writeAndWait(bytes: Uint8Array): Promise<void> {
    if (this.#writable.write(bytes) || this.#writable.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#writable.off("drain", done);
        this.#writable.off("close", done);
        resolve();
      };
      this.#writable.on("drain", done);
      this.#writable.on("close", done);
    });
  }

  #settleIdle(): void {
    if (this.#onIdle.length === 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    if (this.#ended || this.#writable.writableLength === 0) {
      for (const resolve of waiting) resolve();
      return;
    }
    this.#onIdle = waiting;
    this.#writable.once("drain", () => this.#settleIdle());
  }
}
