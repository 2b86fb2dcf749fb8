/** Beginnings of messages are acknowledged at once, where the system lets us. */
import { createQuickAck, type QuickAck } from "../transport/quick-ack.ts";
import type { ServerContext } from "./server-context.ts";

export function createQuickAcks({ logger }: ServerContext): QuickAck {
  return createQuickAck((error) =>
    logger.warning(
      "each message of a client may wait 40 ms for the system's acknowledgement, since the optional package koffi cannot be loaded: install the server without --omit=optional",
      { why: (error as Error).message },
    ),
  );
}
