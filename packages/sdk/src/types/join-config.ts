/** What applications give to `createSession` and `resumeSession`. */
import type { OpenCanvasInstance } from "@rightseat/protocol";
import type { CopilotSession } from "../session/session.ts";
import type { SessionFsProvider } from "../session-fs.ts";
import type { CloudSessionOptions, SessionFields } from "./session-config.ts";

/** What creating and resuming a session have in common. */
export interface SessionConfigBase extends SessionFields {
  /** Keeps the session's files; only with the client's option `sessionFs`. */
  createSessionFsProvider?: (session: CopilotSession) => SessionFsProvider;
}

/** What a session is made of. */
export interface SessionConfig extends SessionConfigBase {
  /** Default: a new UUID. */
  sessionId?: string;
  /** Instruction files have changed: the server reads them anew before it makes the session. Default false. */
  refreshCustomInstructions?: boolean;
  /** Asks for a session that runs elsewhere; Rightseat refuses. */
  cloud?: CloudSessionOptions;
}

/** What a session is gone on with. What is left out is not remembered from before: name its tools and handlers again. */
export interface ResumeSessionConfig extends SessionConfigBase {
  /** Leaves out the event `session.resume`. */
  suppressResumeEvent?: boolean;
  /** Goes on with what waited for an answer, which is ended otherwise. */
  continuePendingWork?: boolean;
  openCanvases?: OpenCanvasInstance[];
}
