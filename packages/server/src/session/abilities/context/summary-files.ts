/** Takes away the files of summaries that belong to nobody; `stray-summaries.ts` of the state knows which. */
import type { Session } from "../../open/session.ts";
import { removeCheckpointFiles } from "../workspace/checkpoint-files.ts";

/** Rejects with the store's error. The session must have no compaction under way. */
export async function removeStraySummaries(session: Session): Promise<void> {
  await removeCheckpointFiles(session, session.state.straySummaries ?? []);
}
