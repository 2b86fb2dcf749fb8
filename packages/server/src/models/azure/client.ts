import type { OpenAI } from "openai";
import type { ModelCall } from "../model-call.ts";
import { type ClientSettings, takeCredential, toHeaders, toOpenAIOptions } from "../openai-client.ts";
import type { AzureAddress } from "./address.ts";

/** `apiVersion` undefined selects the v1 route. */
export interface AzureTarget extends AzureAddress {
  readonly apiVersion?: string;
}

/**
 * A client for `…/openai/deployments/<deployment>/…?api-version=` when there is a version, and for
 * `…/openai/v1/…` otherwise. Keys go as `api-key`, Entra tokens as `Authorization: Bearer`.
 */
export async function createAzureClient(
  settings: ClientSettings,
  target: AzureTarget,
  call: ModelCall,
): Promise<OpenAI> {
  const [{ AzureOpenAI, OpenAI }, credential] = await Promise.all([
    import("openai"),
    takeCredential(settings, call),
  ]);
  const options = {
    ...toOpenAIOptions(settings, call),
    // The library insists on a key; the headers below decide what is sent.
    apiKey: "none",
    defaultHeaders: {
      "api-key": credential?.kind === "api-key" ? credential.value : null,
      Authorization: credential?.kind === "bearer" ? `Bearer ${credential.value}` : null,
      ...toHeaders(settings),
    },
  };
  if (target.apiVersion === undefined) return new OpenAI({ ...options, baseURL: `${target.root}/openai/v1` });
  const deployment = target.deployment === undefined ? undefined : encodeURIComponent(target.deployment);
  return new AzureOpenAI({
    ...options,
    baseURL: `${target.root}/openai`,
    apiVersion: target.apiVersion,
    deployment,
  });
}

/** The address of a request, for messages. */
export function describeAzureUrl(target: AzureTarget, path: "chat/completions" | "responses"): string {
  if (target.apiVersion === undefined) return `${target.root}/openai/v1/${path}`;
  const isPerDeployment = path === "chat/completions" && target.deployment !== undefined;
  return `${target.root}/openai/${isPerDeployment ? `deployments/${target.deployment}/` : ""}${path}`;
}
