/**
 * Sessions that the server may have made for a call that was given up. One whose id is this client's own is
 * deleted, as soon as the server can be told; one whose id the application chose may be another's, and is taken over
 * when it is made again.
 */
import type { Channel } from "./connection/channel.ts";
import { isConnectionLoss } from "./errors.ts";
import type { GivenUpJoin, JoinRequest } from "./session/attachment.ts";

export class Orphans {
  /** By session id: whether the application chose it. */
  readonly #maybeMade = new Map<string, boolean>();
  readonly #current: () => Channel | undefined;

  /** @param current the connection, when there is one right now */
  constructor(current: () => Channel | undefined) {
    this.#current = current;
  }

  /** Whether an attempt that was given up may have made this session; the next attempt takes note of it. */
  take(sessionId: string): boolean {
    return this.#maybeMade.delete(sessionId);
  }

  /** Undoes a join that was given up, once the server has answered it. Never rejects. */
  async withdraw(
    sessionId: string,
    { method, ownId }: Pick<JoinRequest, "method" | "ownId">,
    { channel, answer }: GivenUpJoin,
  ): Promise<void> {
    const isNew = method === "session.create";
    try {
      await answer;
      await channel.request(isNew ? "session.delete" : "session.detach", { sessionId });
    } catch (error) {
      if (!isNew || !isConnectionLoss(error)) return;
      this.#maybeMade.set(sessionId, ownId);
      // It may have been made anew already: nobody would look again before the next one.
      const current = this.#current();
      if (current?.isOpen && current !== channel) this.linkUp(current);
    }
  }

  linkUp(channel: Channel): void {
    for (const [sessionId, ownId] of this.#maybeMade) {
      if (ownId) continue;
      const forget = () => this.#maybeMade.delete(sessionId);
      channel.request("session.delete", { sessionId }).then(forget, (error: unknown) => {
        if (!isConnectionLoss(error)) forget();
      });
    }
  }
}
