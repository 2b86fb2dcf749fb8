/**
 * Where the server's time goes: runs scenarios with V8's CPU profiler on the server, and prints the
 * functions and modules with the most self time.
 *
 * node bench/profile.mjs [--top N] [--only concurrent,streaming,turn,tool,each-turn]
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { askQuestion, endQuestions } from "./lib/ask-question.mjs";
import { ownServer, serve } from "./lib/bench.mjs";
import { readCpuProfile } from "./lib/cpu-profile.mjs";
import { formatTable } from "./lib/table.mjs";
import { concurrent } from "./questions/concurrent.mjs";
import { eachTurn } from "./questions/each-turn.mjs";
import { streaming } from "./questions/streaming.mjs";
import { tool } from "./questions/tool.mjs";
import { turn } from "./questions/turn.mjs";

const TIMEOUT_MS = 120_000;
// Long enough that the start of the server does not count.
const scenarios = [
  { question: concurrent, size: { levels: [100], turns: 60 } },
  { question: streaming, size: { deltas: 20_000, times: 12 } },
  { question: turn, size: { warm: 20, turns: 1_500 } },
  { question: tool, size: { calls: 100, times: 12 } },
  { question: eachTurn, size: { cycles: 400 } },
];

const { values: options } = parseArgs({
  options: {
    top: { type: "string", default: "30" },
    only: { type: "string", default: "concurrent,streaming" },
    server: { type: "string", default: ownServer },
  },
});
const wanted = options.only.split(",");
const directory = mkdtempSync(join(tmpdir(), "rightseat-profile-"));
process.once("exit", () =>
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    endQuestions();
    process.exit(1);
  });
}
for (const scenario of scenarios) {
  if (wanted.includes(scenario.question.name)) await profileScenario(scenario);
}

async function profileScenario({ question, size }) {
  const into = join(directory, question.name);
  const command = serve(options.server, `--cpu-prof --cpu-prof-dir="${into}"`);
  const answer = await askQuestion(question, { command, isOwn: true, size, timeoutMs: TIMEOUT_MS });
  if (answer.error) throw new Error(`${question.name}: ${answer.error}`);
  const [file] = readdirSync(into);
  const profile = readCpuProfile(join(into, file));
  const head = `${question.name}: ${question.asks}`;
  const busy = `server busy for ${(profile.busyMs / 1000).toFixed(1)} s, waiting for ${(profile.idleMs / 1000).toFixed(1)} s`;
  const figures = answer.figures.map(({ name, value, unit }) => `  ${name}: ${value} ${unit}`).join("\n");
  console.log(`\n${head}\n${figures}\n  (with the profiler on) ${busy}\n`);
  printRows("function", profile.functions);
  printRows("module", profile.modules);
  printRows("file, with what Node did for it", profile.owners);
}

function printRows(title, rows) {
  const top = rows.slice(0, Number(options.top));
  console.log(
    formatTable(
      ["self ms", "share", title],
      top.map((row) => [row.selfMs.toFixed(0), `${(row.share * 100).toFixed(1)} %`, row.name]),
      ["right", "right", "left"],
    ),
  );
  console.log();
}
