/**
 * What one session object of the application has of its own: its configuration, and who listens. Several
 * objects of one session share what lies behind them (`core.ts`).
 */
import type { Callbacks } from "../callbacks.ts";
import type { PreparedConfig } from "../config/session-params.ts";
import type { EventStream } from "../events/event-stream.ts";
import { Listeners } from "../events/listeners.ts";
import type { SessionFsHandler } from "../session-fs.ts";
import type { SessionEvent } from "../types/messages.ts";
import type { SessionFields } from "../types/session-config.ts";

export class SessionHold {
  readonly config: SessionFields;
  readonly prepared: PreparedConfig;
  /** What the session is resumed with; follows its model. */
  params: PreparedConfig["params"];
  readonly listeners: Listeners<SessionEvent>;
  readonly streams = new Set<EventStream>();
  files: SessionFsHandler | undefined;
  #closeReason: Error | undefined;
  /** Told when the object is done with. */
  readonly #farewells = new Set<(reason: Error) => void>();

  constructor(config: SessionFields, prepared: PreparedConfig, callbacks: Callbacks) {
    this.config = config;
    this.prepared = prepared;
    this.params = prepared.params;
    this.listeners = new Listeners((error) => callbacks.warn("a listener of a session failed", { error }));
  }

  /** Why the object is done with, once it is. */
  get closeReason(): Error | undefined {
    return this.#closeReason;
  }

  tell(event: SessionEvent): void {
    this.listeners.tell(event);
    for (const stream of this.streams) stream.push(event);
  }

  /** Tells when the object is done with, at once when it is. Returns the way to stop. */
  onClosed(handler: (reason: Error) => void): () => void {
    if (this.#closeReason) handler(this.#closeReason);
    this.#farewells.add(handler);
    return () => this.#farewells.delete(handler);
  }

  close(reason: Error): void {
    if (this.#closeReason) return;
    this.#closeReason = reason;
    for (const stream of [...this.streams]) stream.end();
    this.listeners.clear();
    for (const tell of [...this.#farewells]) tell(reason);
    this.#farewells.clear();
  }
}
