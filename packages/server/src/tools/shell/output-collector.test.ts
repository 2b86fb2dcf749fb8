import { expect, test } from "vitest";
import type { BuiltInToolHost } from "../built-in-tool.ts";
import { OutputCollector } from "./output-collector.ts";

/** The host of a session whose store keeps no files. */
const host = {
  largeOutputMaxBytes: () => 1_000,
  largeOutputDirectory: () => undefined,
} as unknown as BuiltInToolHost;

/** Whether it is settled before timers have had a turn. */
async function isSettledAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  void promise.then(() => {
    isSettled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
}

test("output of a usual size is taken at once; the reader of what is too large leaves the next in its pipe for a moment", async () => {
  const output = new OutputCollector(host);
  expect(await isSettledAtOnce(output.append(Buffer.alloc(900, "a")))).toBe(true);
  await output.append(Buffer.alloc(900, "a"));
  const more = output.append(Buffer.alloc(900, "a"));
  expect(await isSettledAtOnce(more)).toBe(false);
  await more;
  expect((await output.take()).text).toContain("a");
  expect(await isSettledAtOnce(output.append(Buffer.from("b")))).toBe(true);
});
