import type { Anthropic } from "@anthropic-ai/sdk";
import { toJson } from "@rightseat/protocol";
import type { ModelCall } from "../model-call.ts";
import {
  type ClientSettings,
  takeCredential,
  toHeaders,
  toLibraryOptions,
  trimSlashes,
} from "../openai-client.ts";

/** The address before `/v1/…`: applications give it with or without. */
export function toAnthropicRoot(baseUrl: string): string {
  return trimSlashes(baseUrl).replace(/\/v1$/, "");
}

/** A client that sends `x-api-key` for keys, `Authorization: Bearer` for tokens, or neither. */
export async function createAnthropicClient(settings: ClientSettings, call: ModelCall): Promise<Anthropic> {
  const [{ Anthropic }, credential] = await Promise.all([
    import("@anthropic-ai/sdk"),
    takeCredential(settings, call),
  ]);
  return new Anthropic({
    ...toLibraryOptions(settings, call),
    openTelemetry: false,
    // Given in any case, so that the library looks for no credential of its own on this machine.
    apiKey: "none",
    baseURL: toAnthropicRoot(settings.baseUrl),
    defaultQuery: settings.query,
    defaultHeaders: {
      "X-Api-Key": credential?.kind === "api-key" ? credential.value : null,
      Authorization: credential?.kind === "bearer" ? `Bearer ${credential.value}` : null,
      ...toHeaders(settings),
    },
  });
}

/**
 * Sends the body and gives the raw response. `messages.create` would print warnings of its own for some
 * models and refuse long answers that are not streamed.
 */
export function startMessages(
  client: Anthropic,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const stream = body["stream"] === true;
  return client.post("/v1/messages", { body: toJson(body), headers, signal, stream }).asResponse();
}
