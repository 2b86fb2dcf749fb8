import { expect, test } from "vitest";
import type { SessionEvent } from "../types/messages.ts";
import { PromptWatch } from "./prompt-watch.ts";

const said = (content: string) => ({ type: "assistant.message", data: { content } }) as SessionEvent;
const asked = (messageId: string) => ({ type: "user.message", data: { messageId } }) as SessionEvent;

/** A wait that has heard a message, and then finds in the log what became of its own. */
function takeOver(...log: SessionEvent[]): PromptWatch {
  const watch = new PromptWatch("mine");
  watch.accepted("mine");
  watch.onEvent(said("what is said meanwhile"));
  const earlier = new PromptWatch("mine");
  for (const event of log) earlier.onEvent(event);
  watch.takeOver(earlier);
  watch.end();
  return watch;
}

test("a prompt whose turn was over before the wait began has its own answer", async () => {
  const watch = takeOver(asked("mine"), said("what was said to it"), asked("another"));
  expect((await watch.outcome)?.data.content).toBe("what was said to it");
});

test("a prompt whose turn goes on has what was told last", async () => {
  const watch = takeOver(asked("mine"), said("to begin with"));
  expect((await watch.outcome)?.data.content).toBe("what is said meanwhile");
});

test("a prompt that is looked up does not end with another's turn; where nothing is found the server is asked whether it waits", async () => {
  for (const found of [true, false]) {
    let questions = 0;
    const watch = new PromptWatch("mine", () => questions++);
    watch.accepted("mine");
    watch.lookingUp();
    watch.onEvent({ type: "session.idle", data: {} } as SessionEvent);
    expect(watch.isOver).toBe(false);
    const earlier = new PromptWatch("mine");
    for (const event of [asked("mine"), said("found"), asked("another")]) earlier.onEvent(event);
    if (found) watch.takeOver(earlier);
    watch.lookedUp();
    expect([watch.isOver, questions]).toEqual(found ? [true, 0] : [false, 1]);
    watch.dropped();
    expect((await watch.outcome)?.data.content).toBe(found ? "found" : undefined);
  }
});

test("a prompt that is neither in the queue nor carried out was removed, unless a turn was aborted or a hook blocked it", async () => {
  const outcomeAfter = (...told: object[]) => {
    const watch = new PromptWatch("mine");
    watch.accepted("mine");
    for (const event of told) watch.onEvent(event as SessionEvent);
    watch.droppedMeanwhile();
    return watch.outcome;
  };
  await expect(outcomeAfter()).rejects.toThrow("the prompt mine was taken out of the session's queue");
  expect(await outcomeAfter({ type: "abort", data: {} })).toBeUndefined();
  expect(await outcomeAfter({ type: "session.idle", data: { aborted: true } })).toBeUndefined();
  const blocked = { warningType: "policy_blocked", originatingMessageId: "mine" };
  expect(await outcomeAfter({ type: "session.warning", data: blocked })).toBeUndefined();
});

test("what may have become of a prompt is asked when the queue changes or the session rests before its turn, and not after", () => {
  let questions = 0;
  const watch = new PromptWatch("mine", () => questions++);
  const changed = { type: "pending_messages.modified", data: {} } as SessionEvent;
  watch.onEvent(changed);
  expect(questions).toBe(0);
  watch.accepted("mine");
  watch.onEvent(changed);
  watch.onEvent({ type: "session.idle", data: {} } as SessionEvent);
  expect(questions).toBe(2);
  watch.onEvent(asked("mine"));
  watch.onEvent(changed);
  expect(questions).toBe(2);
});

test("a prompt whose turn is over when another's begins while it is looked up has what was said before", async () => {
  for (const isSaidMeanwhile of [true, false]) {
    const watch = new PromptWatch("mine");
    watch.accepted("mine");
    watch.lookingUp();
    const log = [asked("mine"), said("early")];
    const told = [
      ...(isSaidMeanwhile ? [said("late")] : []),
      asked("another"),
      said("what another asked for"),
    ];
    const earlier = new PromptWatch("mine");
    for (const event of log) earlier.onEvent(event);
    for (const event of told) watch.onEvent(event);
    watch.takeOver(earlier);
    watch.lookedUp();
    expect((await watch.outcome)?.data.content).toBe(isSaidMeanwhile ? "late" : "early");
  }
});

test("a prompt whose turn began after the other that was told while it was looked up goes on", async () => {
  const watch = new PromptWatch("mine");
  watch.accepted("mine");
  watch.lookingUp();
  watch.onEvent(asked("another"));
  const earlier = new PromptWatch("mine");
  for (const event of [asked("another"), asked("mine")]) earlier.onEvent(event);
  watch.takeOver(earlier);
  watch.lookedUp();
  watch.onEvent(said("in its own turn"));
  watch.onEvent({ type: "session.idle", data: {} } as SessionEvent);
  expect((await watch.outcome)?.data.content).toBe("in its own turn");
});

test("a prompt whose session is not attached any more may be done", async () => {
  const watch = new PromptWatch("mine");
  watch.accepted("mine");
  const data = { errorType: "connection", message: "the session is not attached any more" };
  watch.onEvent({ type: "session.error", data } as SessionEvent);
  await expect(watch.outcome).rejects.toMatchObject({ message: data.message, maybeDone: true });
});

test("an idle on autopilot, and what sub-agents say and end with, do not end a wait", async () => {
  const watch = new PromptWatch("mine");
  watch.accepted("mine");
  watch.onEvent(asked("mine"));
  const ofSubAgent = (event: SessionEvent) => ({ ...event, agentId: "sub" }) as SessionEvent;
  watch.onEvent(said("to begin with"));
  watch.onEvent({ type: "session.idle", data: { mode: "autopilot" } } as SessionEvent);
  for (const event of [
    said("a sub-agent's"),
    asked("another"),
    { type: "session.idle", data: {} } as SessionEvent,
    { type: "session.error", data: { message: "a sub-agent's" } } as SessionEvent,
  ])
    watch.onEvent(ofSubAgent(event));
  expect(watch.isOver).toBe(false);
  watch.onEvent({ type: "session.error", data: { message: "x", originatingMessageId: "another" } } as never);
  expect(watch.isOver).toBe(false);
  watch.onEvent({ type: "session.idle", data: {} } as SessionEvent);
  expect((await watch.outcome)?.data.content).toBe("to begin with");
});
