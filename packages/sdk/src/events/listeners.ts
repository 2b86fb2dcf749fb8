/** The listeners of a session: handlers of one event type, and handlers of all. */
import { callSafely } from "../callbacks.ts";

type Handler<E> = (event: E) => void;

/** One that throws does not keep the others from being told. */
export class Listeners<E extends { readonly type: string }> {
  #byType: Map<string, Set<Handler<E>>> | undefined;
  #ofAll: Set<Handler<E>> | undefined;
  readonly #onError: (error: Error) => void;

  /** @param onError is told what a handler throws or rejects with. */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  get size(): number {
    let size = this.#ofAll?.size ?? 0;
    for (const handlers of this.#byType?.values() ?? []) size += handlers.size;
    return size;
  }

  /** Returns the way to stop being told. */
  add(type: string | undefined, handler: Handler<E>): () => void {
    if (type === undefined) {
      this.#ofAll ??= new Set();
      return addTo(this.#ofAll, handler);
    }
    this.#byType ??= new Map();
    const handlers = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, handlers);
    return addTo(handlers, handler);
  }

  tell(event: E): void {
    this.#tellAll(this.#byType?.get(event.type), event);
    this.#tellAll(this.#ofAll, event);
  }

  clear(): void {
    this.#byType = undefined;
    this.#ofAll = undefined;
  }

  #tellAll(handlers: ReadonlySet<Handler<E>> | undefined, event: E): void {
    for (const handler of handlers ?? []) callSafely(() => handler(event), this.#onError);
  }
}

function addTo<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => {
    set.delete(item);
  };
}
