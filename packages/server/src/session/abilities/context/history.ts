/** A session's history for a client: small ones in one piece, large ones streamed from the store. */
import { RawResult, StreamedResult, wellFormedJson } from "@rightseat/protocol";
import type { EventLog } from "../../../store/event-log.ts";
import type { Session } from "../../open/session.ts";
import { readVisible } from "../../state/visible-log.ts";

/** Up to here a history is held in memory on its way out. */
const SMALL_BYTES = 256 * 1024;
const HEAD = '{"events":[';
const TAIL = "]}";

/** The result of `session.getMessages`: `{events: [...]}`, every durable event, oldest first. */
export async function readHistory(log: EventLog, session: Session): Promise<RawResult | StreamedResult> {
  await session.committed();
  const to = session.end;
  // Counted in the projection, which may be ahead of `to` by now: an upper bound.
  const { publicBytes, publicEvents } = session.state;
  const parts = historyParts(log, session, to);
  if (publicBytes > SMALL_BYTES) {
    return new StreamedResult(HEAD.length + publicBytes + Math.max(0, publicEvents - 1) + TAIL.length, parts);
  }
  let json = "";
  for await (const part of parts) json += part;
  return new RawResult(json);
}

async function* historyParts(log: EventLog, session: Session, to: number): AsyncIterable<string> {
  yield HEAD;
  let first = true;
  for await (const batch of readVisible(log, session.key, session.state.cuts, { to })) {
    let part = "";
    for (const { json } of batch) {
      // Logs of other programs, and old ones, hold halves of surrogate pairs.
      const line = wellFormedJson(json);
      part += first ? line : `,${line}`;
      first = false;
    }
    if (part !== "") yield part;
  }
  yield TAIL;
}
