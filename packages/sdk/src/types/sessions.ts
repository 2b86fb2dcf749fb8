/** Sessions as they are listed, and news of them. */

/** Where a session works. */
export interface SessionContext {
  workingDirectory: string;
  gitRoot?: string;
  /** `owner/name` on GitHub. */
  repository?: string;
  branch?: string;
}

/** Only sessions that match in every field given. */
export interface SessionListFilter {
  workingDirectory?: string;
  gitRoot?: string;
  repository?: string;
  branch?: string;
}

/** A session as it is listed. */
export interface SessionMetadata {
  sessionId: string;
  startTime: Date;
  /** The same as `startTime`. */
  createdAt: Date;
  modifiedTime: Date;
  /** What it is about. */
  summary?: string;
  isRemote: boolean;
  /** Where it was made. */
  context?: SessionContext;
}

/** What the server, and the clients attached, can do for a session. */
export interface SessionCapabilities {
  ui?: {
    /** Somebody can fill in forms. */
    elicitation?: boolean;
    mcpApps?: boolean;
    canvases?: boolean;
  };
}

/** The versions of the server and of the protocol it speaks. */
export interface GetStatusResponse {
  version: string;
  protocolVersion: number;
}

/** Whether GitHub knows the server, and as whom. */
export interface GetAuthStatusResponse {
  isAuthenticated: boolean;
  authType?: "user" | "env" | "gh-cli" | "hmac" | "api-key" | "token";
  host?: string;
  login?: string;
  statusMessage?: string;
}

/** The session that a terminal shows; none of a server. */
export interface ForegroundSessionInfo {
  sessionId?: string;
  workspacePath?: string;
}

/** What can become of a session. */
export type SessionLifecycleEventType =
  | "session.created"
  | "session.deleted"
  | "session.updated"
  | "session.foreground"
  | "session.background";

/** What is told of the session along with it. */
export interface SessionLifecycleEventMetadata {
  startTime: Date;
  modifiedTime: Date;
  summary?: string;
}

interface LifecycleEvent<T extends SessionLifecycleEventType> {
  type: T;
  sessionId: string;
  metadata: SessionLifecycleEventMetadata;
}

/** A session was made. */
export type SessionCreatedEvent = LifecycleEvent<"session.created">;
/** A session was deleted. */
export interface SessionDeletedEvent {
  type: "session.deleted";
  sessionId: string;
  metadata?: undefined;
}
/** A session was gone on with. */
export type SessionUpdatedEvent = LifecycleEvent<"session.updated">;
/** A terminal shows the session; never told by a server. */
export type SessionForegroundEvent = LifecycleEvent<"session.foreground">;
/** A terminal does not show the session any more; never told by a server. */
export type SessionBackgroundEvent = LifecycleEvent<"session.background">;

/** What became of a session. */
export type SessionLifecycleEvent =
  | SessionCreatedEvent
  | SessionDeletedEvent
  | SessionUpdatedEvent
  | SessionForegroundEvent
  | SessionBackgroundEvent;

/** Gets news of sessions. */
export type SessionLifecycleHandler = (event: SessionLifecycleEvent) => void;

/** Gets news of one kind. */
export type TypedSessionLifecycleHandler<K extends SessionLifecycleEventType> = (
  event: Extract<SessionLifecycleEvent, { type: K }>,
) => void;
