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

/** A session in a list. */
export interface SessionMetadata {
  sessionId: string;
  startTime: Date;
  /** The same as `startTime`. */
  createdAt: Date;
  modifiedTime: Date;
  /** A summary of the session. */
  summary?: string;
  isRemote: boolean;
  /** Where it was made. */
  context?: SessionContext;
}

/** Abilities that the server and the attached clients give a session. */
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

/** A change in the life of a session. */
export type SessionLifecycleEventType =
  | "session.created"
  | "session.deleted"
  | "session.updated"
  | "session.foreground"
  | "session.background";

/** Facts about the session at that moment. */
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
/** A session was resumed. */
export type SessionUpdatedEvent = LifecycleEvent<"session.updated">;
/** A terminal shows the session; never told by a server. */
export type SessionForegroundEvent = LifecycleEvent<"session.foreground">;
/** A terminal does not show the session any more; never told by a server. */
export type SessionBackgroundEvent = LifecycleEvent<"session.background">;

/** A change in the life of a session. */
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
