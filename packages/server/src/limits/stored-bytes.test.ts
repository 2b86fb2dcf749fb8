import { expect, test } from "vitest";
import { StoredBytes } from "./stored-bytes.ts";

test("what was measured counts for ten seconds, or twenty times as long as measuring took", async () => {
  let now = 0;
  let measured = 0;
  let tookMs = 100;
  const bytes = new StoredBytes(
    async () => {
      measured += 1;
      now += tookMs;
      return measured;
    },
    undefined,
    () => now,
  );
  expect(await bytes.of("a")).toBe(1);
  now += 9_999;
  expect(await bytes.of("a")).toBe(1);
  now += 1;
  tookMs = 1_000;
  expect(await bytes.of("a")).toBe(2);
  now += 19_999;
  expect(await bytes.of("a")).toBe(2);
  bytes.forget("a");
  expect(await bytes.of("a")).toBe(3);
});

test("one that failed is measured again", async () => {
  let fails = true;
  const bytes = new StoredBytes(() => (fails ? Promise.reject(new Error("disk")) : Promise.resolve(7)));
  await expect(bytes.of("a")).rejects.toThrow("disk");
  fails = false;
  expect(await bytes.of("a")).toBe(7);
});
