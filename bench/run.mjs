/**
 * The benchmark. What each question measures is said in `questions/`; how to read it, in README.md.
 *
 * node bench/run.mjs [--quick] [--only name,name] [--runs N] [--out file.json]
 *                    [--peer "<command that serves on $PORT>"] [--peer-name NAME] [--floor] [--server bin/rightseat.js]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askQuestion, endQuestions } from "./lib/ask-question.mjs";
import { ownServer, serve } from "./lib/bench.mjs";
import { describeMachine } from "./lib/machine.mjs";
import { medianAnswer } from "./lib/median-answer.mjs";
import { resultTable } from "./lib/result-table.mjs";
import { questions } from "./questions/index.mjs";

const QUICK_TIMEOUT_MS = 30_000;
const FULL_TIMEOUT_MS = 300_000;
/** What `floor.mjs` has the methods for. */
const FLOOR_QUESTIONS = new Set([
  "startup",
  "create",
  "turn",
  "streaming",
  "concurrent",
  "churn",
  "each-turn",
]);

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    runs: { type: "string", default: "1" },
    out: { type: "string", default: fileURLToPath(new URL("results/last.tmp.json", import.meta.url)) },
    peer: { type: "string" },
    "peer-name": { type: "string", default: "peer" },
    floor: { type: "boolean", default: false },
    server: { type: "string", default: ownServer },
  },
});
if (options.floor) {
  options.peer = `"${process.execPath}" "${fileURLToPath(new URL("floor.mjs", import.meta.url))}" $PORT`;
  options["peer-name"] = "floor";
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    endQuestions();
    process.exit(1);
  });
}

const result = {
  ...describeMachine(),
  kind: options.quick ? "quick" : "full",
  runs: Number(options.runs),
  ...(options.peer ? { peerName: options["peer-name"] } : {}),
  questions: [],
};
for (const question of chosenQuestions()) {
  const own = await askOwn(question);
  const peer = await askPeer(question);
  result.questions.push({ name: question.name, asks: question.asks, ...own, ...(peer ? { peer } : {}) });
  const peerProblem = peer?.error ? `; ${options["peer-name"]}: ${peer.error}` : "";
  process.stderr.write(`${question.name}: ${own.error ?? `${own.tookS} s`}${peerProblem}\n`);
}
console.log(resultTable(result));
mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
process.exitCode = result.questions.some((question) => question.error) ? 1 : 0;

function chosenQuestions() {
  const names = options.only?.split(",") ?? questions.map(({ name }) => name);
  const unknown = names.find((name) => !questions.some((question) => question.name === name));
  if (unknown !== undefined) {
    const known = questions.map(({ name }) => name).join(", ");
    process.stderr.write(`--only: no question "${unknown}"; there are ${known}\n`);
    process.exit(2);
  }
  return questions.filter(({ name }) => names.includes(name));
}

function askOwn(question) {
  return askRepeatedly(question, {
    command: serve(resolve(options.server)),
    isOwn: true,
    size: question.sizes[result.kind],
    timeoutMs: options.quick ? QUICK_TIMEOUT_MS : FULL_TIMEOUT_MS,
  });
}

/** In turn with ours, so that both meet the machine in the same state. */
async function askPeer(question) {
  if (options.floor && !FLOOR_QUESTIONS.has(question.name)) return undefined;
  // The floor is as fast as ours: it is asked as much.
  const size = question.sizes[options.floor ? result.kind : "peer"];
  if (!options.peer || !size) return undefined;
  return askQuestion(question, { command: options.peer, isOwn: false, size, timeoutMs: FULL_TIMEOUT_MS });
}

async function askRepeatedly(question, order) {
  const answers = [];
  for (let i = 0; i < result.runs; i++) answers.push(await askQuestion(question, order));
  return medianAnswer(answers);
}
