/** A prompt that its sender takes back: out of the queue, or with the run that has just begun of it. */
import { RpcError } from "@rightseat/protocol";
import { withoutTime } from "../../agent/prompt-time.ts";
import type { EventLog } from "../../store/event-log.ts";
import { rewindTo } from "../abilities/context/rewind.ts";
import type { Session } from "../open/session.ts";
import { removeWaiting } from "./queue.ts";
import { interruptTurn } from "./stop-run.ts";
import { waitingItems } from "./waiting.ts";

export interface Withdrawal {
  readonly messageId: string;
  /** The prompt as it was sent: one that was edited since stays. */
  readonly expectedPrompt: string;
}

export interface Withdrawn {
  readonly removed: boolean;
  /** Whether the run had to be interrupted for it. */
  readonly interrupted: boolean;
}

const NOTHING: Withdrawn = { removed: false, interrupted: false };

export async function withdrawMessage(
  log: EventLog,
  session: Session,
  { messageId, expectedPrompt }: Withdrawal,
): Promise<Withdrawn> {
  const waiting = waitingItems(session).find((item) => item.messageId === messageId);
  if (waiting) {
    if (waiting.kind !== undefined || waiting.prompt !== expectedPrompt) return NOTHING;
    await removeWaiting(session, messageId);
    return { removed: true, interrupted: false };
  }
  const { running } = session.state;
  if (session.run === undefined || running?.messageId !== messageId || running.eventId === undefined)
    return NOTHING;
  if (!isUnanswered(session, expectedPrompt) || waitingItems(session).length > 0) return NOTHING;
  await interruptTurn(session, true);
  return { removed: await takenBack(log, session, running.eventId), interrupted: true };
}

/** Whether nothing came behind the prompt, neither of the model nor of others. */
function isUnanswered({ state }: Session, prompt: string): boolean {
  const last = state.messages.at(-1);
  if (last?.role !== "user" || typeof last.content !== "string") return false;
  return last.prompt === prompt || withoutTime(last.content) === prompt;
}

/** False when another prompt has its turn by now. */
async function takenBack(log: EventLog, session: Session, eventId: string): Promise<boolean> {
  try {
    await rewindTo(log, session, eventId);
    return true;
  } catch (error) {
    if (error instanceof RpcError) return false;
    throw error;
  }
}
