/** Sessions as they are listed, and news of them. */

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

export interface GetStatusResponse {
  version: string;
  protocolVersion: number;
}

export interface GetAuthStatusResponse {
  isAuthenticated: boolean;
  authType?: "user" | "env" | "gh-cli" | "hmac" | "api-key" | "token";
  host?: string;
  login?: string;
  statusMessage?: string;
}

export interface ForegroundSessionInfo {
  sessionId?: string;
  workspacePath?: string;
}

export type SessionLifecycleEventType =
  | "session.created"
  | "session.deleted"
  | "session.updated"
  | "session.foreground"
  | "session.background";

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

export type SessionCreatedEvent = LifecycleEvent<"session.created">;
export interface SessionDeletedEvent {
  type: "session.deleted";
  sessionId: string;
  metadata?: undefined;
}
export type SessionUpdatedEvent = LifecycleEvent<"session.updated">;
export type SessionForegroundEvent = LifecycleEvent<"session.foreground">;
export type SessionBackgroundEvent = LifecycleEvent<"session.background">;

export type SessionLifecycleEvent =
  | SessionCreatedEvent
  | SessionDeletedEvent
  | SessionUpdatedEvent
  | SessionForegroundEvent
  | SessionBackgroundEvent;

export type SessionLifecycleHandler = (event: SessionLifecycleEvent) => void;

export type TypedSessionLifecycleHandler<K extends SessionLifecycleEventType> = (
  event: Extract<SessionLifecycleEvent, { type: K }>,
) => void;
