/**
 * Writes messages onto a stream. A large one goes out in slices, each when the one before has been taken: how it
 * gets on can be seen, and a message that takes long is not mistaken for a connection that is dead.
 */
import type { Writable } from "node:stream";
import { encodeFrame } from "@rightseat/protocol";

const SLICE_BYTES = 256 * 1024;
/** What has been handed over is still on its way, and then read: the other side is expected to manage so much. */
const BYTES_A_MS = 4096;

export class FrameWriter {
  readonly #output: Writable;
  readonly #waiting: Uint8Array[] = [];
  #writing = false;
  #whenIdle: (() => void) | undefined;
  #largeBytes = 0;
  /** Until when a large message keeps both sides busy; milliseconds of a monotonic clock. */
  movedMs = 0;

  constructor(output: Writable) {
    this.#output = output;
  }

  write(body: string): void {
    const frame = encodeFrame(body);
    if (!this.#writing && frame.byteLength <= SLICE_BYTES) {
      this.#output.write(frame);
      return;
    }
    this.#waiting.push(frame);
    this.#largeBytes += frame.byteLength;
    if (!this.#writing) this.#writeOn();
  }

  /** Calls back once everything has been handed over. */
  whenIdle(callback: () => void): void {
    if (this.#writing) this.#whenIdle = callback;
    else callback();
  }

  #writeOn(): void {
    const [frame] = this.#waiting;
    this.#writing = frame !== undefined;
    if (!frame) {
      this.movedMs = performance.now() + this.#largeBytes / BYTES_A_MS;
      this.#largeBytes = 0;
      this.#whenIdle?.();
      return;
    }
    const slice = frame.subarray(0, SLICE_BYTES);
    if (slice.byteLength === frame.byteLength) this.#waiting.shift();
    else this.#waiting[0] = frame.subarray(SLICE_BYTES);
    this.#output.write(slice, (error) => {
      if (error) return; // The stream tells it itself.
      this.movedMs = performance.now();
      this.#writeOn();
    });
  }
}
