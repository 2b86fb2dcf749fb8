import { expect, test } from "vitest";
import { LineLimit } from "./line-limit.ts";

test("of one message so many lines are written; the others are counted and told at the end of the time", async () => {
  const leftOut: [string, number][] = [];
  const limit = new LineLimit({
    maxLines: 2,
    windowMs: 20,
    onLeftOut: (message, lines) => leftOut.push([message, lines]),
  });
  expect(["a", "a", "a", "b", "a"].map((message) => limit.admits(message))).toEqual([
    ...[true, true, false, true, false],
  ]);
  await expect.poll(() => leftOut).toEqual([["a", 2]]);
  expect(limit.admits("a")).toBe(true);
});

test("what was left out is told at the end of the process", () => {
  const leftOut: [string, number][] = [];
  const limit = new LineLimit({
    maxLines: 1,
    windowMs: 3_600_000,
    onLeftOut: (message, lines) => leftOut.push([message, lines]),
  });
  for (let count = 0; count < 5; count++) limit.admits("a");
  limit.admits("b");
  limit.flush();
  expect(leftOut).toEqual([["a", 4]]);
});
