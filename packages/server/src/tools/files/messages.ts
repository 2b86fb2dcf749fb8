/** What several file tools say. */
import type { ToolResult } from "../tool.ts";
import { failure } from "../tool-results.ts";

/** The wording is what recorded conversations hold. */
export function missingFile(path: string): ToolResult {
  return failure(`Path ${path} does not exist. Please provide a valid path.`, "not_found");
}
