import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isLeaseHeld, lookForLease, takeLease } from "./lease.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lease-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const key = { tenant: "default", sessionId: "s" };
const takerOf = (instance: string, outcome: "gone" | "kept" = "gone") => ({
  instance,
  socket: `/nowhere/${instance}`,
  ask: async () => outcome,
});
const take = (instance: string) => takeLease(directory, key, takerOf(instance));

it("no two takers ever get the same generation, even when every owner seems gone", async () => {
  const taken: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      for (let round = 0; round < 8; round++) {
        const generation = await take(`i${n}`).catch((error) => {
          expect(error.kind).toBe("conflict");
        });
        if (generation) taken.push(generation);
      }
    }),
  );
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.length).toBeGreaterThan(10);
  expect(isLeaseHeld(directory, Math.max(...taken))).toBe(true);
  expect(isLeaseHeld(directory, Math.max(...taken) - 1)).toBe(false);
});

it("a session without claims starts at generation 1, a kept one stays with its owner", async () => {
  expect(await take("a")).toBe(1);
  await expect(takeLease(directory, key, takerOf("b", "kept"))).rejects.toMatchObject({
    kind: "conflict",
  });
  expect(isLeaseHeld(directory, 1)).toBe(true);
});

it("goes on above a claim whose owner died before publishing it", async () => {
  await take("a");
  await writeFile(join(directory, "lease.2"), JSON.stringify({ generation: 2, instance: "x", socket: "/x" }));
  expect(await take("b")).toBe(3);
  expect((await readdir(directory)).toSorted()).toEqual(["lease.3", "lease.json"]);
});

it("an unreadable claim or copy, as a power cut leaves it, never lowers the generation", async () => {
  for (let generation = 1; generation <= 4; generation++) await take("a");
  await writeFile(join(directory, "lease.json"), "\0\0\0");
  await writeFile(join(directory, "lease.4"), "");
  expect(await take("b")).toBe(5);
  await rm(join(directory, "lease.json"));
  expect(await take("c")).toBe(6);
  await rm(join(directory, "lease.6"));
  expect(await take("d")).toBe(7);
});

it("a session whose directory is gone is not found", async () => {
  const gone = takeLease(join(directory, "gone"), key, takerOf("a"));
  await expect(gone).rejects.toMatchObject({ kind: "not-found" });
});

it("an error of the disk is not taken for a lease that is lost", async () => {
  expect(await lookForLease(directory, 1)).toBe(false);
  await expect(lookForLease(join(directory, "x".repeat(300)), 1)).rejects.toMatchObject({
    code: "ENAMETOOLONG",
  });
});
