/** Things that happened which the model is to know of: between two of its calls, or by a run of their own. */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { Session } from "../../open/session.ts";

export interface Notice {
  /** For the model. */
  readonly text: string;
  /** For clients. */
  readonly kind: SessionEventDataMap["system.notification"]["kind"];
}

/** Recorded in any case; a session that is idle begins to run. */
export function notifyModel(session: Session, { text, kind }: Notice): void {
  const prompt = {
    messageId: randomUUID(),
    kind: "notification",
    prompt: `<system_notification>\n${text}\n</system_notification>`,
    steering: session.run !== undefined,
    notification: kind,
  } as const;
  session.record("rightseat.prompt_queued", { prompt });
  session.signal("prompt-waits");
}
