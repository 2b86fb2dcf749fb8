import type { ModelCall } from "../model-call.ts";
import { type EndpointRequest, type EndpointSettings, sendRequest, trimSlashes } from "../send-request.ts";

/** The version of the wire that `request.ts` and `stream.ts` speak. */
const ANTHROPIC_VERSION = "2023-06-01";

/** The address before `/v1/…`: applications give it with or without. */
export function toAnthropicRoot(baseUrl: string): string {
  return trimSlashes(baseUrl).replace(/\/v1$/, "");
}

/** One request, with `x-api-key` for keys, `Authorization: Bearer` for tokens, or neither. */
export function requestAnthropic(
  settings: EndpointSettings,
  call: ModelCall,
  { path, body }: { readonly path: string; readonly body?: EndpointRequest["body"] },
  signal: AbortSignal,
) {
  const request: EndpointRequest = {
    url: `${toAnthropicRoot(settings.baseUrl)}${path}`,
    headers: (credential) => ({
      "anthropic-version": ANTHROPIC_VERSION,
      ...(credential?.kind === "api-key" ? { "x-api-key": credential.value } : {}),
      ...(credential?.kind === "bearer" ? { authorization: `Bearer ${credential.value}` } : {}),
    }),
    body,
  };
  return sendRequest(settings, call, request, signal);
}
