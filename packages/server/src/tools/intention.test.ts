import { expect, test } from "vitest";
import { callIntention, commandIntention, shownIn } from "./intention.ts";

test("a command is named beside what the model says of it, on one line", () => {
  expect(commandIntention("rm -rf \\\n  build", "Clean up")).toBe("Clean up: rm -rf \\ build");
  expect(commandIntention("rm -rf build", "")).toBe("Run rm -rf build");
  expect(commandIntention("make", "Run make")).toBe("Run make");
});

test("a call of a tool is named with its arguments", () => {
  expect(callIntention("lookup", { key: "a" })).toBe('Call lookup with {"key":"a"}');
  expect(callIntention("lookup", {})).toBe("Call lookup");
  expect(callIntention("lookup", undefined)).toBe("Call lookup");
});

test("what is long is cut", () => {
  expect(shownIn("x".repeat(1000))).toBe(`${"x".repeat(200)}…`);
});
