/** Who wants to be told what: handlers of one type, and handlers of all. */

type Handler<E> = (event: E) => void;

/** One that throws does not keep the others from being told. */
export class Listeners<E extends { readonly type: string }> {
  #byType: Map<string, Set<Handler<E>>> | undefined;
  #ofAll: Set<Handler<E>> | undefined;

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
    tellAll(this.#byType?.get(event.type), event);
    tellAll(this.#ofAll, event);
  }

  clear(): void {
    this.#byType = undefined;
    this.#ofAll = undefined;
  }
}

function addTo<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => {
    set.delete(item);
  };
}

function tellAll<E>(handlers: ReadonlySet<Handler<E>> | undefined, event: E): void {
  for (const handler of handlers ?? []) {
    try {
      handler(event);
    } catch {
      // The application's own affair, as with the official SDK.
    }
  }
}
