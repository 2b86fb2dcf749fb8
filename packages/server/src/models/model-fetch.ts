import { ForbiddenAddressError } from "../network/address-guard.ts";
import { toConnectionError, toStatusError } from "./errors.ts";
import { httpFetch } from "./late-fetch.ts";
import { type Fetch, ModelError } from "./model-provider.ts";
import type { Redact } from "./redact.ts";

/** Bodies of error answers are read no further than this. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/**
 * The `fetch` that the official libraries are given. Turns every status outside 200–299 into a
 * ModelError itself: the libraries' own errors lose bodies that are not of their make, and hold the
 * request's headers. Redirects are refused, since `api-key` headers would follow them to any host.
 * The libraries wrap what it throws; `ModelCall.toError` takes it out again.
 */
export function createModelFetch(options: {
  readonly provider: string;
  readonly fetch?: Fetch;
  readonly redact: Redact;
}): Fetch {
  return async (input, init) => {
    const fetch = options.fetch ?? httpFetch;
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    let response: Response;
    try {
      response = await fetch(input, { ...init, redirect: "manual" });
    } catch (thrown) {
      // Nothing was sent; the same would come again.
      if (thrown instanceof ForbiddenAddressError)
        throw new ModelError("invalid-request", `${options.provider}: ${thrown.message}`);
      throw toConnectionError(thrown, { provider: options.provider, url }, options.redact);
    }
    if (response.ok) return response;
    throw toStatusError(
      {
        provider: options.provider,
        url,
        status: response.status,
        headers: response.headers,
        body: await readBounded(response),
      },
      options.redact,
    );
  };
}

async function readBounded(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    while (reader !== undefined && size < MAX_ERROR_BODY_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      size += value.byteLength;
    }
    await reader?.cancel();
  } catch {
    // The status alone says enough when the body breaks off.
  }
  return Buffer.concat(pieces).toString("utf8");
}
