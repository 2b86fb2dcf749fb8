/** What a provider refused of a session's conversation, and what is left out of it for that. */
import type { LeftOutKind } from "../../agent/leave-out.ts";
import type { Session } from "../session.ts";

/** The conversation was tried without these. What helped stays so; what did not is tried together with more. */
export function keepLeftOut(session: Session, kinds: readonly LeftOutKind[], helped: boolean): void {
  session.leftOutInVain = helped ? undefined : kinds;
  if (helped) session.record("rightseat.left_out", { kinds });
}
