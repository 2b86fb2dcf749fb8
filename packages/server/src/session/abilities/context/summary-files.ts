/** Takes away the files of summaries that belong to nobody; `stray-summaries.ts` of the state knows which. */
import type { EventLog, SessionKey } from "../../../store/event-log.ts";
import type { Strays } from "../../state/stray-summaries.ts";
import { removeCheckpointFiles } from "../workspace/checkpoint-files.ts";

/** Rejects with the system's error. The session must have no compaction under way. */
export async function removeStraySummaries(
  log: Pick<EventLog, "workspacePath">,
  { key, state }: { readonly key: SessionKey; readonly state: Strays },
): Promise<void> {
  const directory = log.workspacePath(key);
  if (directory !== undefined) await removeCheckpointFiles(directory, state.straySummaries ?? []);
}
