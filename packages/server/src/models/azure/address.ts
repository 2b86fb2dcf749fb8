import { trimSlashes } from "../openai-client.ts";

/** Where an Azure resource is, read from whatever form of its address somebody copied. */
export interface AzureAddress {
  /** Without `/openai…`: `https://my-resource.openai.azure.com`, or a gateway's path. */
  readonly root: string;
  /** From a deployment's full URL; otherwise the request's model names the deployment. */
  readonly deployment?: string;
  /** From the URL's `api-version`. */
  readonly apiVersion?: string;
}

/**
 * Accepts the host root, `…/openai`, `…/openai/v1` and full deployment URLs such as
 * `…/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21`. Anything else is taken as a
 * gateway that has `/openai` below it.
 */
export function parseAzureAddress(baseUrl: string): AzureAddress {
  const [path = "", query = ""] = baseUrl.split("?");
  const match = /^(.*?)\/openai(?:\/(?:v1|deployments\/([^/]+)).*)?\/?$/.exec(path);
  const deployment = match?.[2];
  return {
    root: trimSlashes(match?.[1] ?? path),
    deployment: deployment === undefined ? undefined : decodeURIComponent(deployment),
    apiVersion: new URLSearchParams(query).get("api-version") ?? undefined,
  };
}
