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
  const { root, deployment } = splitPath(path);
  return {
    root: trimSlashes(root),
    deployment: deployment === undefined ? undefined : decoded(deployment),
    apiVersion: new URLSearchParams(query).get("api-version") ?? undefined,
  };
}

const API = "/openai";
const DEPLOYMENTS = "/deployments/";

/** The first `/openai` counts behind which nothing comes, or `/v1`, or `/deployments/<name>`. Takes linear time. */
function splitPath(path: string): { root: string; deployment?: string } {
  for (let at = path.indexOf(API); at >= 0; at = path.indexOf(API, at + 1)) {
    const rest = at + API.length;
    const root = path.slice(0, at);
    if (
      rest === path.length ||
      (path[rest] === "/" && rest + 1 === path.length) ||
      path.startsWith("/v1", rest)
    )
      return { root };
    if (!path.startsWith(DEPLOYMENTS, rest)) continue;
    const [deployment] = path.slice(rest + DEPLOYMENTS.length).split("/", 1);
    if (deployment) return { root, deployment };
  }
  return { root: path };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
