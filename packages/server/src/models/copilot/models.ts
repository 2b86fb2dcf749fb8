import type { ModelListing } from "../model-provider.ts";
import { createOpenAIClient, trimSlashes } from "../openai-client.ts";
import { getJson } from "../openai-models.ts";
import { toClientSettings } from "./client-settings.ts";
import type { CopilotSettings } from "./settings.ts";

/** An entry of `GET {base}/models`; the parts that are read. */
interface CopilotModel {
  readonly id: string;
  readonly name?: string;
  readonly supported_endpoints?: readonly string[];
  readonly capabilities?: {
    readonly limits?: {
      readonly max_context_window_tokens?: number;
      readonly max_output_tokens?: number;
      readonly max_prompt_tokens?: number;
    };
    readonly supports?: { readonly vision?: boolean; readonly reasoning_effort?: unknown };
  };
}

export type CopilotRoute = "chat" | "responses" | "messages";

/** What GitHub told about its models, and when. */
export interface CopilotModels {
  readonly listings: readonly ModelListing[];
  readonly routes: ReadonlyMap<string, CopilotRoute>;
  /** Milliseconds of the monotonic clock. */
  readonly readAtMs: number;
}

/** The models of the account. @throws ModelError; the signal's reason once it aborts. */
export async function readCopilotModels(
  settings: CopilotSettings,
  signal: AbortSignal,
): Promise<CopilotModels> {
  const url = `${trimSlashes(settings.baseUrl)}/models`;
  const body = await getJson("copilot", url, settings, signal, async (call, callSignal) => {
    const client = await createOpenAIClient(toClientSettings(settings), call);
    return client.get("/models", { signal: callSignal }).asResponse();
  });
  const models = ((body as { data?: readonly CopilotModel[] }).data ?? []).filter(
    (model) => typeof model.id === "string",
  );
  return {
    listings: models.map(toListing),
    routes: new Map(models.map((model) => [model.id, toRoute(model.supported_endpoints)])),
    readAtMs: performance.now(),
  };
}

function toListing(model: CopilotModel): ModelListing {
  const { limits, supports } = model.capabilities ?? {};
  return {
    id: model.id,
    name: model.name ?? model.id,
    contextWindowTokens: limits?.max_context_window_tokens,
    maxOutputTokens: limits?.max_output_tokens,
    maxPromptTokens: limits?.max_prompt_tokens,
    supportsVision: supports?.vision,
    supportsReasoningEffort: supports === undefined ? undefined : Boolean(supports.reasoning_effort),
    raw: model,
  };
}

/** Chat Completions where a model has it, or nothing is said; else what it has. */
function toRoute(endpoints: readonly string[] | undefined): CopilotRoute {
  if (endpoints === undefined || endpoints.includes("/chat/completions")) return "chat";
  if (endpoints.includes("/responses")) return "responses";
  return endpoints.includes("/v1/messages") ? "messages" : "chat";
}
