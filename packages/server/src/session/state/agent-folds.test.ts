import { expect, test } from "vitest";
import { applyLine, applyRewoundLine, type LoggedEvent } from "./projection.ts";
import { createSessionState, MOST_IDLE_AGENTS, type SessionState } from "./session-state.ts";

const line = (type: string, agentId: string, data: object = {}): LoggedEvent => ({ type, agentId, data });
const began = (agentId: string) => line("subagent.started", agentId, { agentName: "general-purpose" });
const answered = (agentId: string) => [
  line("subagent.completed", agentId),
  line("rightseat.agent_idle", agentId, { name: agentId, answer: "a long answer" }),
];
function folded(...events: LoggedEvent[]): SessionState {
  const state = createSessionState();
  for (const event of events) applyLine(state, event, JSON.stringify(event));
  return state;
}
const idleOf = ({ idleAgents }: SessionState) => idleAgents?.map(({ agentId }) => agentId);

test("an agent that has answered is idle, at work once it is told more, and neither once it failed", () => {
  const idle = [began("a"), ...answered("a")];
  expect(folded(...idle)).toMatchObject({ idleAgents: [{ agentId: "a", name: "a" }] });
  expect(folded(...idle).openAgents).toBeUndefined();
  expect(idleOf(folded(...idle, began("a")))).toBeUndefined();
  expect(folded(...idle, began("a")).openAgents).toHaveLength(1);
  const failed = folded(...idle, began("a"), line("subagent.failed", "a"));
  expect([failed.idleAgents, failed.openAgents]).toEqual([undefined, undefined]);
  expect(idleOf(folded(...idle, line("rightseat.agent_gone", "a")))).toBeUndefined();
});

test("what idle agents answered is not in the state of their session", () => {
  expect(JSON.stringify(folded(began("a"), ...answered("a")))).not.toContain("a long answer");
});

test("so many idle agents are kept, those that answered last", () => {
  const ids = Array.from({ length: MOST_IDLE_AGENTS + 2 }, (_, index) => `agent-${index}`);
  expect(idleOf(folded(...ids.flatMap((id) => [began(id), ...answered(id)])))).toEqual(ids.slice(2));
});

test("a rewind leaves sub-agents as they are", () => {
  const state = folded(began("a"));
  for (const event of answered("a")) applyRewoundLine(state, event);
  expect(idleOf(state)).toEqual(["a"]);
  expect(state.openAgents).toBeUndefined();
});

test("what a sub-agent records of its conversation changes nothing in its session's", () => {
  const prompt = { messageId: "m", prompt: "more", steering: true };
  const state = folded(
    line("rightseat.prompt_queued", "a", { prompt }),
    line("rightseat.context_added", "a", { content: "a hook says" }),
    line("rightseat.truncated", "a", { dropped: [[0, 1]], shortened: [] }),
    line("rightseat.run_ended", "a", { messageId: "m" }),
  );
  expect(state).toEqual(createSessionState());
});
