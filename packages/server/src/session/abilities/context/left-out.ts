/** What a provider refused of a session's conversation, and what is left out of it for that. */

import type { LeftOutKind } from "../../../agent/leave-out.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";

/** What the provider refused the conversation without, too; filled while it refuses it. */
export const leftOutInVain = new Slot<readonly LeftOutKind[]>();

/** The conversation was tried without these. What helped stays so; what did not is tried together with more. */
export function keepLeftOut(session: Session, kinds: readonly LeftOutKind[], helped: boolean): void {
  leftOutInVain.set(session, helped ? undefined : kinds);
  if (helped) session.record("rightseat.left_out", { kinds });
}
