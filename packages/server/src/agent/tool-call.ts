/** What the steps of one tool call hand to one another. */
import { isDeeperThan } from "@rightseat/protocol";
import type { ToolResult } from "../tools/tool.ts";

export type ParsedArguments =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/**
 * How far permission for a call has come: to be asked for; approved by somebody who cannot set aside
 * what is forbidden; given, so that nothing is asked.
 */
export type PermissionStage = "ask" | "approved" | "given";

export type RunCall = (args: ParsedArguments, permission: PermissionStage) => Promise<ToolResult>;

/** Less than messages of the wire may have: arguments travel inside of them. */
const MAX_ARGUMENT_DEPTH = 100;

/** A model that has no arguments to give may write nothing at all. */
export function parseArguments(json: string): ParsedArguments {
  if (json.trim() === "") return { ok: true, value: {} };
  if (isDeeperThan(json, MAX_ARGUMENT_DEPTH))
    return {
      ok: false,
      problem: `they are nested more than ${MAX_ARGUMENT_DEPTH} deep, the most that they may`,
    };
  try {
    return { ok: true, value: JSON.parse(json) as unknown };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

export function parsedOrText(json: string): unknown {
  const parsed = parseArguments(json);
  return parsed.ok ? parsed.value : json;
}

/** @param endsRun nothing more is asked of the model. */
export function denied(message: string, endsRun?: boolean): ToolResult {
  const resultType = endsRun ? "rejected" : "denied";
  return { resultType, text: message, error: { message, code: resultType }, endsTurn: endsRun };
}
