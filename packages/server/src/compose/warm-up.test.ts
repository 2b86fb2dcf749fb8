import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { warmUp } from "./warm-up.ts";

test("loads are made one after the other in their order, whether or not one fails", async () => {
  const begun: string[] = [];
  let running = 0;
  const load = (name: string, outcome: () => void) => async () => {
    expect(running).toBe(0);
    running += 1;
    begun.push(name);
    await turn();
    running -= 1;
    outcome();
  };
  const fails = () => {
    throw new Error("cannot be loaded");
  };
  await warmUp([load("first", () => undefined), load("second", fails), load("third", () => undefined)]);
  expect(begun).toEqual(["first", "second", "third"]);
});
