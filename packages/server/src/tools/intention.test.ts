import { expect, test } from "vitest";
import { commandIntention, shownIn } from "./intention.ts";

test("a command is named beside what the model says of it, on one line", () => {
  expect(commandIntention("rm -rf \\\n  build", "Clean up")).toBe("Clean up: rm -rf \\ build");
  expect(commandIntention("rm -rf build", "")).toBe("Run rm -rf build");
  expect(commandIntention("make", "Run make")).toBe("Run make");
});

test("what is long is cut", () => {
  expect(shownIn("x".repeat(1000))).toBe(`${"x".repeat(200)}…`);
});
