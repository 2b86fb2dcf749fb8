/**
 * Requests as the `openai` library makes them, for clients that serve many calls. What the library puts around a body
 * is the same for all calls of a client, and making it costs more than all else that is done for a call: it is made
 * once, and sent with each body.
 */
import type { OpenAI } from "openai";
import type { Fetch } from "./model-provider.ts";

interface Envelope {
  readonly url: string;
  /** Frozen: who reads headers may keep what was read of these. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Sender {
  readonly fetch: Fetch;
  readonly envelopes: Map<string, Promise<Envelope>>;
}

const senders = new WeakMap<OpenAI, Sender>();

const JSON_BODY = { "content-type": "application/json" };

/** The client is kept for many calls. `fetch` is what it was made with. */
export function keepEnvelopes(client: OpenAI, fetch: Fetch): OpenAI {
  senders.set(client, { fetch, envelopes: new Map() });
  return client;
}

/** Sends a body, which is JSON already, and gives the raw response. */
export async function postBody(
  client: OpenAI,
  path: string,
  body: Uint8Array | string,
  signal: AbortSignal,
): Promise<Response> {
  const sender = senders.get(client);
  if (!sender) return client.post(path, { body, headers: JSON_BODY, signal }).asResponse();
  let envelope = sender.envelopes.get(path);
  if (!envelope) {
    envelope = makeEnvelope(client, path);
    sender.envelopes.set(path, envelope);
    envelope.catch(() => sender.envelopes.delete(path));
  }
  const { url, headers } = await envelope;
  return sender.fetch(url, { method: "POST", headers, body: body as Uint8Array<ArrayBuffer>, signal });
}

async function makeEnvelope(client: OpenAI, path: string): Promise<Envelope> {
  const { req, url } = await client.buildRequest({ method: "post", path, body: "", headers: JSON_BODY });
  return { url, headers: Object.freeze(Object.fromEntries(req.headers as Headers)) };
}
