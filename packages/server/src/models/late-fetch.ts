/**
 * The `fetch` of model calls, loaded with the first call: Node's HTTP, TLS and compression cost a start that
 * asks no model a tenth of its time.
 */
import type { HttpFetchOptions } from "./http-fetch.ts";
import type { Fetch } from "./model-provider.ts";

/** A `fetch` with connections of its own; see `http-fetch.ts`. */
export function createHttpFetch(options?: HttpFetchOptions): Fetch {
  let loading: Promise<Fetch> | undefined;
  let loaded: Fetch | undefined;
  const load = async () => {
    const { createHttpFetch: create } = await import("./http-fetch.ts");
    loaded = create(options);
    return loaded;
  };
  return async (input, init) => {
    loading ??= load();
    return (loaded ?? (await loading))(input, init);
  };
}

export const httpFetch: Fetch = createHttpFetch();
