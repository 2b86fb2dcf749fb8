/** A model as clients list it. */
import type { Model } from "@rightseat/protocol";
import type { ModelListing } from "../models/model-provider.ts";

export function toWireModel(listing: ModelListing): Model {
  if (listing.raw !== undefined && isWireShaped(listing.raw)) return listing.raw;
  return {
    id: listing.id,
    name: listing.name,
    capabilities: {
      supports: {
        vision: listing.supportsVision === true,
        reasoningEffort: listing.supportsReasoningEffort === true,
      },
      limits: {
        max_context_window_tokens: listing.contextWindowTokens ?? 0,
        ...(listing.maxPromptTokens !== undefined ? { max_prompt_tokens: listing.maxPromptTokens } : {}),
        ...(listing.maxOutputTokens !== undefined ? { max_output_tokens: listing.maxOutputTokens } : {}),
      },
    },
  };
}

function isWireShaped(raw: unknown): raw is Model {
  const { id, name, capabilities } = raw as {
    id?: unknown;
    name?: unknown;
    capabilities?: { supports?: unknown; limits?: unknown };
  };
  return (
    typeof id === "string" &&
    typeof name === "string" &&
    typeof capabilities?.supports === "object" &&
    typeof capabilities.limits === "object"
  );
}
