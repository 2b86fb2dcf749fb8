import { type RecordedModelRequest, withoutTime } from "@rightseat/testing";

interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly unknown[];
}

/** The conversation in a request to the model, as "role: text", without the system message and the times. */
export function toldToModel(request: RecordedModelRequest | undefined): string[] {
  const messages = (request?.body["messages"] ?? []) as ChatMessage[];
  return messages
    .filter(({ role }) => role !== "system" && role !== "developer")
    .map((message) => `${message.role}: ${withoutTime(textOf(message))}`);
}

function textOf({ content, tool_calls: calls }: ChatMessage): string {
  if (calls !== undefined) return `${calls.length} calls`;
  return Array.isArray(content)
    ? content.map((part: { text?: string }) => part.text ?? "").join("")
    : String(content);
}
