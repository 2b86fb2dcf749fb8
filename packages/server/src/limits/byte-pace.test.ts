import { expect, test } from "vitest";
import { BytePace } from "./byte-pace.ts";

test("a second's bytes may come at once, and what follows has to wait for its time", () => {
  const pace = new BytePace();
  expect(pace.take(1_000, 1_000, 0)).toBe(0);
  expect(pace.take(500, 1_000, 0)).toBe(500);
  expect(pace.take(0, 1_000, 500)).toBe(0);
  expect(pace.take(2_000, 1_000, 500)).toBe(2_000);
});

test("a rest gives back no more than a second's bytes", () => {
  const pace = new BytePace();
  pace.take(1_000, 1_000, 0);
  expect(pace.take(1_000, 1_000, 60_000)).toBe(0);
  expect(pace.take(1_000, 1_000, 60_000)).toBe(1_000);
});
