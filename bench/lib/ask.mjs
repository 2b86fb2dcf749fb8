/** Asks one question in a process of its own. Its order comes from the parent, its figures go there. */
import { rmSync } from "node:fs";
import { questions } from "../questions/index.mjs";
import { createBench } from "./bench.mjs";
import { killDescendants } from "./processes.mjs";

// Ctrl-C reaches every process of the terminal; the parent decides how this one ends.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);

process.once("message", async ({ name, ...options }) => {
  process.once("disconnect", () => {
    // The parent was killed: nobody else would clean up.
    killDescendants(process.pid);
    rmSync(options.directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(1);
  });
  const bench = await createBench(options);
  let answer;
  try {
    answer = { figures: await questions.find((question) => question.name === name).ask(bench) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  await bench.close();
  process.send(answer, () => process.exit(0));
});
