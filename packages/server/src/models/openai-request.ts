import type { ModelCall } from "./model-call.ts";
import { type EndpointRequest, type EndpointSettings, sendRequest, trimSlashes } from "./send-request.ts";

/** One request to a server that takes `Authorization: Bearer`, or no credential at all. */
export function requestOpenAI(
  settings: EndpointSettings,
  call: ModelCall,
  { path, body }: { readonly path: string; readonly body?: EndpointRequest["body"] },
  signal: AbortSignal,
) {
  const request: EndpointRequest = {
    url: `${trimSlashes(settings.baseUrl)}${path}`,
    headers: (credential) => ({ authorization: credential && `Bearer ${credential.value}` }),
    body,
  };
  return sendRequest(settings, call, request, signal);
}
