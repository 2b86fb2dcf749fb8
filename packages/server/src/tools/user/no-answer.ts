import type { ToolResult } from "../tool.ts";
import type { NoAnswer } from "../user-channel.ts";

/** What the model reads when nobody answered. Why is for the application's own people: the event has it. */
export function noAnswer(what: "question" | "plan", { code, reason }: NoAnswer): ToolResult {
  const text =
    code === "timeout"
      ? `The user did not answer the ${what} in time.`
      : `The ${what} could not be put to the user.`;
  return {
    resultType: code === "timeout" ? "timeout" : "failure",
    text,
    error: { message: `${text} ${reason}`.trim(), code },
  };
}
