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

test("of many that ask at the same time no more are let in than there is room for", async () => {
  const bytes = new StoredBytes(async () => 100);
  const asked = await Promise.all(Array.from({ length: 10 }, () => bytes.admits("a", 400, 1_000)));
  expect(asked.filter((isIn) => isIn)).toHaveLength(2);
  expect(await bytes.of("a")).toBe(900);
});

test("what was let in just before it is measured counts, whether it is there already or not", async () => {
  let now = 0;
  let stored = 100;
  const bytes = new StoredBytes(
    async () => stored,
    10,
    () => now,
  );
  expect(await bytes.admits("a", 400, 1_000)).toBe(true);
  now += 100;
  expect(await bytes.of("a")).toBe(500);
  stored = 500;
  now += 100;
  expect(await bytes.of("a")).toBe(500);
  stored = 300;
  now += 1_000;
  expect(await bytes.of("a")).toBe(300);
});

test("one that failed is measured again", async () => {
  let fails = true;
  const bytes = new StoredBytes(() => (fails ? Promise.reject(new Error("disk")) : Promise.resolve(7)));
  await expect(bytes.of("a")).rejects.toThrow("disk");
  fails = false;
  expect(await bytes.of("a")).toBe(7);
});
