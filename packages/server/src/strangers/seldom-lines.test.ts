import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SeldomLines } from "./seldom-lines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a thousand lines for one reason are two a minute, and the second says how many", () => {
  const lines: [string, object][] = [];
  const seldom = new SeldomLines((message, fields) => lines.push([message, fields]));
  for (let n = 0; n < 1_000; n += 1) seldom.write("refused", { n });
  seldom.write("refused", { other: true }, "another reason");
  expect(lines).toEqual([
    ["refused", { n: 0 }],
    ["refused", { other: true }],
  ]);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(2)).toEqual([["refused", { n: 999, count: 999 }]]);
  vi.advanceTimersByTime(60_000);
  seldom.write("refused", { n: "again" });
  expect(lines.slice(3)).toEqual([["refused", { n: "again" }]]);
  seldom.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("what was counted is told when the server ends", () => {
  const lines: [string, object][] = [];
  const seldom = new SeldomLines((message, fields) => lines.push([message, fields]));
  for (let n = 0; n < 3; n += 1) seldom.write("refused", { n });
  seldom.close();
  expect(lines.at(-1)).toEqual(["refused", { n: 2, count: 2 }]);
});
