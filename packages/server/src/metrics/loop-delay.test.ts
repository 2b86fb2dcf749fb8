import { expect, test } from "vitest";
import { LoopDelay } from "./loop-delay.ts";

const standStill = (ms: number) => {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
};

test("a loop that stood still is told of to each who asks, once, and before its next look", async () => {
  const delay = new LoopDelay();
  try {
    standStill(1_000);
    expect(delay.takeLongestMs()).toBeGreaterThan(700);
    // The look that was overdue is made.
    await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
    const delays = delay.takeDelays();
    expect(delays.max).toBeGreaterThan(700);
    expect(delays.percentile(50)).toBeGreaterThan(0);
    expect(delay.takeDelays()).toMatchObject({ min: 0, max: 0, mean: 0, stddev: 0 });
  } finally {
    delay.close();
  }
});
