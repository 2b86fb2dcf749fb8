/**
 * The system message of a session's next model call. It is built again only when something that it
 * is made of has changed; sessions whose messages are the same share one text.
 */
import { createHash } from "node:crypto";
import { SUB_AGENT_RULES } from "../../../agent/built-in-agents.ts";
import { modeInstructions } from "../../../agent/mode-instructions.ts";
import { buildSystemMessage, type SystemMessageConfig, toLocalDate } from "../../../agent/system-message.ts";
import type { Instructions } from "../../../discovery/instructions.ts";
import { renderInstructions } from "../../../discovery/render-instructions.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { ClientLink } from "../../members/client-link.ts";
import type { Asking } from "../../members/client-waits.ts";
import { requestInTime } from "../../open/request-in-time.ts";
import type { Session } from "../../open/session.ts";
import { currentMode } from "../../open/session-mode.ts";
import { Slot } from "../../open/slot.ts";
import { isOffered } from "../tools/offered-tools.ts";
import { type SurroundingServices, surroundingsOf } from "./surroundings.ts";

export interface SessionSystemMessage {
  readonly text: string;
  /** The hash of the text, hexadecimal. */
  readonly sha256: string;
  /** For the application's developer, with the `warningType` of each. */
  readonly warnings: readonly { readonly type: string; readonly message: string }[];
}

interface Ingredients {
  readonly settings: Session["settings"];
  readonly workingDirectory: string;
  readonly gitRoot: string | undefined;
  readonly gitBranch: string | undefined;
  readonly date: string;
  readonly instructions: Instructions | undefined;
  /** What the model is told of the mode; mostly nothing. */
  readonly mode: string;
  readonly agent: AgentDefinition | undefined;
  /** The client that rewrites sections. */
  readonly transformer: ClientLink | undefined;
}

const keptMessage = new Slot<{ readonly from: Ingredients; readonly message: SessionSystemMessage }>("awake");

/** @throws the signal's reason when it aborts while a client is asked. */
export async function systemMessageOf(
  session: Session,
  services: SurroundingServices,
  asking: Asking = {},
): Promise<SessionSystemMessage> {
  const from = await ingredientsOf(session, services);
  const known = keptMessage.of(session);
  if (known !== undefined && isSame(known.from, from)) return known.message;
  const built = await build(session, from, asking);
  // What its client was asked and has not said is missing in it.
  asking.signal?.throwIfAborted();
  const message = share(built);
  keptMessage.set(session, { from, message });
  return message;
}

async function ingredientsOf(session: Session, services: SurroundingServices): Promise<Ingredients> {
  const { workingDirectory, git, instructions } = await surroundingsOf(session, services);
  return {
    settings: session.settings,
    workingDirectory,
    gitRoot: git.gitRoot,
    gitBranch: git.branch,
    date: toLocalDate(new Date()),
    // A client that replaces the message brings all of it.
    instructions: configOf(session)?.mode === "replace" ? undefined : instructions,
    mode: modeOf(session),
    agent: session.agent,
    transformer: transformerOf(session),
  };
}

async function build(session: Session, from: Ingredients, asking: Asking): Promise<SessionSystemMessage> {
  const { settings, transformer, instructions, mode } = from;
  const config = configOf(session);
  const { text: message, warnings } = await buildSystemMessage({
    config,
    environment: from,
    sections: {
      custom_instructions: renderInstructions({
        sources: instructions?.sources ?? [],
        disabled: settings.disabledInstructionSources,
        organization: settings.organizationCustomInstructions,
      }),
      runtime_instructions: mode,
    },
    transform:
      transformer &&
      (async (sections) => {
        const params = { sessionId: session.id, sections };
        const answer = await session.waits.during(asking.waiter, () =>
          requestInTime(session, transformer, "systemMessage.transform", params, asking.signal),
        );
        return (answer as { sections?: typeof sections } | null)?.sections ?? {};
      }),
  });
  // A client that replaces the message and then chooses a mode wants both.
  const whole = config?.mode === "replace" && mode !== "" ? `${message}\n\n${mode}` : message;
  const text = from.agent && !settings.suppressCustomAgentPrompt ? withAgent(whole, from.agent) : whole;
  return {
    text,
    sha256: createHash("sha256").update(text).digest("hex"),
    warnings: [
      ...warnings.map((message) => ({ type: "system_prompt_customize", message })),
      ...(instructions?.warnings ?? []).map((message) => ({ type: "custom_instructions", message })),
    ],
  };
}

/** Behind everything, whatever the application made of the rest. */
function withAgent(text: string, agent: AgentDefinition): string {
  const name = JSON.stringify(agent.displayName);
  return `${text}\n\n<agent_instructions agent=${name}>\n${agent.prompt}\n</agent_instructions>`;
}

/** What a sub-agent is told: who it is, where it works and what the project wants. The application's own words are for the session. */
export async function agentMessageOf(
  session: Session,
  services: SurroundingServices,
  agent: AgentDefinition,
): Promise<string> {
  const { workingDirectory, git, instructions } = await surroundingsOf(session, services);
  const { settings } = session;
  const changesNothing = agent.source === "builtin" && agent.tools?.includes("edit") === false;
  const { text } = await buildSystemMessage({
    config: {
      mode: "customize",
      sections: changesNothing ? { code_change_rules: { action: "remove" } } : {},
    },
    environment: { workingDirectory, gitRoot: git.gitRoot, gitBranch: git.branch },
    sections: {
      preamble: agent.prompt,
      tone: "",
      custom_instructions: renderInstructions({
        sources: instructions.sources,
        disabled: settings.disabledInstructionSources,
        organization: settings.organizationCustomInstructions,
      }),
      runtime_instructions: SUB_AGENT_RULES,
    },
  });
  return text;
}

function configOf(session: Session): SystemMessageConfig | undefined {
  return session.settings.systemMessage as SystemMessageConfig | undefined;
}

function modeOf(session: Session): string {
  const mode = currentMode(session);
  if (mode === "interactive") return "";
  const offers = (name: string) => isOffered(session, name);
  return modeInstructions({
    mode,
    submitsPlans: offers("exit_plan_mode"),
    asksUser: offers("ask_user"),
    endsTasks: offers("task_complete"),
  });
}

function transformerOf(session: Session): ClientLink | undefined {
  for (const attachment of session.attachments.values())
    if (attachment.transformsSystemMessage) return attachment.link;
  return undefined;
}

function isSame(one: Ingredients, other: Ingredients): boolean {
  for (const key of Object.keys(one) as (keyof Ingredients)[]) if (one[key] !== other[key]) return false;
  return true;
}

/** Weakly held: a text goes when the last session that uses it does. */
const shared = new Map<string, WeakRef<SessionSystemMessage>>();
const forgotten = new FinalizationRegistry<string>((sha256) => {
  if (shared.get(sha256)?.deref() === undefined) shared.delete(sha256);
});

function share(message: SessionSystemMessage): SessionSystemMessage {
  if (message.warnings.length > 0) return message;
  const known = shared.get(message.sha256)?.deref();
  if (known) return known;
  shared.set(message.sha256, new WeakRef(message));
  forgotten.register(message, message.sha256);
  return message;
}
