/** Prompts, and events as they come back. */
import type { SessionEvent as LoggedEvent } from "@rightseat/protocol";
import type { PermissionRequestedEvent } from "./permissions.ts";

/** Whose message it is. */
export type MessageSource = "user" | "system" | `agent-${string}`;

/** A prompt, and what goes with it. */
export interface MessageOptions {
  prompt: string;
  /** Default: the user's. */
  source?: MessageSource;
  /** Files and directories are read where the server runs; a blob carries its own content, in base64. */
  attachments?: Array<
    | { type: "file"; path: string; displayName?: string }
    | { type: "directory"; path: string; displayName?: string }
    | {
        type: "selection";
        filePath: string;
        displayName: string;
        selection?: {
          start: { line: number; character: number };
          end: { line: number; character: number };
        };
        text?: string;
      }
    | { type: "blob"; data: string; mimeType: string; displayName?: string }
  >;
  /** `enqueue` (default): after what is under way. `immediate`: into what is under way. */
  mode?: "enqueue" | "immediate";
  /** Default: the session's mode. */
  agentMode?: "interactive" | "plan" | "autopilot" | "shell";
  /** Sent with this turn's requests to the model provider. */
  requestHeaders?: Record<string, string>;
  /** Shown in the history in place of the prompt. */
  displayPrompt?: string;
  /**
   * The message's id, made up by the application: a prompt that is sent again with the same id is
   * answered with that id and not carried out again. Left out, one is made for every call, so that a
   * prompt is carried out once however often the connection is lost.
   */
  messageId?: string;
}

/** Something that happened in a session; `type` says what `data` holds. */
export type SessionEvent = Exclude<LoggedEvent, { type: "permission.requested" }> | PermissionRequestedEvent;

/** What can happen in a session. */
export type SessionEventType = SessionEvent["type"];

/** The events of one type. */
export type SessionEventPayload<T extends SessionEventType> = Extract<SessionEvent, { type: T }>;

/** Gets the events of one type. */
export type TypedSessionEventHandler<T extends SessionEventType> = (event: SessionEventPayload<T>) => void;

/** Gets events of every type. */
export type SessionEventHandler = (event: SessionEvent) => void;

/** What the model answered. */
export type AssistantMessageEvent = SessionEventPayload<"assistant.message">;
