/** The parts of a slash command of the server. */
import { RpcError } from "@rightseat/protocol";
import type { CheckSettings } from "../../open/change-session.ts";
import type { Session } from "../../open/session.ts";
import type { QueuedPrompt, SessionMode } from "../../state/session-state.ts";
import type { CompactionServices } from "../context/compaction.ts";
import type { ModelCallServices } from "../context/manual-compaction.ts";
import type { PermissionServices } from "../permissions/permissions.ts";

/** The outcome of a command, in the wire's shape. */
export type CommandResult =
  | { readonly kind: "text"; readonly text: string; readonly markdown?: boolean }
  | { readonly kind: "completed"; readonly message?: string; readonly mode?: SessionMode }
  | {
      readonly kind: "agent-prompt";
      readonly prompt: string;
      readonly displayPrompt: string;
      readonly mode?: SessionMode;
    };

/** How a queued command ended. */
export interface QueuedCommandEnd {
  /** The rest of the queue waits until the next prompt or command comes. */
  readonly stopsQueue?: boolean;
  /** The command stands for a prompt, which is run next. */
  readonly prompt?: Pick<QueuedPrompt, "prompt" | "displayPrompt" | "agentMode">;
}

export interface CommandServices extends CompactionServices, ModelCallServices {
  readonly checkSettings: CheckSettings;
  readonly permissions: PermissionServices;
  readonly defaultWorkingDirectory: string;
}

export interface BuiltInCommand {
  /** In lower case, without the slash. */
  readonly name: string;
  readonly description: string;
  readonly input?: {
    readonly hint: string;
    readonly required?: boolean;
    readonly completion?: "directory";
  };
  readonly allowDuringAgentExecution: boolean;
  /**
   * @param input what was written behind the name, without blanks around it.
   * @throws RpcError when it makes no sense or cannot be done.
   */
  run(services: CommandServices, session: Session, input: string): Promise<CommandResult> | CommandResult;
}

/** @throws RpcError unless it is "on" or "off". */
export function toSwitch(command: string, input: string): boolean {
  if (input === "on") return true;
  if (input === "off") return false;
  throw new RpcError("invalid_params", `/${command}: expected 'on', 'off' or nothing, got '${input}'`, {
    path: "input",
  });
}
