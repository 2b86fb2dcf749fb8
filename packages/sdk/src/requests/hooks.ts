/** Calls the hook that the server names. */
import type { SessionHooks } from "../types/hooks.ts";

const HOOKS: Record<string, keyof SessionHooks> = {
  preToolUse: "onPreToolUse",
  preMcpToolCall: "onPreMcpToolCall",
  postToolUse: "onPostToolUse",
  postToolUseFailure: "onPostToolUseFailure",
  userPromptSubmitted: "onUserPromptSubmitted",
  userPromptTransformed: "onUserPromptTransformed",
  sessionStart: "onSessionStart",
  sessionEnd: "onSessionEnd",
  errorOccurred: "onErrorOccurred",
  agentStop: "onAgentStop",
};

/** What the hook said; nothing when there is none of this kind, or it threw. */
export async function invokeHook(
  hooks: SessionHooks | undefined,
  hookType: string,
  input: unknown,
  { sessionId, warn }: { sessionId: string; warn: (what: string, error: unknown) => void },
): Promise<unknown> {
  const name = Object.hasOwn(HOOKS, hookType) ? HOOKS[hookType] : undefined;
  const hook = name && (hooks?.[name] as ((input: unknown, invocation: object) => unknown) | undefined);
  if (!hook) return undefined;
  try {
    return await hook(toHookInput(input), { sessionId });
  } catch (error) {
    warn(`the hook ${name} failed, and had no effect`, error);
    return undefined;
  }
}

/** On the wire, times are milliseconds and two fields have other names. */
function toHookInput(input: unknown): unknown {
  const { timestamp } = (input ?? {}) as { timestamp?: unknown };
  if (typeof timestamp !== "number") return input;
  const { cwd, stop_hook_active, ...rest } = input as Record<string, unknown>;
  return {
    ...rest,
    timestamp: new Date(timestamp),
    workingDirectory: cwd,
    ...(stop_hook_active === undefined ? {} : { stopHookActive: stop_hook_active }),
  };
}
