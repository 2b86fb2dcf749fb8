import { expect, test, vi } from "vitest";
import { FailedAttempts } from "./failed-attempts.ts";

test("each failure of an address is followed by a longer wait than the one before, up to five seconds", () => {
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

test("an attempt after a failure is judged when the delay is over, side by side with others of its network", async () => {
  vi.useFakeTimers();
  try {
    let now = 0;
    const attempts = new FailedAttempts({ firstMs: 100, longestMs: 5_000 }, () => now);
    expect(await attempts.turn("2001:db8::1")).toBe(true);
    attempts.count("2001:db8::1");
    attempts.count("2001:db8::2");
    const judged: boolean[] = [];
    // Another address of the same /64 waits as well; of more than 256 none is kept waiting.
    for (let n = 0; n < 257; n += 1) void attempts.turn("2001:db8::ffff").then((turn) => judged.push(turn));
    expect(await attempts.turn("192.0.2.1")).toBe(true);
    expect(judged).toEqual([false]);
    await vi.advanceTimersByTimeAsync(199);
    expect(judged).toEqual([false]);
    now = 200;
    await vi.advanceTimersByTimeAsync(1);
    expect(judged).toHaveLength(257);
    expect(judged.filter((turn) => turn)).toHaveLength(256);
    expect(await attempts.turn("2001:db8::3")).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
