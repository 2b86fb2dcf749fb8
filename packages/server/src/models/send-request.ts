import { validateHeaderName, validateHeaderValue } from "node:http";
import { toConnectionError, toCredentialError, toStatusError } from "./errors.ts";
import { httpFetch, type ModelResponse } from "./http-fetch.ts";
import type { ModelCall } from "./model-call.ts";
import type { ProviderSettings } from "./model-provider.ts";
import { createRedact } from "./redact.ts";

/** Bodies of error answers are read no further than this. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

type HeaderList = Readonly<Record<string, string | undefined>>;

/** What a request needs of the settings; `headers` of the request go on top of the settings'. */
export interface EndpointSettings
  extends Pick<ProviderSettings, "baseUrl" | "credential" | "headers" | "fetch"> {
  readonly requestHeaders?: Readonly<Record<string, string>>;
}

export type Credential = { readonly kind: "api-key" | "bearer"; readonly value: string } | undefined;

export interface EndpointRequest {
  readonly url: string;
  /** How this endpoint wants its credential, and headers of its own; those of the settings go on top. */
  readonly headers: (credential: Credential) => HeaderList;
  /** Sent as JSON, by POST; or JSON already. Without one the request is a GET. */
  readonly body?: Readonly<Record<string, unknown>> | Uint8Array;
}

/**
 * Asks for the credential, sends one request and gives the raw response, for the call to read. Redirects
 * are refused, since keys in headers would follow them to any host.
 * @throws ModelError for every status outside 200–299 and for a connection that failed, or
 *   "authentication" when there is no credential to be had; TypeError for a URL or header that is none.
 */
export async function sendRequest(
  settings: EndpointSettings,
  call: ModelCall,
  request: EndpointRequest,
  signal: AbortSignal,
): Promise<ModelResponse> {
  const credential = await takeCredential(settings, call);
  const { url } = request;
  if (!URL.canParse(url)) throw new TypeError("the base URL is not a URL");
  const { body } = request;
  const headers = mergeHeaders([
    { accept: "application/json", "user-agent": "rightseat" },
    body === undefined ? {} : { "content-type": "application/json" },
    request.headers(credential),
    settings.headers,
    settings.requestHeaders,
  ]);
  const init = {
    method: body === undefined ? ("GET" as const) : ("POST" as const),
    headers,
    body: body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body),
    signal,
    redirect: "manual" as const,
  };
  let response: ModelResponse;
  try {
    response = await (settings.fetch ?? httpFetch)(url, init);
  } catch (thrown) {
    throw toConnectionError(thrown, { provider: call.provider, url }, call.redact);
  }
  if (response.ok) return response;
  const { status } = response;
  const failed = {
    provider: call.provider,
    url,
    status,
    headers: response.headers,
    body: await readBounded(response),
  };
  throw toStatusError(failed, call.redact);
}

export function trimSlashes(url: string): string {
  return url.replace(/\/+$/, "");
}

/** Asks for the credential and teaches the call to mask it, with the secrets among headers and base URL. */
async function takeCredential(settings: EndpointSettings, call: ModelCall): Promise<Credential> {
  let credential: Credential;
  try {
    credential = await settings.credential?.();
  } catch (thrown) {
    throw toCredentialError(thrown, call.provider, call.redact);
  }
  call.redact = createRedact({
    secrets: [credential?.value],
    headers: [settings.headers, settings.requestHeaders],
    url: settings.baseUrl,
  });
  return credential;
}

/** Later lists win, however they spell the names. */
function mergeHeaders(lists: readonly (HeaderList | undefined)[]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const list of lists) {
    for (const name in list) {
      const value = list[name];
      if (value === undefined) continue;
      validateHeaderName(name);
      validateHeaderValue(name, value);
      merged[name.toLowerCase()] = value;
    }
  }
  return merged;
}

async function readBounded(response: ModelResponse): Promise<string> {
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
