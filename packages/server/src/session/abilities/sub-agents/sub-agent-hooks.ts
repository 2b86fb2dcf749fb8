/** What hooks have to say at a sub-agent's beginning and end. */
import { randomUUID } from "node:crypto";
import { cutText } from "@rightseat/protocol";
import { withTime } from "../../../agent/prompt-time.ts";
import type { HookedAgent } from "../../../hooks/hook-asker.ts";
import type { HookInput } from "../../../hooks/hook-source.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Conversation } from "../../open/conversation.ts";
import { type HookServices, hasHooks, hookAskerOf } from "../hooks/session-hooks.ts";

interface HookedWork {
  readonly conversation: Conversation;
  readonly caller: Pick<HookedAgent, "agentId" | "parentAgentId">;
  readonly agent: AgentDefinition;
  readonly signal: AbortSignal;
}

/** As published: after so many blocks in a row it stops all the same. */
const MAX_BLOCKS = 8;
/** The length of everything that hooks put before a prompt, in characters. */
const MAX_CONTEXT = 10 * 1024;

export function hookedAgentOf({ caller, agent }: Pick<HookedWork, "caller" | "agent">): HookedAgent {
  const { agentId, parentAgentId } = caller;
  return { agentId, agentType: agent.name, ...(parentAgentId !== undefined ? { parentAgentId } : {}) };
}

/** The prompt with what hooks put before it. */
export async function promptWithHooks(
  services: HookServices,
  work: HookedWork,
  prompt: string,
): Promise<string> {
  if (!hasHooks(work.conversation.session)) return prompt;
  const contexts: string[] = [];
  await askerOf(services, work).ask(
    "subagentStart",
    work.signal,
    () => toldOf(services, work),
    (output) => {
      const context = output.text("additionalContext");
      if (context !== undefined) contexts.push(context);
    },
  );
  return contexts.length === 0 ? prompt : `${cutText(contexts.join("\n\n"), MAX_CONTEXT)}\n\n${prompt}`;
}

/** Asked whenever a sub-agent would stop. */
export class StopHooks {
  /** What a hook put in place of the last answer. */
  response: string | undefined;
  #blocks = 0;
  readonly #services: HookServices;
  readonly #work: HookedWork;

  constructor(services: HookServices, work: HookedWork) {
    this.#services = services;
    this.#work = work;
  }

  /** True when a hook wants it to go on: why is in its conversation then. */
  async keepsGoing(): Promise<boolean> {
    const { conversation, signal } = this.#work;
    let reason: string | undefined;
    let stops = false;
    this.response = undefined;
    const last = conversation.state.messages.findLast(({ role }) => role === "assistant");
    await askerOf(this.#services, this.#work).ask(
      "subagentStop",
      signal,
      () => ({
        ...toldOf(this.#services, this.#work),
        stopReason: "end_turn",
        response: this.response ?? (last?.role === "assistant" ? last.content : ""),
      }),
      (output) => {
        stops ||= output.any("continue") === false;
        this.response = output.text("modifiedResponse") ?? this.response;
        if (output.oneOf("decision", ["block", "allow"]) === "block") reason ??= output.text("reason");
      },
    );
    if (reason === undefined || stops || this.#blocks >= MAX_BLOCKS || signal.aborted) return false;
    this.#blocks += 1;
    conversation.append("user.message", {
      content: reason,
      messageId: randomUUID(),
      transformedContent: withTime(reason),
      delivery: "steering",
      attachments: [],
    });
    return true;
  }
}

function askerOf(services: HookServices, work: HookedWork) {
  const agent = hookedAgentOf(work);
  return hookAskerOf(services, work.conversation.session, { agent, asSession: true, waiter: agent });
}

function toldOf(services: HookServices, { conversation, agent }: HookedWork): HookInput {
  const transcriptPath = services.transcriptPath(conversation.session);
  return {
    ...(transcriptPath !== undefined ? { transcriptPath } : {}),
    agentName: agent.name,
    agentDisplayName: agent.displayName,
    agentDescription: agent.description,
  };
}
