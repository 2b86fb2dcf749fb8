/**
 * Notices a server that has stopped answering without closing the connection. While somebody waits for
 * something, silence is followed by a ping; a ping that nothing follows ends the connection. Any byte
 * that arrives counts as an answer.
 */
import { ConnectionError } from "../errors.ts";
import { after } from "../timer.ts";
import type { Channel } from "./channel.ts";

/** How a server that has stopped answering is noticed. */
export interface HeartbeatOptions {
  /** Milliseconds of silence, while something is waited for, after which the server is pinged. */
  readonly silenceMs: number;
  /** Milliseconds that the answer to a ping may take. */
  readonly answerMs: number;
  /** Milliseconds between pings while nothing is waited for; they keep routers from forgetting the connection. */
  readonly idleMs: number;
}

export class Heartbeat {
  readonly #channel: Channel;
  readonly #options: HeartbeatOptions;
  readonly #isBusy: () => boolean;
  #stopTimer: (() => void) | undefined;
  #pingedMs: number | undefined;
  /** Set when the server did not answer, and the connection was ended for it. */
  gaveUp = false;
  /** The time that the timer waits is the long one. */
  #idle = false;

  constructor(channel: Channel, options: HeartbeatOptions, isBusy: () => boolean) {
    this.#channel = channel;
    this.#options = options;
    this.#isBusy = isBusy;
    this.#schedule(this.#waitMs());
  }

  /** Something was asked: from now on silence is short. */
  wake(): void {
    if (this.#idle) this.#schedule(this.#waitMs());
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#idle = false;
  }

  #waitMs(): number {
    this.#idle = this.#pingedMs === undefined && !this.#isBusy();
    return this.#idle ? this.#options.idleMs : this.#options.silenceMs;
  }

  #schedule(ms: number): void {
    this.#stopTimer?.();
    this.#stopTimer = after(Math.max(1, ms), () => this.#look(), { unref: true });
  }

  #look(): void {
    const { answerMs } = this.#options;
    const now = performance.now();
    const pinged = this.#pingedMs;
    if (pinged !== undefined && this.#channel.heardMs < pinged) {
      const leftMs = pinged + answerMs - now;
      if (leftMs > 0) this.#schedule(leftMs);
      // This process may have been busy itself: what has arrived meanwhile is read before judging.
      else setImmediate(() => setImmediate(() => this.#judge(pinged)));
      return;
    }
    this.#pingedMs = undefined;
    const limitMs = this.#waitMs();
    const silentMs = now - this.#channel.heardMs;
    if (silentMs < limitMs) {
      this.#schedule(limitMs - silentMs);
      return;
    }
    this.#pingedMs = now;
    this.#channel.request("ping", {}).catch(() => undefined);
    this.#schedule(answerMs);
  }

  #judge(pingedMs: number): void {
    if (this.#stopTimer === undefined) return;
    if (this.#channel.heardMs >= pingedMs) {
      this.#look();
      return;
    }
    const { answerMs } = this.#options;
    this.gaveUp = true;
    this.#channel.close(new ConnectionError(`the server did not answer a ping within ${answerMs} ms`));
  }
}
