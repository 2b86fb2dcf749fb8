/**
 * Random sequences of what applications do with the client, over a network that cuts, stalls and swallows, against a
 * real server. Whatever comes, every call settles; a prompt is carried out once at most, and once if its call
 * resolved; who follows a session's events is told each durable one once and in order; waits have their own answers;
 * nothing is rejected unseen, blocks the event loop or keeps the process from leaving.
 *
 * `RIGHTSEAT_CLIENT_MODEL_STEPS=1000000 npx vitest run packages/sdk/test/model/model.test.ts` is the long run, from
 * `RIGHTSEAT_CLIENT_MODEL_SEED` on. A failure names its seed and path: with both, and `RIGHTSEAT_CLIENT_MODEL_PATH`,
 * that sequence alone runs, and with `RIGHTSEAT_CLIENT_MODEL_SHRINK=1` a shorter one is looked for. Since time is a part
 * of it, a sequence may fail in one run of several.
 */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { buildProgram } from "./build-program.ts";
import { runProgram } from "./run-program.ts";

const {
  RIGHTSEAT_CLIENT_MODEL_STEPS: steps = "10000",
  RIGHTSEAT_CLIENT_MODEL_SEED: seed,
  RIGHTSEAT_CLIENT_MODEL_PATH: path,
  RIGHTSEAT_CLIENT_MODEL_SHRINK: shrinks,
} = process.env;

/** Sequences of these seeds, and of those that follow them, run side by side. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const STEPS = path === undefined ? Number(steps) : 1;
/** Enough for a busy machine; most machines need a tenth of it. */
const TIMEOUT_MS = 120_000 + 30 * STEPS;

test(
  `${STEPS} steps of random sequences`,
  async ({ signal }) => {
    const first = seed === undefined ? [] : SEEDS.map((_, index) => Number(seed) + index);
    const seeds = path === undefined ? (seed === undefined ? SEEDS : first) : [Number(seed)];
    const program = await buildProgram();
    try {
      const { failures, ...done } = await runProgram(
        program,
        { steps: STEPS, seeds, path, shrinks: shrinks === "1" },
        signal,
      );
      if (STEPS > 10_000 || failures.length > 0) console.log(JSON.stringify(done));
      for (const { seed, path, message } of failures) console.log(`seed ${seed}, path ${path}: ${message}`);
      expect(failures).toEqual([]);
      expect(done.ended).toBe(0);
      expect(done.steps).toBeGreaterThanOrEqual(STEPS);
    } finally {
      await rm(program);
    }
  },
  TIMEOUT_MS,
);
