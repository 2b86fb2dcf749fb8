/** What a tool's handler returned, or threw, as the server takes it. */
import { toError } from "../errors.ts";
import type { ToolResult, ToolResultObject } from "../types/tools.ts";

/** The server's search for tools, which an application may replace by a tool of this name. */
export const TOOL_SEARCH = "tool_search_tool";

const RESULT_TYPES: ReadonlySet<unknown> = new Set(["success", "failure", "rejected", "denied", "timeout"]);

/** @param onUnsendable is told of a result that cannot be written as JSON; the model is told of it, too. */
export async function toToolAnswer(
  run: () => unknown,
  onUnsendable: (error: Error) => void,
): Promise<{ result: ToolResult } | { error: string }> {
  let returned: unknown;
  try {
    returned = await run();
  } catch (error) {
    return { error: toError(error).message };
  }
  try {
    return { result: toToolResult(returned) };
  } catch (error) {
    onUnsendable(toError(error));
    return { error: `the result of the tool cannot be sent: ${toError(error).message}` };
  }
}

/** @throws TypeError for what has no JSON. */
function toToolResult(returned: unknown): ToolResult {
  if (returned === null || returned === undefined) return "";
  if (typeof returned === "string") return returned;
  if (isToolResultObject(returned)) return returned;
  const json: string | undefined = JSON.stringify(returned);
  if (json === undefined)
    throw new TypeError(`expected text or what can be written as JSON, got ${typeof returned}`);
  return json;
}

function isToolResultObject(value: unknown): value is ToolResultObject {
  if (typeof value !== "object" || value === null) return false;
  const { textResultForLlm, resultType } = value as Partial<ToolResultObject>;
  return typeof textResultForLlm === "string" && RESULT_TYPES.has(resultType);
}
