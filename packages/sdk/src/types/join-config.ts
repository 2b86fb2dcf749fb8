/** The configurations that `createSession` and `resumeSession` take. */
import type { OpenCanvasInstance } from "@rightseat/protocol";
import type { CopilotSession } from "../session/session.ts";
import type { SessionFsProvider } from "../session-fs.ts";
import type { CloudSessionOptions, SessionFields } from "./session-config.ts";

/** Fields that creating and resuming a session have in common. */
export interface SessionConfigBase extends SessionFields {
  /** Keeps the session's files; only with the client's option `sessionFs`. */
  createSessionFsProvider?: (session: CopilotSession) => SessionFsProvider;
}

/** Configuration of a new session. */
export interface SessionConfig extends SessionConfigBase {
  /** Default: a new UUID. */
  sessionId?: string;
  /** Instruction files have changed: the server reads them anew before it makes the session. Default false. */
  refreshCustomInstructions?: boolean;
  /** Asks for a session that runs elsewhere; Rightseat refuses. */
  cloud?: CloudSessionOptions;
}

/** Configuration of a resumed session. Fields left out are not remembered: name tools and handlers again. */
export interface ResumeSessionConfig extends SessionConfigBase {
  /** Leaves out the event `session.resume`. */
  suppressResumeEvent?: boolean;
  /** Goes on with work that waited for an answer; otherwise that work ends. */
  continuePendingWork?: boolean;
  openCanvases?: OpenCanvasInstance[];
}
