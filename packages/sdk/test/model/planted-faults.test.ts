/**
 * `RIGHTSEAT_CLIENT_MODEL_FAULTS=all npx vitest run packages/sdk/test/model/planted-faults.test.ts` plants each fault in
 * the client's sources and says which seed of the model-based test notices it; a part of a name chooses those.
 */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { buildProgram, plantedSources } from "./build-program.ts";
import { FAULTS } from "./planted-faults.ts";
import { runProgram } from "./run-program.ts";

const { RIGHTSEAT_CLIENT_MODEL_FAULTS: wanted } = process.env;
const chosen =
  wanted === undefined ? [] : FAULTS.filter(({ name }) => wanted === "all" || name.includes(wanted));

test.each(FAULTS)("the sources have a place for: $name", (fault) => {
  expect(plantedSources(fault).size).toBeGreaterThan(0);
});

for (const fault of chosen)
  test(`is noticed: ${fault.name}`, { timeout: 600_000 }, async ({ signal }) => {
    const program = await buildProgram(fault);
    try {
      const { failures, steps, seconds } = await runProgram(
        program,
        { steps: 20_000, seeds: [1, 2, 3, 4, 5, 6, 7, 8], settleMs: 10_000 },
        signal,
      );
      const [first] = failures;
      const how = first?.message.split("\n")[0];
      console.log(`| ${fault.name} | ${first?.seed ?? ""} | ${steps} | ${seconds} s | ${how} |`);
      if (wanted !== "all") console.log(first?.message);
      expect(failures.length).toBeGreaterThan(0);
    } finally {
      await rm(program);
    }
  });
