import type { ModelCall } from "../model-call.ts";
import { type EndpointRequest, type EndpointSettings, sendRequest } from "../send-request.ts";
import type { AzureAddress } from "./address.ts";

/** `apiVersion` undefined selects the v1 route. */
export interface AzureTarget extends AzureAddress {
  readonly deployment: string;
  readonly apiVersion?: string;
}

export type AzurePath = "chat/completions" | "responses";

/**
 * `…/openai/deployments/<deployment>/…?api-version=` for Chat Completions of a version,
 * `…/openai/responses?api-version=` for Responses of a version, and `…/openai/v1/…` without one.
 */
export function toAzureUrl({ root, deployment, apiVersion }: AzureTarget, path: AzurePath): string {
  if (apiVersion === undefined) return `${root}/openai/v1/${path}`;
  const place = path === "responses" ? path : `deployments/${encodeURIComponent(deployment)}/${path}`;
  return `${root}/openai/${place}?api-version=${encodeURIComponent(apiVersion)}`;
}

/** One request. Keys go as `api-key`, Entra tokens as `Authorization: Bearer`. */
export function requestAzure(
  settings: EndpointSettings,
  call: ModelCall,
  { url, body }: Required<Pick<EndpointRequest, "url" | "body">>,
  signal: AbortSignal,
) {
  const request: EndpointRequest = {
    url,
    headers: (credential) => ({
      ...(credential?.kind === "api-key" ? { "api-key": credential.value } : {}),
      ...(credential?.kind === "bearer" ? { authorization: `Bearer ${credential.value}` } : {}),
    }),
    body,
  };
  return sendRequest(settings, call, request, signal);
}
