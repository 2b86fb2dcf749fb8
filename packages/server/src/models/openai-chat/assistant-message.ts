import type { WireCallIds } from "../call-ids.ts";
import type { ModelMessage, ModelReasoning, ModelToolCall } from "../model-provider.ts";
import { reasoningFor } from "../reasoning-origin.ts";
import { toToolName } from "../tool-names.ts";
import type { ChatSpelling } from "./spelling.ts";

type Json = Record<string, unknown>;

/** Marks opaque reasoning as GitHub's in a session's log: another provider must not be sent it. */
export const GITHUB_OPAQUE_PREFIX = "github:";

/** What Google's documentation gives for calls that its model did not make. */
const FOREIGN_CALL = { google: { thought_signature: "skip_thought_signature_validator" } };

/** None for an answer that says and asks nothing: most servers refuse it. */
export function toAssistantMessages(
  message: Extract<ModelMessage, { role: "assistant" }>,
  spelling: ChatSpelling,
  ids: WireCallIds,
): Json[] {
  const hasCalls = message.toolCalls.length > 0;
  const isBlank = message.content.trim() === "";
  if (isBlank && !hasCalls) return [];
  const blank = spelling.plainContent ? "" : null;
  const wire: Json = { role: "assistant", content: isBlank ? blank : message.content };
  const own = spelling.omitsReasoning ? undefined : reasoningFor(spelling.origin, message.reasoning);
  if (hasCalls) wire["tool_calls"] = toCalls(message.toolCalls, own !== undefined, spelling, ids);
  return [{ ...wire, ...toReasoningFields(own, hasCalls, spelling) }];
}

function toCalls(
  calls: readonly ModelToolCall[],
  isOwn: boolean,
  spelling: ChatSpelling,
  ids: WireCallIds,
): Json[] {
  const wireIds = ids.ofCalls(calls);
  return calls.map((call, index) => {
    const extra = isOwn ? call.extra : undefined;
    // Only the first of parallel calls is signed.
    const stand = spelling.needsSignatures && index === 0 ? FOREIGN_CALL : undefined;
    return {
      id: wireIds[index],
      type: "function",
      function: { name: toToolName(call.name), arguments: call.arguments },
      ...((extra ?? stand) !== undefined && { extra_content: extra ?? stand }),
    };
  });
}

/** The fields that the reasoning goes back in; foreign fields are refused by many servers. */
function toReasoningFields(
  reasoning: ModelReasoning | undefined,
  hasCalls: boolean,
  spelling: ChatSpelling,
): Json {
  if (spelling.isGitHub) return toGitHubFields(reasoning);
  if (reasoning?.details !== undefined) return { reasoning_details: reasoning.details };
  if (!hasCalls) return {};
  // No provider wants it back for answers without calls, and some refuse it.
  if (reasoning?.wireField === "reasoning_content" && reasoning.text !== undefined)
    return { reasoning_content: reasoning.text };
  return spelling.needsReasoning ? { reasoning_content: "" } : {};
}

function toGitHubFields(reasoning: ModelReasoning | undefined): Json {
  if (!reasoning?.opaque?.startsWith(GITHUB_OPAQUE_PREFIX)) return {};
  return {
    reasoning_opaque: reasoning.opaque.slice(GITHUB_OPAQUE_PREFIX.length),
    ...(reasoning.text !== undefined && { reasoning_text: reasoning.text }),
  };
}
