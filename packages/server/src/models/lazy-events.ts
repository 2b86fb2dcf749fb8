import type { ModelEvent } from "./model-provider.ts";

/**
 * Events of a source that has to be opened first. Gives the source's own iterator on, so that, unlike
 * `yield*`, no layer is added to each delta.
 */
export function lazyEvents(open: () => Promise<AsyncIterable<ModelEvent>>): AsyncIterable<ModelEvent> {
  return { [Symbol.asyncIterator]: () => openLater(open) };
}

function openLater(open: () => Promise<AsyncIterable<ModelEvent>>): AsyncIterator<ModelEvent> {
  let inner: AsyncIterator<ModelEvent> | undefined;
  const first = async (): Promise<IteratorResult<ModelEvent>> => {
    inner = (await open())[Symbol.asyncIterator]();
    return inner.next();
  };
  return {
    next: () => (inner === undefined ? first() : inner.next()),
    return: async () => (await inner?.return?.()) ?? { done: true, value: undefined },
  };
}
