import { randomUUID } from "node:crypto";
import type { ModelRequest } from "../model-provider.ts";

/** All requests of a turn belong to one interaction; a turn is known by its signal. */
const interactionIds = new WeakMap<AbortSignal, string>();

/**
 * The headers that GitHub's own clients send with a model call (public in
 * https://github.com/microsoft/vscode-copilot-chat). `X-Initiator` tells a user's prompt from the calls
 * that an agent makes on its own after it, and is reported truthfully: the request that brings a user's
 * message is the user's, every other is the agent's.
 */
export function toCopilotHeaders(request: ModelRequest, signal: AbortSignal): Record<string, string> {
  const headers: Record<string, string> = {
    "X-Initiator": request.messages.at(-1)?.role === "user" && !request.isAgentInitiated ? "user" : "agent",
    "Openai-Intent": "conversation-agent",
    "X-Interaction-Id": toInteractionId(signal),
  };
  if (request.messages.some(hasImage)) headers["Copilot-Vision-Request"] = "true";
  return headers;
}

function toInteractionId(signal: AbortSignal): string {
  const known = interactionIds.get(signal);
  if (known !== undefined) return known;
  const id = randomUUID();
  interactionIds.set(signal, id);
  return id;
}

function hasImage(message: ModelRequest["messages"][number]): boolean {
  if (message.role === "tool") return (message.images?.length ?? 0) > 0;
  return (
    message.role === "user" &&
    typeof message.content !== "string" &&
    message.content.some((part) => part.type === "image")
  );
}
