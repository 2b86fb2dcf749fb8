/** Prompts, and events as they come back. */
import type {
  AttachmentExtensionContext,
  SessionEvent as LoggedEvent,
  NewerSessionEvent,
} from "@rightseat/protocol";
import type { PermissionRequestedEvent } from "./permissions.ts";
import type { AnySchema } from "./schemas.ts";

/** The author of a message. */
export type MessageSource = "user" | "system" | `agent-${string}`;

/** How an extension describes itself with a prompt. */
export type ExtensionContextAttachment = AttachmentExtensionContext;

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
    | ExtensionContextAttachment
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
   * The form of the answer: JSON Schema, or a schema of a library. The answer is a message all the same, whose text
   * is JSON; `sendAndWait` with a schema as its second argument gives a typed result. Not with mode `immediate`.
   */
  responseSchema?: AnySchema;
  /**
   * The message's id, made up by the application: a prompt that is sent again with the same id is
   * answered with that id and not carried out again. Left out, one is made for every call, so that a
   * prompt is carried out once however often the connection is lost.
   */
  messageId?: string;
}

/** Something that happened in a session; `type` says what `data` holds. */
export type SessionEvent =
  | Exclude<LoggedEvent, { type: "permission.requested" }>
  | PermissionRequestedEvent
  | NewerSessionEvent;

/** An event of a session. */
export type SessionEventType = SessionEvent["type"];

/** The events of one type. */
export type SessionEventPayload<T extends SessionEventType> = Extract<SessionEvent, { type: T }>;

/** Gets the events of one type. */
export type TypedSessionEventHandler<T extends SessionEventType> = (event: SessionEventPayload<T>) => void;

/** Gets events of every type. */
export type SessionEventHandler = (event: SessionEvent) => void;

/** An answer of the model. */
export type AssistantMessageEvent = SessionEventPayload<"assistant.message">;
