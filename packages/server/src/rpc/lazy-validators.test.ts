import { expect, test } from "vitest";
import { LazyValidators } from "./lazy-validators.ts";

test("are loaded once, and those who wait go on in the order in which they came", async () => {
  let loads = 0;
  const validators = new LazyValidators(async () => {
    loads += 1;
    return {};
  });
  expect(validators.loaded).toBeUndefined();
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((n) => validators.load().then(() => order.push(n))));
  expect({ loads, order, loaded: validators.loaded }).toEqual({ loads: 1, order: [1, 2, 3], loaded: {} });
});

test("a loading that failed is tried again by the next call", async () => {
  let fails = true;
  const validators = new LazyValidators(async () => {
    if (fails) throw new Error("too many open files");
    return {};
  });
  await expect(validators.load()).rejects.toThrow("too many open files");
  expect(validators.loaded).toBeUndefined();
  fails = false;
  expect(await validators.load()).toEqual({});
});
