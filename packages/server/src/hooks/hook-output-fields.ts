/**
 * What becomes of every field that a hook may answer with: true where it takes effect, otherwise why it has
 * none, as the rest of a sentence. A field that is not here is not known, which is told as well.
 */
import type { HookType } from "./hook-source.ts";

export type HookOutputFields = Readonly<Record<string, true | string>>;

const NOTHING_SHOWN = "has no effect: the server shows nothing itself";

/** With which other agents' hooks say no; honoured wherever this one can be told so. */
const REFUSAL = { decision: true, reason: true, continue: true, stopReason: true } as const;

export const HOOK_OUTPUT_FIELDS: Readonly<Record<HookType, HookOutputFields>> = {
  sessionStart: {
    additionalContext: true,
    modifiedConfig: "has no effect: a session's options are changed by 'session.options.update'",
  },
  userPromptSubmitted: {
    ...REFUSAL,
    modifiedPrompt: true,
    additionalContext: true,
    suppressOutput: NOTHING_SHOWN,
  },
  userPromptTransformed: { modifiedTransformedPrompt: true },
  preToolUse: {
    ...REFUSAL,
    permissionDecision: true,
    permissionDecisionReason: true,
    modifiedArgs: true,
    additionalContext: true,
    suppressOutput: true,
  },
  postToolUse: { modifiedResult: true, additionalContext: true, suppressOutput: true },
  postToolUseFailure: { additionalContext: true },
  agentStop: REFUSAL,
  subagentStart: { additionalContext: true },
  subagentStop: { ...REFUSAL, modifiedResponse: true },
  errorOccurred: { errorHandling: true, retryCount: true, suppressOutput: true, userNotification: true },
  sessionEnd: {
    sessionSummary: true,
    cleanupActions: "has no effect: nothing is carried out when a session has ended",
    suppressOutput: NOTHING_SHOWN,
  },
};

/** How many of the fields without effect are told by name. */
const MAX_TOLD = 20;

/** One line for each field of the answer that has no effect, as the rest of "The … hook's". */
export function unheardFields(type: HookType, output: object, usable?: readonly string[]): string[] {
  const rules = HOOK_OUTPUT_FIELDS[type];
  const unheard: string[] = [];
  for (const [name, value] of Object.entries(output)) {
    if (value === undefined || value === null || value === false || value === "") continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : "is not known to this version of the server";
    if (rule !== true) unheard.push(`'${name.slice(0, 100)}' ${rule}`);
    else if (usable && !usable.includes(name))
      unheard.push(`'${name}' has no effect: it counts only from a client's hook`);
    if (unheard.length >= MAX_TOLD) break;
  }
  return unheard;
}
