/** One tool call of a session that has hooks: they are asked before it and after it. */
import type { BeforeTool, HookedCall, RunHooks } from "../hooks/run-hooks.ts";
import type { ToolResult } from "../tools/tool.ts";
import type { PendingToolCall, RunHost } from "./run-host.ts";
import { denied, type ParsedArguments, type RunCall } from "./tool-call.ts";

export interface HookedCallOptions {
  readonly host: RunHost;
  readonly hooks: RunHooks;
  readonly call: PendingToolCall;
  readonly parsed: ParsedArguments;
  readonly run: RunCall;
}

/** @throws the signal's reason when the run was aborted. */
export async function runHookedCall(options: HookedCallOptions): Promise<ToolResult> {
  const { host, hooks, call, parsed } = options;
  const own: HookedCall = {
    toolCallId: call.toolCallId,
    name: call.name,
    args: parsed.ok ? parsed.value : {},
  };
  // Arguments that cannot be read are nothing to decide on. A call with permission was decided on before.
  const before = parsed.ok && !call.permitted ? await hooks.beforeTool(own) : undefined;
  host.signal.throwIfAborted();
  const hooked = before ? { ...own, args: before.args } : own;
  const result = await decideAndRun(options, hooked, before);
  host.signal.throwIfAborted();
  return hooks.afterTool(hooked, result, before?.suppressOutput ?? false);
}

async function decideAndRun(
  { host, call, parsed, run }: HookedCallOptions,
  hooked: HookedCall,
  before: BeforeTool | undefined,
): Promise<ToolResult> {
  const args: ParsedArguments = parsed.ok ? { ok: true, value: hooked.args } : parsed;
  switch (before?.decision) {
    case "deny":
      // The wording is what recorded conversations hold.
      return denied(`Denied by preToolUse hook: ${before.reason}`);
    case "allow":
      return run(args, "approved");
    case "ask": {
      const verdict = await host.askPermission(
        {
          kind: "hook",
          toolName: call.name,
          toolArgs: hooked.args,
          hookMessage: before.reason,
        },
        call,
      );
      host.signal.throwIfAborted();
      return verdict.allowed
        ? run(args, "approved")
        : denied(`${verdict.message} A preToolUse hook had them asked: ${before.reason}`);
    }
    default:
      return run(args, call.permitted ? "given" : "ask");
  }
}
