import { expect, test } from "vitest";
import { unlessStoreHangs } from "./unless-store-hangs.ts";

const never = new Promise<void>(() => undefined);
const quick = { lookMs: 5, answerMs: 5 };

test("work that ends is waited for while the store answers, or refuses", async () => {
  let looks = 0;
  let resolve = () => {};
  const work = new Promise<void>((done) => (resolve = done));
  const check = async () => {
    looks += 1;
    if (looks === 3) resolve();
    if (looks % 2 === 0) throw new Error("full");
  };
  expect(await unlessStoreHangs({ check }, work, { lookMs: 5, answerMs: 10_000 })).toBe(true);
});

test("work is given up when the store does not answer", async () => {
  expect(await unlessStoreHangs({ check: () => never }, never, quick)).toBe(false);
});

test("work that fails is told as it fails", async () => {
  const failed = Promise.reject(new Error("why"));
  await expect(unlessStoreHangs({ check: () => never }, failed, quick)).rejects.toThrow("why");
});
