/**
 * The events of this node in one stream. The code that makes an event happen announces it to all subscribers. Nothing is kept,
 * and a kind that nobody listens to costs nothing. There is one announcement for a session, a run or a question, never
 * one for an event or a delta.
 */
import type { SessionKey } from "../store/session-key.ts";

/** A session, by tenant and id. */
export interface OfSession {
  readonly key: SessionKey;
}

/** The reason why a session is no longer open on this node. */
export type SessionEnd =
  /** It was let go in order. */
  | "closed"
  | "deleted"
  /** Another process asked for it and has it. */
  | "handed-over"
  /** It was deleted or taken over from outside. */
  | "lost";

export interface AnnouncementMap {
  /** There is a new session. */
  readonly "session-made": OfSession;
  /** It is open on this node: it was made here, or read from its log. */
  readonly "session-opened": OfSession;
  /** Its name, title, mode, model or summary is another. */
  readonly "session-changed": OfSession;
  /** It is no longer open on this node. */
  readonly "session-ended": OfSession & { readonly how: SessionEnd };
  /** Its log is gone; it need not have been open. */
  readonly "session-deleted": OfSession;
  /** The session asks its clients a question. */
  readonly "question-opened": OfSession & { readonly requestId: string; readonly kind: string };
  readonly "question-closed": OfSession & {
    readonly requestId: string;
    readonly kind: string;
    readonly outcome: "answered" | "expired" | "failed" | "cancelled";
  };
  /** A run took up its prompt; it may still wait for a place. */
  readonly "run-begun": OfSession & { readonly messageId: string };
  readonly "run-ended": OfSession & {
    readonly messageId: string;
    /** `blocked` when a hook refused the prompt; `suspended` when the session ends and the run is gone on with later. */
    readonly outcome: "done" | "failed" | "aborted" | "suspended" | "blocked";
    /** Including all its waits. */
    readonly durationMs: number;
  };
  /** A failure that no call is answered with: a log that could not be written, a lost session, a bug. */
  readonly failure: OfSession & { readonly what: "store" | "lost" | "bug"; readonly error: unknown };
  /** The node ends: nothing new begins here. */
  readonly "node-stopping": Readonly<Record<string, never>>;
}

export type AnnouncementKind = keyof AnnouncementMap;

/** Called at once, in the order of subscription. Only `onBug` is told of an error that a listener throws. */
export type AnnouncementListeners = {
  readonly [Kind in AnnouncementKind]?: (announcement: AnnouncementMap[Kind]) => void;
};

type Listener = (announcement: never) => void;

export class Announcements {
  readonly #listeners = new Map<AnnouncementKind, Set<Listener>>();
  readonly #onBug: (error: unknown, kind: AnnouncementKind) => void;

  /** @param onBug told of a listener that threw. */
  constructor(onBug: (error: unknown, kind: AnnouncementKind) => void) {
    this.#onBug = onBug;
  }

  announce<Kind extends AnnouncementKind>(kind: Kind, announcement: AnnouncementMap[Kind]): void {
    const listeners = this.#listeners.get(kind);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        (listener as (announcement: AnnouncementMap[Kind]) => void)(announcement);
      } catch (error) {
        this.#onBug(error, kind);
      }
    }
  }

  /** @returns a function that ends the subscription; calling it again has no effect. */
  subscribe(listeners: AnnouncementListeners): () => void {
    const entries = Object.entries(listeners) as [AnnouncementKind, Listener][];
    for (const [kind, listener] of entries) {
      const others = this.#listeners.get(kind);
      if (others) others.add(listener);
      else this.#listeners.set(kind, new Set([listener]));
    }
    return () => {
      for (const [kind, listener] of entries) {
        const others = this.#listeners.get(kind);
        others?.delete(listener);
        if (others?.size === 0) this.#listeners.delete(kind);
      }
    };
  }
}
