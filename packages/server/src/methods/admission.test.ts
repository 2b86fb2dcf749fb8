import { expect, test } from "vitest";
import { ADMISSION } from "./admission.ts";
import { createMethods } from "./index.ts";

test("every method says what it needs of its tenant's limits, and nothing else does", () => {
  const methods = Object.keys(createMethods({ registry: {}, runs: {} } as never));
  expect([...ADMISSION.keys()].sort()).toEqual(methods.sort());
});
