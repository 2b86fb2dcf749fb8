import { expect, test } from "vitest";
import { Newcomers } from "./newcomers.ts";

test("the oldest of the origin that has the most is the first to go", () => {
  const newcomers = new Newcomers<string>();
  newcomers.add("lonely", "192.0.2.1");
  newcomers.add("a", "192.0.2.2");
  newcomers.add("b", "::ffff:192.0.2.2");
  expect(newcomers.first()).toBe("a");
  newcomers.delete("a");
  newcomers.delete("b");
  expect(newcomers.first()).toBe("lonely");
  newcomers.delete("lonely");
  newcomers.delete("lonely");
  expect([newcomers.first(), newcomers.size]).toEqual([undefined, 0]);
});
