import { expect, test } from "vitest";
import { loadSeldomMethods, SELDOM_METHODS } from "./seldom-methods.ts";

test("the methods that are loaded late are all that their files have", async () => {
  const loaded = await loadSeldomMethods({ registry: { store: {} }, runs: {} } as never);
  expect(Object.keys(loaded)).toEqual(SELDOM_METHODS);
});
