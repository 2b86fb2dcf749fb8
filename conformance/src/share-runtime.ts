import { afterAll, beforeAll, expect } from "vitest";
import { type OwnRuntime, startOwnRuntime } from "./own-runtime.ts";
import { startWorld, type World } from "./world.ts";

/**
 * One runtime for all tests of a file, for those that mind no other sessions: starts it before the first,
 * and asserts after the last that it ends in order. Returns what makes the world of one test.
 */
export function shareRuntime(): () => Promise<World> {
  let runtime: OwnRuntime | undefined;
  beforeAll(async () => {
    runtime = await startOwnRuntime();
  });
  afterAll(async () => {
    expect(await runtime?.end()).toEqual([]);
  });
  return () => startWorld({ shared: runtime!.process });
}
