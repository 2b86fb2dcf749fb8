/** What a tool's handler returned, or threw, as the server takes it. */
import { toError } from "../errors.ts";
import type { ToolResult, ToolResultObject } from "../types/tools.ts";

/** The server's search for tools, which an application may replace by a tool of this name. */
export const TOOL_SEARCH = "tool_search_tool";

const RESULT_TYPES: ReadonlySet<unknown> = new Set(["success", "failure", "rejected", "denied", "timeout"]);

export async function toToolAnswer(run: () => unknown): Promise<{ result: ToolResult } | { error: string }> {
  try {
    return { result: toToolResult(await run()) };
  } catch (error) {
    return { error: toError(error).message };
  }
}

function toToolResult(returned: unknown): ToolResult {
  if (returned === null || returned === undefined) return "";
  if (typeof returned === "string") return returned;
  return isToolResultObject(returned) ? returned : JSON.stringify(returned);
}

function isToolResultObject(value: unknown): value is ToolResultObject {
  if (typeof value !== "object" || value === null) return false;
  const { textResultForLlm, resultType } = value as Partial<ToolResultObject>;
  return typeof textResultForLlm === "string" && RESULT_TYPES.has(resultType);
}
