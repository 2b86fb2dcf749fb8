import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";

interface Listeners {
  emit<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void;
}

/**
 * Shows what a command writes, piece by piece: by the event of newer SDKs, and by the older one.
 * @param toolCallId the call, or the process of a command of the user
 */
export function showOutput(to: Listeners, toolCallId: string): (text: string) => void {
  let sequence = 0;
  return (text) => {
    to.emit("tool.execution_partial_result", { toolCallId, partialOutput: text });
    to.emit("tool.shell_output", { toolCallId, sequence: sequence++, stream: "terminal", text });
  };
}
