/** A tool that a client runs: asked for by an event, answered by a call. */
import { randomUUID } from "node:crypto";
import { fromStructuredResult } from "../../../tools/structured-result.ts";
import type { Tool, ToolContext, ToolResult } from "../../../tools/tool.ts";
import type { CustomToolSpec } from "../../members/session-settings.ts";
import type { Conversation } from "../../open/conversation.ts";
import { activateTools, TOOL_SEARCH_TOOL } from "./tool-search.ts";

/** What `session.tools.handlePendingToolCall` brings. */
export interface ExternalToolAnswer {
  readonly result?: unknown;
  readonly error?: string;
}

export function createCustomTool(conversation: Conversation, spec: CustomToolSpec): Tool {
  return {
    definition: spec,
    source: "custom",
    isTerminal: spec.isTerminal,
    mayBeDeferred: !spec.neverDeferred,
    // A tool that needs no permission can still be forbidden.
    permission: (args, context) => ({
      kind: "custom-tool",
      toolCallId: context.toolCallId,
      toolName: spec.name,
      toolDescription: spec.description,
      args,
      ...(spec.skipPermission ? { skipPermission: true } : {}),
    }),
    run: (args, context) => askClient(conversation, spec, args, context),
  };
}

async function askClient(
  conversation: Conversation,
  spec: CustomToolSpec,
  args: unknown,
  context: ToolContext,
): Promise<ToolResult> {
  const open = conversation.state.openToolCalls.find((call) => call.toolCallId === context.toolCallId);
  const asked = open?.externalRequestId;
  const requestId = asked ?? randomUUID();
  const data = {
    requestId,
    sessionId: conversation.session.id,
    toolCallId: context.toolCallId,
    toolName: spec.name,
    arguments: args,
    workingDirectory: context.workingDirectory,
  };
  // Asked before a restart: shown again to the client that offers the tool now, under the same id.
  const event = asked
    ? conversation.emit("external_tool.requested", data)
    : conversation.append("external_tool.requested", data);
  const outcome = await conversation.session.questions.ask<ExternalToolAnswer>(
    { requestId, kind: "external-tool", toolCallId: context.toolCallId, toolName: spec.name, event },
    context.signal,
  );
  if (outcome.kind === "cancelled") throw context.signal.reason ?? new Error(outcome.reason);
  conversation.emit("external_tool.completed", { requestId });
  if (outcome.kind === "failed") {
    const text = `The result of ${spec.name} did not arrive: ${outcome.reason}.`;
    return { resultType: "failure", text, error: { message: text, code: "unreadable_result" } };
  }
  if (outcome.kind !== "answered") {
    const text = `No client answered the call of ${spec.name} in time.`;
    return { resultType: "timeout", text, error: { message: text, code: "timeout" } };
  }
  if (spec.name === TOOL_SEARCH_TOOL) activateReferences(conversation, outcome.answer.result);
  return toToolResult(spec.name, args, outcome.answer);
}

/** A tool search of the client's own says by name what it found. */
function activateReferences(conversation: Conversation, result: unknown): void {
  const names: unknown = (result as { toolReferences?: unknown } | null | undefined)?.toolReferences;
  if (!Array.isArray(names)) return;
  activateTools(
    conversation,
    names.filter((name): name is string => typeof name === "string"),
  );
}

function toToolResult(name: string, args: unknown, answer: ExternalToolAnswer): ToolResult {
  if (answer.error !== undefined) {
    // The application's exception is for its own people: the event has it, the model is told that the
    // tool failed and no more. The wording is what recorded conversations hold.
    const text = `Failed to execute \`${name}\` tool with arguments: ${JSON.stringify(args ?? {})} due to error: Error: Tool execution failed`;
    return { resultType: "failure", text, error: { message: answer.error, code: "failure" } };
  }
  return fromStructuredResult(answer.result);
}
