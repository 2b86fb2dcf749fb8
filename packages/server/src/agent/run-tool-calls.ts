/**
 * Runs the tool calls of one model answer, side by side: prepare → permission → execute → finish.
 * Each call ends in exactly one `tool.execution_complete`, whatever happens in it.
 */
import { RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import type { PermissionAsk, ToolContext, ToolResult } from "../tools/tool.ts";
import { runHookedCall } from "./hooked-call.ts";
import type { PendingToolCall, RunHost, ToolSet } from "./run-host.ts";
import type { EndedCall } from "./run-limits.ts";
import { showOutput } from "./show-output.ts";
import {
  denied,
  type ParsedArguments,
  type PermissionStage,
  parseArguments,
  parsedOrText,
  type RunCall,
} from "./tool-call.ts";

/** A tool that does not stop when told to is left behind after this long. */
const ABORT_GRACE_MS = 1000;

/** How tool calls ended a run: a tool that is its end succeeded, or somebody refused a call for good. */
export type RunEnd = "terminal" | "refused";

export interface EndedToolCalls {
  readonly calls: readonly EndedCall[];
  /** How they ended the run, if they did. */
  readonly end: RunEnd | undefined;
}

/** @throws the signal's reason when the run was aborted. */
export async function runToolCalls(host: RunHost, turnId: string): Promise<EndedToolCalls> {
  const tools = host.tools();
  const calls = [...host.pendingToolCalls()];
  for (const call of calls) {
    if (call.started) continue;
    host.append("tool.execution_start", {
      toolCallId: call.toolCallId,
      toolName: call.name,
      arguments: parsedOrText(call.arguments),
      turnId,
    });
  }
  const ended = await Promise.all(
    calls.map(async (call): Promise<EndedCall> => {
      const { hooks } = host;
      const run: RunCall = (args, permission) => runOne(host, tools, call, { args, permission });
      const parsed = parseArguments(call.arguments);
      const result = await (hooks
        ? runHookedCall({ host, hooks, call, parsed, run })
        : run(parsed, call.permitted ? "given" : "ask"));
      host.signal.throwIfAborted();
      host.append("tool.execution_complete", toCompletion(call, result, turnId));
      return { call, result };
    }),
  );
  const isTerminal = ({ call, result }: EndedCall) =>
    tools.get(call.name)?.isTerminal === true && result.resultType === "success";
  if (ended.some(({ result }) => result.endsTurn)) return { calls: ended, end: "refused" };
  return { calls: ended, end: ended.some(isTerminal) ? "terminal" : undefined };
}

async function runOne(
  host: RunHost,
  tools: ToolSet,
  call: PendingToolCall,
  how: { readonly args: ParsedArguments; readonly permission: PermissionStage },
): Promise<ToolResult> {
  const tool = tools.get(call.name);
  if (!tool) return unknownTool(call.name, tools.definitions);
  const { args, permission } = how;
  if (!args.ok)
    return failure(
      `The arguments of ${call.name} are not valid JSON: ${args.problem}. Call it again with a JSON object.`,
      "invalid_arguments",
    );
  const askPermission = (ask: PermissionAsk) =>
    host.askPermission(permission === "approved" ? { ...ask, skipPermission: true } : ask, call);
  const context: ToolContext = {
    sessionId: host.sessionId,
    toolCallId: call.toolCallId,
    signal: host.signal,
    workingDirectory: host.workingDirectory,
    onOutput: showOutput(host, call.toolCallId),
    ask: askPermission,
  };
  try {
    if (permission !== "given") {
      const ask = await tool.permission?.(args.value, context);
      if (ask) {
        const verdict = await askPermission(ask);
        host.signal.throwIfAborted();
        if (!verdict.allowed) return denied(verdict.message, verdict.endsRun);
      }
    }
    // What was allowed is on record before it happens. A client's tool is asked for by an event, which
    // is told only once it is committed.
    if (tool.source !== "custom") await host.committed();
    const result = await withAbortGrace(tool.run(args.value, context), host.signal);
    return tool.source === "builtin" ? result : { ...result, text: await host.fitOutput(result.text) };
  } catch (error) {
    host.signal.throwIfAborted();
    // Said as it is: the model can wait, or end what it has started.
    if (error instanceof RpcError && error.reason === "limit_exceeded")
      return failure(error.message, "limit_exceeded");
    // The wording is what recorded conversations hold.
    const message = `Failed to execute \`${call.name}\` tool with arguments: ${call.arguments || "{}"} due to error: ${asError(error)}`;
    return failure(message, "failure");
  }
}

/** The tool's result, or the abort once it has had its second to clean up. */
function withAbortGrace(running: Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), ABORT_GRACE_MS);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    running.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    });
  });
}

function toCompletion(
  call: PendingToolCall,
  result: ToolResult,
  turnId: string,
): SessionEventDataMap["tool.execution_complete"] {
  const success = result.resultType === "success";
  const exit = result.contents?.find((content) => content.type === "shell_exit");
  return {
    toolCallId: call.toolCallId,
    success,
    turnId,
    result: {
      content: result.text,
      ...(result.detailedText !== undefined ? { detailedContent: result.detailedText } : {}),
      ...(result.contents ? { contents: [...result.contents] } : {}),
      ...(result.images
        ? {
            binaryResultsForLlm: result.images.map((image) => ({
              type: "image" as const,
              mimeType: image.mimeType,
              data: image.base64,
              ...(image.description !== undefined ? { description: image.description } : {}),
            })),
          }
        : {}),
    },
    ...(success
      ? {}
      : {
          error: {
            message: result.error?.message ?? result.text,
            code: result.error?.code ?? result.resultType,
          },
        }),
    ...(result.fileEdits ? { fileEdits: [...result.fileEdits] } : {}),
    ...(exit ? { shellExecution: { exitCode: exit.exitCode } } : {}),
    ...(result.telemetry ? { toolTelemetry: result.telemetry as Record<string, unknown> } : {}),
  } as SessionEventDataMap["tool.execution_complete"];
}

function unknownTool(name: string, known: readonly { name: string }[]): ToolResult {
  const names = known.map((tool) => tool.name).join(", ");
  return failure(
    `Tool '${name}' does not exist. Available tools that can be called are ${names || "none"}.`,
    "unknown_tool",
  );
}

function failure(text: string, code: string): ToolResult {
  return { resultType: "failure", text, error: { message: text, code } };
}

function asError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
