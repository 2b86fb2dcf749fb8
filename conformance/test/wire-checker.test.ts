import { expect, test } from "vitest";
import { encodeFrame } from "../src/frames.ts";
import type { Speaker } from "../src/wire-checker.ts";
import { createWireChecker } from "../src/world.ts";

/** What the checker finds in a conversation. */
function violationsOf(...spoken: [Speaker, object][]): string[] {
  const checker = createWireChecker();
  const hear = checker.listen(1);
  for (const [from, message] of spoken)
    hear(from, encodeFrame(JSON.stringify({ jsonrpc: "2.0", ...message })));
  return checker.violations;
}

const ID = "00000000-0000-4000-8000-000000000000";
const event = (type: string, data: object, rest: object = {}) => ({
  method: "session.event",
  params: {
    sessionId: "s",
    event: { id: ID, timestamp: "2026-01-01T00:00:00.000Z", parentId: null, type, data, ...rest },
  },
});

test("an event as published passes", () => {
  expect(violationsOf(["server", event("abort", { reason: "user_initiated" })])).toEqual([]);
});

test("a field that an event must not have is found, with the event's type and the path", () => {
  const found = violationsOf(["server", event("abort", { reason: "user_initiated", why: "bored" })]);
  expect(found).toEqual([expect.stringMatching(/^session\.event abort \/data: .*\(why\)/)]);
});

test("a value outside its enumeration is found", () => {
  const found = violationsOf(["server", event("abort", { reason: "bored" })]);
  expect(found).toEqual([expect.stringMatching(/^session\.event abort \/data\/reason: .*got "bored"$/)]);
});

test("an event that nobody published is found", () => {
  expect(violationsOf(["server", event("session.coffee", {})])).toEqual([
    expect.stringContaining('"session.coffee"'),
  ]);
});

test("a result that is not as published is found, with its method and path", () => {
  const found = violationsOf(
    ["client", { id: 1, method: "session.send", params: {} }],
    ["server", { id: 1, result: { messageId: 5 } }],
  );
  expect(found).toEqual(["result of session.send /messageId: must be string, got 5"]);
});

test("what SDKs know and the published schemas do not have passes, and is held to its own description", () => {
  const message = { errorType: "query", message: "no", originatingMessageId: ID };
  const sendAndWait = (result: object): [Speaker, object][] => [
    ["client", { id: 1, method: "session.sendAndWait", params: {} }],
    ["server", { id: 1, result }],
  ];
  const found = violationsOf(
    ["server", event("session.error", message)],
    ["server", event("session.autopilot_stopped", { reason: "stopped" }, { ephemeral: true })],
    ["server", event("session.autopilot_stopped", { why: "stopped" }, { ephemeral: true })],
    ...sendAndWait({ messageId: "m", aborted: false }),
    ...sendAndWait({ messageId: "m" }),
  );
  expect(found).toEqual([
    expect.stringMatching(/^session\.event session\.autopilot_stopped \/data: .*'reason'/),
    expect.stringMatching(/^session\.event session\.autopilot_stopped \/data: .*\(why\)/),
    expect.stringMatching(/^result of session\.sendAndWait \/: .*'aborted'/),
  ]);
});

test("a second answer to a request is found", () => {
  const answer = { id: 1, result: { version: "1.0.0", protocolVersion: 3 } };
  const found = violationsOf(
    ["client", { id: 1, method: "status.get" }],
    ["server", answer],
    ["server", answer],
  );
  expect(found).toEqual([expect.stringContaining("a second one")]);
});

test("an error without a reason for programs is found", () => {
  const found = violationsOf(
    ["client", { id: 1, method: "ping" }],
    ["server", { id: 1, error: { code: -32603, message: "oops" } }],
  );
  expect(found).toEqual([expect.stringMatching(/^error of ping \/data\/reason/)]);
});

test("events inside a history are checked one by one", () => {
  const { event: bad } = event("abort", { reason: "bored" }).params;
  const found = violationsOf(
    ["client", { id: 1, method: "session.getMessages" }],
    ["server", { id: 1, result: { events: [bad] } }],
  );
  expect(found).toEqual([expect.stringContaining("abort /data/reason")]);
});
