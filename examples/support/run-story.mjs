import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DEADLINE_MS = 60_000;

/**
 * Runs a story that tells and verifies itself. `story` gets:
 *
 * - `step(title)`: says what comes next, numbered
 * - `say(line)`: says what was seen
 * - `verify(holds, claim)`: says the claim when it holds, ends the story when it does not
 * - `defer(cleanUp)`: called at the end, the last first, however the story ends
 * - `tempDir()`: a directory that is removed at the end
 *
 * The process ends with 0 when the story came to its end and cleaned up, with 1 otherwise.
 */
export async function runStory(name, story) {
  const started = performance.now();
  const cleanUps = [];
  let steps = 0;
  const tools = {
    step: (title) => console.log(`\n${++steps}. ${title}`),
    say: (line) => console.log(`   ${line}`),
    verify(holds, claim) {
      if (!holds) throw new Error(`expected that ${claim}`);
      console.log(`   ok: ${claim}`);
    },
    defer: (cleanUp) => cleanUps.push(cleanUp),
    async tempDir() {
      const path = await mkdtemp(join(tmpdir(), `rightseat-${name}-`));
      cleanUps.push(() => rm(path, { recursive: true, force: true }));
      return path;
    },
  };
  let failure = await outcomeOf(() => withDeadline(story(tools)));
  while (cleanUps.length > 0) {
    const problem = await outcomeOf(cleanUps.pop());
    failure ??= problem;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (failure === undefined) {
    console.log(`\n${name}: all went as expected, in ${seconds} s`);
  } else {
    console.error(`\n${name} FAILED after ${seconds} s: ${failure.message}`);
    if (process.env.DEBUG) console.error(failure.stack);
    process.exitCode = 1;
  }
}

async function outcomeOf(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function withDeadline(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
