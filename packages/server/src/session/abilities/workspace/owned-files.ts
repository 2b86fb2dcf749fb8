import type { SessionFiles } from "../../../store/session-files.ts";
import type { Lease, SessionKey } from "../../../store/session-key.ts";

/** The files of a session that this node holds; an open session is one. */
export interface OwnedFiles {
  readonly files: SessionFiles;
  readonly key: SessionKey;
  readonly lease: Lease;
}
