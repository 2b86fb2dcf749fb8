/**
 * An event on its way out: serialised at most once, however many connections see it.
 */
import { randomUUID } from "node:crypto";
import { encodeFrame, type SessionEventDataMap, type SessionEventType, toJson } from "@rightseat/protocol";

export interface SessionEvent<T extends SessionEventType = SessionEventType> {
  readonly id: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** The durable event before this one; null for the first. */
  readonly parentId: string | null;
  readonly type: T;
  readonly data: SessionEventDataMap[T];
  readonly ephemeral?: true;
  readonly agentId?: string;
}

export class PublishedEvent {
  readonly sessionId: string;
  readonly event: SessionEvent;
  #json: string | undefined;
  #frame: Uint8Array | undefined;

  constructor(sessionId: string, event: SessionEvent) {
    this.sessionId = sessionId;
    this.event = event;
  }

  get ephemeral(): boolean {
    return this.event.ephemeral === true;
  }

  /** The event as JSON text: what the log holds and clients see. */
  get json(): string {
    this.#json ??= toJson(this.event);
    return this.#json;
  }

  /** The notification of it, framed. */
  get frame(): Uint8Array {
    this.#frame ??= frameOf(this.sessionId, this.json);
    return this.#frame;
  }

  /** For a delta: what it adds, to which message, and the frame that would say more of it at once. */
  get delta(): { key: string; text: string; build: (text: string) => Uint8Array } | undefined {
    const { type, data } = this.event;
    if (type !== "assistant.message_delta" && type !== "assistant.reasoning_delta") return undefined;
    const { deltaContent } = data as { deltaContent: string };
    const of =
      (data as { messageId?: string; reasoningId?: string }).messageId ??
      (data as { reasoningId?: string }).reasoningId;
    return {
      key: `${this.sessionId}/${of}`,
      text: deltaContent,
      build: (text) => {
        const merged = { ...this.event, id: randomUUID(), data: { ...data, deltaContent: text } };
        return frameOf(this.sessionId, toJson(merged));
      },
    };
  }
}

function frameOf(sessionId: string, eventJson: string): Uint8Array {
  return encodeFrame(
    `{"jsonrpc":"2.0","method":"session.event","params":{"sessionId":${JSON.stringify(sessionId)},"event":${eventJson}}}`,
  );
}
