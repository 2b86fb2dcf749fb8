/** The results that built-in tools end with. */
import type { ToolResult } from "./tool.ts";

/** @param detailedText for a person, where it differs. */
export function success(text: string, detailedText?: string): ToolResult {
  return { resultType: "success", text, ...(detailedText === undefined ? {} : { detailedText }) };
}

/** @param code a stable word for the kind of failure. */
export function failure(text: string, code: string): ToolResult {
  return { resultType: "failure", text, error: { message: text, code } };
}

/** The `code` of a system call's error ("ENOENT"), or undefined when it is something else. */
export function systemErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}
