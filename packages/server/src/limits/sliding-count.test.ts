import { describe, expect, test } from "vitest";
import { SlidingCount } from "./sliding-count.ts";

describe("SlidingCount", () => {
  test("counts what lies within the window, and forgets the rest", () => {
    const count = new SlidingCount(60_000, 60);
    count.add(3, 1_000_000);
    count.add(2, 1_030_000);
    expect(count.total(1_030_000)).toBe(5);
    expect(count.total(1_059_999)).toBe(5);
    expect(count.total(1_060_000)).toBe(2);
    expect(count.total(1_090_000)).toBe(0);
    expect(count.total(99_000_000)).toBe(0);
  });

  test("says how long to wait, and that long is enough, and no less is", () => {
    const count = new SlidingCount(60_000, 60);
    let now = 5_000_000;
    for (let step = 0; step < 10; step += 1) {
      expect(count.waitFor(1, 10, now)).toBe(0);
      count.add(1, now);
      now += 1_000;
    }
    const wait = count.waitFor(1, 10, now);
    expect(wait).toBeGreaterThan(0);
    expect(count.waitFor(3, 10, now)).toBeGreaterThan(wait);
    expect(count.waitFor(1, 10, now + wait - 1)).toBeGreaterThan(0);
    expect(count.waitFor(1, 10, now + wait)).toBe(0);
  });

  test("agrees with a plain list of times, whatever is added when", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const slotMs = 1_000;
    const count = new SlidingCount(20 * slotMs, 20);
    const all: { at: number; amount: number }[] = [];
    let now = 0;
    for (let step = 0; step < 2_000; step += 1) {
      now += Math.floor(random() * 3_000) * (random() < 0.02 ? 20 : 1);
      const amount = Math.floor(random() * 5);
      count.add(amount, now);
      all.push({ at: Math.floor(now / slotMs), amount });
      const oldest = Math.floor(now / slotMs) - 19;
      const expected = all.filter(({ at }) => at >= oldest).reduce((sum, each) => sum + each.amount, 0);
      expect(count.total(now)).toBe(expected);
    }
  });
});
