/**
 * The seam to the applications attached to a session: tell them an event, ask them something and
 * wait for the answer. A connection has one link, however many sessions it serves.
 */
import type { PublishedEvent } from "../log/published-event.ts";

export interface ClientLink {
  /** Unique in this process. */
  readonly id: string;
  /** Tells an event. Never throws, never blocks; a link that has closed ignores it. */
  publish(event: PublishedEvent): void;
  /**
   * Asks and waits.
   * @throws RemoteError when the client answered with an error, ConnectionClosedError when it went,
   *   or the signal's reason.
   */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown>;
}
