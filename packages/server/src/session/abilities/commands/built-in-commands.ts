/** The slash commands that the server itself carries out. */

import { announceChange, renameSession, switchModel } from "../../open/change-session.ts";
import { clientFacts } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";
import { setMode } from "../../open/session-mode.ts";
import type { SessionMode } from "../../state/session-state.ts";
import { type ContextInfo, contextInfo, reportedContext } from "../context/context-report.ts";
import { compactNow } from "../context/manual-compaction.ts";
import { usageMetrics } from "../context/session-report.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";
import { type BuiltInCommand, type CommandResult, toSwitch } from "./command-types.ts";
import { PERMISSION_COMMANDS } from "./permission-commands.ts";

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
      announceChange(session);
      await session.committed();
      return { kind: "completed", message: `The model is now ${input}.` };
    },
  },
  {
    name: "compact",
    description: "Replace the conversation so far with a summary",
    input: { hint: "[what the summary should keep]" },
    allowDuringAgentExecution: true,
    run: async (services, session, input) => {
      const customInstructions = input === "" ? undefined : input;
      const { tokensRemoved } = await compactNow(services, session, {
        customInstructions,
        trigger: "manual",
      });
      return {
        kind: "completed",
        message: `The conversation was summarised; ${tokensRemoved} tokens are free again.`,
      };
    },
  },
  {
    name: "plan",
    description: "Switch to plan mode; with a request, plan it",
    input: { hint: "[what to plan]" },
    allowDuringAgentExecution: true,
    run: (_, session, input) =>
      input === ""
        ? changeMode(session, "plan")
        : { kind: "agent-prompt", prompt: input, displayPrompt: input, mode: "plan" },
  },
  {
    name: "autopilot",
    description: "Switch autopilot mode on, or off",
    input: { hint: "[on|off]" },
    allowDuringAgentExecution: true,
    run: (_, session, input) => {
      const wanted = input === "" ? session.state.mode !== "autopilot" : toSwitch("autopilot", input);
      return changeMode(session, wanted ? "autopilot" : "interactive");
    },
  },
  {
    name: "rename",
    description: "Give the session a name",
    input: { hint: "<name>", required: true },
    allowDuringAgentExecution: true,
    run: async (_, session, input) => {
      renameSession(session, input);
      announceChange(session);
      await session.committed();
      return { kind: "completed", message: `The session is now called ${input}.` };
    },
  },
  {
    name: "session",
    description: "Show the session's id, name, directory and mode",
    allowDuringAgentExecution: true,
    run: (services, session) => {
      const { state } = session;
      const lines = [
        `Session: ${session.id}`,
        ...((state.name ?? state.title) ? [`Name: ${state.name ?? state.title}`] : []),
        `Working directory: ${workingDirectoryOf(services, session)}`,
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
      const { totalUserRequests, modelMetrics, codeChanges } = usageMetrics(session);
      const { linesAdded, linesRemoved, filesModifiedCount } = codeChanges;
      const models = Object.entries(modelMetrics).map(
        ([model, { requests, usage }]) =>
          `${model}: ${requests.count} calls, ${usage.inputTokens} tokens in, ${usage.outputTokens} out`,
      );
      const changes = `Changes: ${linesAdded} lines added, ${linesRemoved} removed, in ${filesModifiedCount} files`;
      return { kind: "text", text: [`Requests: ${totalUserRequests}`, changes, ...models].join("\n") };
    },
  },
  {
    name: "context",
    description: "Show what fills the model's context",
    allowDuringAgentExecution: true,
    run: async (services, session) => ({
      kind: "text",
      text: contextText(contextInfo(await reportedContext(services, session))),
    }),
  },
  ...PERMISSION_COMMANDS,
];

function contextText(info: ContextInfo | undefined): string {
  if (!info) return "Nothing is in the model's context before the first prompt.";
  const { totalTokens, promptTokenLimit } = info;
  const share = promptTokenLimit > 0 ? ` (${Math.round((totalTokens / promptTokenLimit) * 100)} %)` : "";
  return [
    `${info.modelName}: ${totalTokens} of ${promptTokenLimit} tokens${share}`,
    `System message: ${info.systemTokens}`,
    `Tools: ${info.toolDefinitionsTokens}`,
    `Conversation: ${info.conversationTokens}`,
    `Summarised from: ${info.compactionThreshold}`,
  ].join("\n");
}

function describe(command: { name: string; description: string; input?: { hint: string } }): string {
  const usage = command.input ? `/${command.name} ${command.input.hint}` : `/${command.name}`;
  return command.description === "" ? usage : `${usage}: ${command.description}`;
}

async function changeMode(session: Session, mode: SessionMode): Promise<CommandResult> {
  if (setMode(session, mode)) {
    announceChange(session);
    await session.committed();
  }
  return { kind: "completed", message: `The session is in ${mode} mode.`, mode };
}
