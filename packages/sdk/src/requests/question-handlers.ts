/** What the application does about the questions that a session asks by events. */
import type { SessionEvent } from "@rightseat/protocol";
import { checkedHandler } from "../config/tools.ts";
import { toError } from "../errors.ts";
import type { SessionEventPayload } from "../types/messages.ts";
import type { AttributedPermissionResult, PermissionRequestResult } from "../types/permissions.ts";
import type { McpAuthRequest } from "../types/questions.ts";
import type { SessionFields } from "../types/session-config.ts";
import type { QuestionToAnswer } from "./answers.ts";
import { TOOL_SEARCH, toToolAnswer } from "./tool-answer.ts";

/** The parts of a session that answering needs. */
export interface QuestionContext {
  readonly sessionId: string;
  readonly config: SessionFields;
  readonly call: (method: string, params: Record<string, unknown>) => Promise<unknown>;
  /** A handler of the application threw, and the server was told no more than that. */
  readonly onHandlerError: (what: string, error: unknown) => void;
}

type Maker<T extends SessionEvent["type"]> = (
  context: QuestionContext,
  data: SessionEventPayload<T>["data"],
) => Omit<QuestionToAnswer, "requestId"> | undefined;

/** The question of an event, when the application has somebody to answer it. */
export function questionOf(context: QuestionContext, event: SessionEvent): QuestionToAnswer | undefined {
  const make = MAKERS[event.type as keyof typeof MAKERS] as Maker<never> | undefined;
  const { requestId } = event.data as { requestId?: unknown };
  if (!make || typeof requestId !== "string") return undefined;
  const question = make(context, event.data as never);
  return question && { requestId, ...question };
}

const MAKERS = {
  "external_tool.requested": toolCall,
  "permission.requested": permission,
  "elicitation.requested": elicitation,
  "command.execute": command,
  "mcp.oauth_required": mcpAuth,
} satisfies { [T in SessionEvent["type"]]?: Maker<T> };

function toolCall(
  context: QuestionContext,
  data: SessionEventPayload<"external_tool.requested">["data"],
): ReturnType<Maker<"external_tool.requested">> {
  const { toolCallId, toolName, traceparent, tracestate } = data;
  const tool = context.config.tools?.find(({ name }) => name === toolName);
  const handler = tool && checkedHandler(tool);
  if (!handler) return undefined;
  const args = data.arguments;
  return {
    toolCallId,
    method: "session.tools.handlePendingToolCall",
    work: async (signal) => {
      const availableTools = toolName === TOOL_SEARCH ? await toolsOf(context) : undefined;
      const { sessionId } = context;
      const invocation = {
        sessionId,
        toolCallId,
        toolName,
        arguments: args,
        availableTools,
        traceparent,
        tracestate,
        signal,
      };
      return toToolAnswer(
        () => handler(args, invocation),
        (error) => context.onHandlerError(`the result of the tool ${toolName} cannot be sent`, error),
      );
    },
    refusal: (error) => ({ error: `the tool ${toolName} has no result: ${error}` }),
  };
}

/** The tools there are, for a search of the application's own; without them when they cannot be had. */
async function toolsOf({ sessionId, call }: QuestionContext) {
  try {
    const answer = await call("session.tools.getCurrentMetadata", { sessionId });
    return (answer as { tools?: never[] }).tools;
  } catch {
    return undefined;
  }
}

function permission(
  context: QuestionContext,
  { permissionRequest, resolvedByHook }: SessionEventPayload<"permission.requested">["data"],
): ReturnType<Maker<"permission.requested">> {
  const { sessionId, config } = context;
  const handler = config.onPermissionRequest;
  if (resolvedByHook || !handler) return undefined;
  const managedSettingsEnabled =
    config.enableManagedSettings === true || config.managedSettings !== undefined;
  return {
    toolCallId: permissionRequest.toolCallId,
    method: "session.permissions.handlePendingPermissionRequest",
    work: async () => {
      try {
        const said = toDecision(await handler(permissionRequest, { sessionId, managedSettingsEnabled }));
        const { result, decisionContext } = said.kind === "attributed" ? said : { result: said };
        if (result.kind === "no-result") return undefined;
        return decisionContext ? { result, decisionContext } : { result };
      } catch (error) {
        context.onHandlerError(
          "the permission handler failed; the request was answered with a denial",
          error,
        );
        return DENIAL;
      }
    },
    refusal: () => DENIAL,
  };
}

const DENIAL = { result: { kind: "user-not-available" } };

/** @throws TypeError for what is no decision. */
function toDecision<T>(said: T): T {
  if (typeof (said as { kind?: unknown } | null | undefined)?.kind === "string") return said;
  throw new TypeError(
    `onPermissionRequest: expected an object with a kind, such as { kind: "approve-once" }, got ${typeof said}`,
  );
}

function elicitation(
  { sessionId, config, onHandlerError }: QuestionContext,
  data: SessionEventPayload<"elicitation.requested">["data"],
): ReturnType<Maker<"elicitation.requested">> {
  const handler = config.onElicitationRequest;
  if (!handler) return undefined;
  const { message, mode, elicitationSource, url } = data;
  const requestedSchema = data.requestedSchema as Parameters<typeof handler>[0]["requestedSchema"];
  return {
    method: "session.ui.handlePendingElicitation",
    work: async () => {
      try {
        const { action, content } = await handler({
          sessionId,
          message,
          requestedSchema,
          mode,
          elicitationSource,
          url,
        });
        return { result: content ? { action, content } : { action } };
      } catch (error) {
        onHandlerError("the elicitation handler failed; the form was cancelled", error);
        return { result: { action: "cancel" } };
      }
    },
    refusal: () => ({ result: { action: "cancel" } }),
  };
}

function command(
  { sessionId, config }: QuestionContext,
  { command, commandName, args }: SessionEventPayload<"command.execute">["data"],
): ReturnType<Maker<"command.execute">> {
  const handler = config.commands?.find(({ name }) => name === commandName)?.handler;
  return {
    method: "session.commands.handlePendingCommand",
    work: async () => {
      if (!handler) return { error: `Unknown command: ${commandName}` };
      try {
        await handler({ sessionId, command, commandName, args });
        return {};
      } catch (error) {
        return { error: toError(error).message };
      }
    },
    refusal: (error) => ({ error }),
  };
}

function mcpAuth(
  { sessionId, config, onHandlerError }: QuestionContext,
  data: SessionEventPayload<"mcp.oauth_required">["data"],
): ReturnType<Maker<"mcp.oauth_required">> {
  const handler = config.onMcpAuthRequest;
  if (!handler) return undefined;
  return {
    method: "session.mcp.oauth.handlePendingRequest",
    work: async () => {
      try {
        const token = await handler(data as McpAuthRequest, { sessionId });
        const found = token && "accessToken" in token;
        return { result: found ? { ...token, kind: "token" } : { kind: "cancelled" } };
      } catch (error) {
        onHandlerError("the MCP auth handler failed; the request was cancelled", error);
        return { result: { kind: "cancelled" } };
      }
    },
    refusal: () => ({ result: { kind: "cancelled" } }),
  };
}

/** Approves everything, where no managed policy has a say. @throws Error where one has. */
export function approveAll(
  request: { managedApprovalRequired?: boolean },
  invocation: { sessionId: string; managedSettingsEnabled?: boolean },
): PermissionRequestResult {
  if (invocation.managedSettingsEnabled)
    throw new Error("approveAll cannot be used when managed settings are enabled");
  return { kind: request.managedApprovalRequired ? "no-result" : "approve-once" };
}

/** A decision together with how it came about; takes the place of an earlier account of that. */
export function createAttributedPermissionResult(
  result: PermissionRequestResult | AttributedPermissionResult,
  decisionContext: AttributedPermissionResult["decisionContext"],
): AttributedPermissionResult {
  return {
    kind: "attributed",
    result: result.kind === "attributed" ? result.result : result,
    decisionContext,
  };
}
