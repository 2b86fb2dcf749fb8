/** The slash commands that the server itself carries out. */
import { RpcError } from "@rightseat/protocol";
import { type CheckSettings, renameSession, switchModel } from "./change-session.ts";
import { clientFacts } from "./clients.ts";
import type { Session } from "./session.ts";
import { setMode } from "./session-mode.ts";
import { usageMetrics } from "./session-report.ts";
import type { SessionMode } from "./session-state.ts";

/** What a command came to, in the wire's shape. */
export type CommandResult =
  | { readonly kind: "text"; readonly text: string; readonly markdown?: boolean }
  | { readonly kind: "completed"; readonly message?: string; readonly mode?: SessionMode }
  | {
      readonly kind: "agent-prompt";
      readonly prompt: string;
      readonly displayPrompt: string;
      readonly mode?: SessionMode;
    };

export interface CommandServices {
  readonly checkSettings: CheckSettings;
  /** The session's name, mode or model changed. */
  readonly onUpdated: (session: Session) => void;
}

export interface BuiltInCommand {
  /** In lower case, without the slash. */
  readonly name: string;
  readonly description: string;
  readonly input?: { readonly hint: string; readonly required?: boolean };
  readonly allowDuringAgentExecution: boolean;
  /**
   * @param input what was written behind the name, without blanks around it.
   * @throws RpcError when it makes no sense or cannot be done.
   */
  run(services: CommandServices, session: Session, input: string): Promise<CommandResult> | CommandResult;
}

export const BUILT_IN_COMMANDS: readonly BuiltInCommand[] = [
  {
    name: "help",
    description: "List the commands of this session",
    allowDuringAgentExecution: true,
    run: (_, session) => {
      const all = [...BUILT_IN_COMMANDS, ...clientFacts(session).commands];
      return { kind: "text", text: all.map(describe).join("\n") };
    },
  },
  {
    name: "model",
    description: "Show the session's model, or switch to another",
    input: { hint: "[model id]" },
    allowDuringAgentExecution: true,
    run: async (services, session, input) => {
      if (input === "") {
        const { model, reasoningEffort } = session.settings;
        const effort = reasoningEffort === undefined ? "" : ` (reasoning effort ${reasoningEffort})`;
        return { kind: "text", text: `Model: ${model ?? "none chosen yet"}${effort}` };
      }
      await switchModel(services, session, { modelId: input });
      services.onUpdated(session);
      await session.committed();
      return { kind: "completed", message: `The model is now ${input}.` };
    },
  },
  {
    name: "plan",
    description: "Switch to plan mode; with a request, plan it",
    input: { hint: "[what to plan]" },
    allowDuringAgentExecution: true,
    run: (services, session, input) =>
      input === ""
        ? changeMode(services, session, "plan")
        : { kind: "agent-prompt", prompt: input, displayPrompt: input, mode: "plan" },
  },
  {
    name: "autopilot",
    description: "Switch autopilot mode on, or off",
    input: { hint: "[on|off]" },
    allowDuringAgentExecution: true,
    run: (services, session, input) => {
      const wanted = input === "" ? session.state.mode !== "autopilot" : toSwitch(input);
      return changeMode(services, session, wanted ? "autopilot" : "interactive");
    },
  },
  {
    name: "rename",
    description: "Give the session a name",
    input: { hint: "<name>", required: true },
    allowDuringAgentExecution: true,
    run: async (services, session, input) => {
      renameSession(session, input);
      services.onUpdated(session);
      await session.committed();
      return { kind: "completed", message: `The session is now called ${input}.` };
    },
  },
  {
    name: "session",
    description: "Show the session's id, name, directory and mode",
    allowDuringAgentExecution: true,
    run: (_, session) => {
      const { state, settings } = session;
      const directory = settings.workingDirectory ?? state.workingDirectory;
      const lines = [
        `Session: ${session.id}`,
        ...((state.name ?? state.title) ? [`Name: ${state.name ?? state.title}`] : []),
        ...(directory !== undefined ? [`Working directory: ${directory}`] : []),
        `Mode: ${state.mode}`,
      ];
      return { kind: "text", text: lines.join("\n") };
    },
  },
  {
    name: "usage",
    description: "Show what the session has used so far",
    allowDuringAgentExecution: true,
    run: (_, session) => {
      const { totalUserRequests, modelMetrics } = usageMetrics(session);
      const models = Object.entries(modelMetrics).map(
        ([model, { requests, usage }]) =>
          `${model}: ${requests.count} calls, ${usage.inputTokens} tokens in, ${usage.outputTokens} out`,
      );
      return { kind: "text", text: [`Prompts: ${totalUserRequests}`, ...models].join("\n") };
    },
  },
];

function describe(command: { name: string; description: string; input?: { hint: string } }): string {
  const usage = command.input ? `/${command.name} ${command.input.hint}` : `/${command.name}`;
  return command.description === "" ? usage : `${usage}: ${command.description}`;
}

async function changeMode(
  services: CommandServices,
  session: Session,
  mode: SessionMode,
): Promise<CommandResult> {
  if (setMode(session, mode)) {
    services.onUpdated(session);
    await session.committed();
  }
  return { kind: "completed", message: `The session is in ${mode} mode.`, mode };
}

function toSwitch(input: string): boolean {
  if (input === "on") return true;
  if (input === "off") return false;
  throw new RpcError("invalid_params", `/autopilot: expected 'on', 'off' or nothing, got '${input}'`, {
    path: "input",
  });
}
