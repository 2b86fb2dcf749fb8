import type { OpenAI } from "openai";
import { toCredentialError } from "./errors.ts";
import { isShared } from "./guarded-fetch.ts";
import type { ModelCall } from "./model-call.ts";
import { createModelFetch } from "./model-fetch.ts";
import type { ModelRequest, ProviderSettings } from "./model-provider.ts";
import { keepEnvelopes } from "./post-body.ts";
import { createRedact } from "./redact.ts";

export type Credential = { readonly kind: "api-key" | "bearer"; readonly value: string } | undefined;

/** What making a client needs of the settings; `headers` of the request go on top of the settings'. */
export interface ClientSettings
  extends Pick<ProviderSettings, "baseUrl" | "query" | "credential" | "headers" | "fetch"> {
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
}

/** The settings for one request. */
export function toRequestSettings<T extends ClientSettings>(
  settings: T,
  request: Pick<ModelRequest, "headers" | "userAgent">,
): T & ClientSettings {
  return { ...settings, requestHeaders: request.headers, userAgent: request.userAgent };
}

/** The headers that were asked for; what is said in them of who asks goes before the user agent. */
export function toHeaders(settings: ClientSettings): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = { ...settings.headers, ...settings.requestHeaders };
  if (settings.userAgent === undefined) return headers;
  for (const name in headers) if (name.toLowerCase() === "user-agent") return headers;
  headers["User-Agent"] = settings.userAgent;
  return headers;
}

/**
 * Asks for the credential and teaches the call to mask it, with the secrets among headers and base URL.
 * @throws ModelError "authentication" when asking failed.
 */
export async function takeCredential(settings: ClientSettings, call: ModelCall): Promise<Credential> {
  let credential: Credential;
  try {
    credential = await settings.credential?.();
  } catch (thrown) {
    throw toCredentialError(thrown, call.provider, call.redact);
  }
  call.redact = createRedact({
    secrets: [credential?.value],
    headers: [settings.headers, settings.requestHeaders],
    url: settings.query ? `${settings.baseUrl}?${new URLSearchParams(settings.query)}` : settings.baseUrl,
  });
  return credential;
}

/**
 * Options that keep the libraries to what they are given: no retries, no time limit of their own (the
 * idle timer rules), no logging.
 */
export function toLibraryOptions(settings: ClientSettings, call: ModelCall) {
  return {
    fetch: createModelFetch({ provider: call.provider, fetch: settings.fetch, redact: call.redact }),
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: "off",
  } as const;
}

/** The `openai` library's own: nothing is taken from OPENAI_* variables either. */
export function toOpenAIOptions(settings: ClientSettings, call: ModelCall) {
  return {
    ...toLibraryOptions(settings, call),
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
  };
}

/** Clients by all that they were made of, the one used longest ago first. */
const clients = new Map<string, OpenAI>();
const MOST_CLIENTS = 64;

let library: typeof import("openai") | undefined;

/** Asked for once: a dynamic import costs each call something, although all is there. */
async function loadLibrary(): Promise<typeof import("openai")> {
  library = await import("openai");
  return library;
}

/**
 * A client for any server that takes `Authorization: Bearer`, or no credential at all. It serves the calls
 * of all sessions that would have an equal one: making one costs as much as all else that the library does
 * for a call, and one a session would be most of what a session takes.
 */
export async function createOpenAIClient(settings: ClientSettings, call: ModelCall): Promise<OpenAI> {
  const { OpenAI } = library ?? (await loadLibrary());
  const credential = await takeCredential(settings, call);
  const { baseUrl, query, headers, requestHeaders, userAgent } = settings;
  const make = (options: ReturnType<typeof toOpenAIOptions>) =>
    new OpenAI({
      ...options,
      // The library insists on a key; the header below decides what is sent.
      apiKey: "none",
      baseURL: trimSlashes(baseUrl),
      defaultQuery: query,
      defaultHeaders: {
        Authorization: credential === undefined ? null : `Bearer ${credential.value}`,
        ...toHeaders(settings),
      },
    });
  const { fetch } = settings;
  // A `fetch` of its own and headers of one request make a client that nobody else can use.
  if ((fetch && !isShared(fetch)) || requestHeaders) return make(toOpenAIOptions(settings, call));
  const makeKept = () => {
    const options = toOpenAIOptions(settings, call);
    return keepEnvelopes(make(options), options.fetch);
  };
  const key = JSON.stringify([
    call.provider,
    baseUrl,
    query,
    credential?.value,
    headers,
    userAgent,
    fetch?.sharedAs,
  ]);
  const client = clients.get(key) ?? makeKept();
  clients.delete(key);
  clients.set(key, client);
  if (clients.size > MOST_CLIENTS) clients.delete(clients.keys().next().value as string);
  return client;
}

export function trimSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end--;
  return url.slice(0, end);
}
