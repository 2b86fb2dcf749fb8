/** What idle sub-agents know, were asked and said, from the lines of the session's log that carry their ids. */
import type { EventLog } from "../../../store/event-log.ts";
import type { Session } from "../../open/session.ts";
import { applyOwnLine, type LoggedEvent } from "../../state/projection.ts";
import { type ConversationState, createConversationState } from "../../state/session-state.ts";

export interface RecalledAgent {
  readonly state: ConversationState;
  /** What it was asked last. */
  prompt: string;
  /** All of its answers, oldest first. */
  readonly answers: string[];
}

/** Marks lines of sub-agents; anywhere else in a line its quotes are escaped. */
const OF_AGENT = '"agentId":"';

/**
 * Reads the whole log. Nothing of it is taken back by rewinds: an agent knows what it did.
 * @throws StoreError or RpcError when the log cannot be read.
 */
export async function recallAgents(
  log: Pick<EventLog, "read">,
  session: Session,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, RecalledAgent>> {
  await session.committed();
  const recalled = new Map(
    agentIds.map((id): [string, RecalledAgent] => [
      id,
      { state: createConversationState(), prompt: "", answers: [] },
    ]),
  );
  for await (const batch of log.read(session.key, { to: session.end })) {
    for (const { json, value } of batch) {
      if (!json.includes(OF_AGENT)) continue;
      const event = (value ?? JSON.parse(json)) as LoggedEvent;
      const agent = recalled.get(event.agentId ?? "");
      if (agent) take(agent, event);
    }
  }
  return recalled;
}

function take(agent: RecalledAgent, event: LoggedEvent): void {
  const { type, data } = event;
  applyOwnLine(agent.state, event);
  if (type === "user.message" && data?.delivery === "idle") agent.prompt = String(data.content);
  if (type === "rightseat.agent_idle") agent.answers.push(data?.answer ?? lastAnswerOf(agent.state));
}

/** Empty when there is none. */
export function lastAnswerOf({ messages }: ConversationState): string {
  const last = messages.findLast(({ role }) => role === "assistant");
  return last?.role === "assistant" ? last.content : "";
}
