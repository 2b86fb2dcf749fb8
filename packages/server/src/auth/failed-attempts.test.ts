import { expect, test } from "vitest";
import { FailedAttempts } from "./failed-attempts.ts";

test("each failure of an address is answered later than the one before, up to five seconds", () => {
  const attempts = new FailedAttempts();
  const delays = Array.from({ length: 8 }, () => attempts.count("192.0.2.1"));
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(attempts.count("192.0.2.2")).toBe(100);
  expect(attempts.total).toBe(9);
});

test("an address that has not failed for ten minutes begins anew", () => {
  let now = 0;
  const attempts = new FailedAttempts({ firstMs: 10, longestMs: 40 }, () => now);
  expect([attempts.count("a"), attempts.count("a"), attempts.count("a"), attempts.count("a")]).toEqual([
    10, 20, 40, 40,
  ]);
  now += 10 * 60_000;
  expect(attempts.count("a")).toBe(10);
});

test("ten thousand addresses are remembered, and no more", () => {
  const attempts = new FailedAttempts();
  for (let n = 0; n <= 10_000; n += 1) attempts.count(`a${n}`);
  expect(attempts.count("a1")).toBe(200);
  expect(attempts.count("a0")).toBe(100);
});
