/** The hooks of a run: what the agent loop asks, in the wire's words, and what the answers amount to. */
import { cutText } from "@rightseat/protocol";
import { fromStructuredResult, toStructuredResult } from "../tools/structured-result.ts";
import type { ToolResult } from "../tools/tool.ts";
import type { HookAsker } from "./hook-asker.ts";
import type { HookOutput } from "./hook-output.ts";
import type { BeforeTool, FailureHandling, HookedCall, RunFailure, RunHooks } from "./run-hooks.ts";

export interface RunHooksOptions {
  readonly asker: HookAsker;
  /** The signal of the run. */
  readonly signal: AbortSignal;
  /** The file that holds the session's log, where there is one. */
  readonly transcriptPath?: string;
  /** Puts something into the conversation that the model reads before its next answer. */
  readonly addContext: (text: string) => void;
  /** From now on the call is one with these arguments. */
  readonly changeArguments: (toolCallId: string, args: unknown) => void;
  /** Puts a prompt into the conversation, for the run to go on with; false when a hook blocked it. */
  readonly followUp: (prompt: string) => Promise<boolean>;
  /** Tells the user something. */
  readonly notify: (message: string) => void;
}

/** As published: after so many blocks in a row the agent stops all the same. */
const MAX_BLOCKS = 8;
/** Contexts of one call together, in characters; as published. */
const MAX_CONTEXT = 10 * 1024;
const MAX_RETRIES = 10;
/** The wording of the first is what recorded conversations hold. */
const NO_REASON = "No reason provided";

export function createRunHooks(options: RunHooksOptions): RunHooks {
  let blocks = 0;
  return {
    beforeTool: (call) => beforeTool(options, call),
    afterTool: (call, result, withhold) => afterTool(options, call, result, withhold),
    onFailure: (failure) => onFailure(options, failure),
    async keepsGoing() {
      const reason = await askToStop(options, blocks > 0);
      if (reason === undefined || blocks >= MAX_BLOCKS || options.signal.aborted) return false;
      blocks += 1;
      return options.followUp(reason);
    },
  };
}

/** Deny goes before ask, ask before allow; of two reasons the first counts. */
const STRENGTH = { allow: 1, ask: 2, deny: 3 } as const;

async function beforeTool(options: RunHooksOptions, call: HookedCall): Promise<BeforeTool> {
  let { args } = call;
  let decision: BeforeTool["decision"];
  let reason: string | undefined;
  let suppressOutput = false;
  const contexts: string[] = [];
  await options.asker.ask(
    "preToolUse",
    options.signal,
    () => ({ toolName: call.name, toolArgs: args }),
    (output) => {
      const wanted = decisionOf(output);
      if (wanted && STRENGTH[wanted.decision] > (decision ? STRENGTH[decision] : 0)) {
        decision = wanted.decision;
        reason = wanted.reason;
      }
      args = output.object("modifiedArgs") ?? args;
      suppressOutput ||= output.withholds("suppressOutput");
      addTo(contexts, output.text("additionalContext"));
    },
    call.toolCallId,
  );
  if (args !== call.args) options.changeArguments(call.toolCallId, args);
  if (contexts.length > 0)
    options.addContext(`A preToolUse hook adds to the call of ${call.name}:\n${joined(contexts)}`);
  return {
    args,
    suppressOutput,
    ...(decision ? { decision } : {}),
    ...(decision && decision !== "allow" ? { reason: reason ?? NO_REASON } : {}),
  };
}

/** A hook whose answer cannot be read may have meant to say no, or to change what is dangerous: it denies. */
function decisionOf(output: HookOutput):
  | (Pick<BeforeTool, "reason"> & {
      readonly decision: keyof typeof STRENGTH;
    })
  | undefined {
  const refused = output.refuses();
  if (refused) return { decision: "deny", reason: refused.reason };
  const decision = output.decision("permissionDecision", ["allow", "deny", "ask"]);
  if (decision === "unreadable" || output.isNoObject("modifiedArgs"))
    return { decision: "deny", reason: "A preToolUse hook answered what this server cannot read." };
  return decision && { decision, reason: output.text("permissionDecisionReason") };
}

async function afterTool(
  options: RunHooksOptions,
  call: HookedCall,
  given: ToolResult,
  withhold: boolean,
): Promise<ToolResult> {
  let result = given;
  if (result.resultType === "success") result = await afterSuccess(options, call, result, withhold);
  // A hook may have made a failure of it.
  if (result.resultType === "failure") await afterFailure(options, call, result);
  return result;
}

async function afterSuccess(
  { asker, signal }: RunHooksOptions,
  call: HookedCall,
  given: ToolResult,
  withhold: boolean,
): Promise<ToolResult> {
  let result = given;
  let withheld = withhold;
  const contexts: string[] = [];
  await asker.ask(
    "postToolUse",
    signal,
    () => ({ toolName: call.name, toolArgs: call.args, toolResult: toStructuredResult(result) }),
    (output) => {
      const modified = output.any("modifiedResult");
      if (modified !== undefined) result = { ...keptOf(result), ...fromStructuredResult(modified) };
      withheld ||= output.withholds("suppressOutput");
      addTo(contexts, output.text("additionalContext"));
    },
    call.toolCallId,
  );
  if (withheld && result.resultType === "success") result = withholdOutput(result);
  return contexts.length === 0
    ? result
    : { ...result, text: `${result.text}\n\nA postToolUse hook adds:\n${joined(contexts)}` };
}

async function afterFailure(
  { asker, signal, addContext }: RunHooksOptions,
  call: HookedCall,
  result: ToolResult,
): Promise<void> {
  const contexts: string[] = [];
  const error = result.error?.message ?? result.text;
  await asker.ask(
    "postToolUseFailure",
    signal,
    () => ({ toolName: call.name, toolArgs: call.args, error }),
    (output) => addTo(contexts, output.text("additionalContext")),
    call.toolCallId,
  );
  // The wording is what recorded conversations hold.
  if (contexts.length > 0)
    addContext(
      `Tool "${call.name}" failed. Additional guidance from postToolUseFailure hooks:\n${joined(contexts)}`,
    );
}

/** The parts of a replaced result that are about the run and not for the model. */
function keptOf({ endsTurn, telemetry, fileEdits }: ToolResult): Partial<ToolResult> {
  return {
    ...(endsTurn ? { endsTurn } : {}),
    ...(telemetry ? { telemetry } : {}),
    ...(fileEdits ? { fileEdits } : {}),
  };
}

/** What the model reads in place of a result that it is not to see. */
function withholdOutput(result: ToolResult): ToolResult {
  const { images: _images, detailedText: _detailedText, ...kept } = result;
  return { ...kept, text: "[A hook withheld the output of this tool.]" };
}

async function onFailure(options: RunHooksOptions, failure: RunFailure): Promise<FailureHandling> {
  let handling: FailureHandling = { retries: 0, quiet: false, abort: false };
  await options.asker.ask(
    "errorOccurred",
    options.signal,
    () => ({ error: failure.message, errorContext: failure.context, recoverable: failure.recoverable }),
    (output) => {
      const wanted = output.oneOf("errorHandling", ["retry", "skip", "abort"]);
      const retries = wanted === "retry" ? Math.min(output.count("retryCount") ?? 1, MAX_RETRIES) : 0;
      handling = {
        retries: Math.max(handling.retries, retries),
        quiet: handling.quiet || wanted === "skip" || output.flag("suppressOutput"),
        abort: handling.abort || wanted === "abort",
      };
      const notification = output.text("userNotification");
      if (notification !== undefined) options.notify(notification);
    },
  );
  return handling.abort ? { ...handling, retries: 0 } : handling;
}

/** The reason to go on that the first hook gave; undefined when all let the agent stop. */
async function askToStop(options: RunHooksOptions, wentOnBefore: boolean): Promise<string | undefined> {
  let reason: string | undefined;
  let stops = false;
  await options.asker.ask(
    "agentStop",
    options.signal,
    () => ({
      ...(options.transcriptPath !== undefined ? { transcriptPath: options.transcriptPath } : {}),
      stopReason: "end_turn",
      stop_hook_active: wentOnBefore,
    }),
    (output) => {
      stops ||= output.any("continue") === false;
      if (output.oneOf("decision", ["block", "allow"]) === "block") reason ??= output.text("reason");
    },
  );
  return stops ? undefined : reason;
}

function addTo(contexts: string[], context: string | undefined): void {
  if (context !== undefined) contexts.push(context);
}

function joined(contexts: readonly string[]): string {
  return cutText(contexts.join("\n\n"), MAX_CONTEXT);
}
