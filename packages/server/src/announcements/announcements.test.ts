import { expect, test } from "vitest";
import { Announcements } from "./announcements.ts";

const key = { tenant: "t", sessionId: "s" };

test("a subscriber is told of the kinds that it listens to, and of no others", () => {
  const announcements = new Announcements(() => undefined);
  const told: unknown[] = [];
  announcements.subscribe({ "run-begun": (run) => told.push(run) });
  announcements.announce("session-made", { key });
  announcements.announce("run-begun", { key, messageId: "m" });
  expect(told).toEqual([{ key, messageId: "m" }]);
});

test("subscribers are told in the order in which they subscribed, until they end it", () => {
  const announcements = new Announcements(() => undefined);
  const told: string[] = [];
  const end = announcements.subscribe({ "session-made": () => told.push("first") });
  announcements.subscribe({ "session-made": () => told.push("second") });
  announcements.announce("session-made", { key });
  end();
  end();
  announcements.announce("session-made", { key });
  expect(told).toEqual(["first", "second", "second"]);
});

test("a listener that throws keeps neither the others nor whoever announces from going on", () => {
  const bugs: unknown[] = [];
  const announcements = new Announcements((error, kind) => bugs.push([(error as Error).message, kind]));
  const told: string[] = [];
  announcements.subscribe({
    "session-made": () => {
      throw new Error("broken");
    },
  });
  announcements.subscribe({ "session-made": () => told.push("second") });
  announcements.announce("session-made", { key });
  expect({ bugs, told }).toEqual({ bugs: [["broken", "session-made"]], told: ["second"] });
});
