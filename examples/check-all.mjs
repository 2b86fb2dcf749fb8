// Runs the check of every example, with the official SDK and with ours in its place, side by side, and
// prints a table. Ends with 1 when one failed.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { examplesWith } from "./support/with-sdk.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OURS = fileURLToPath(new URL("../packages/sdk", import.meta.url));
const DEADLINE_MS = 90_000;

const names = readdirSync(HERE).filter((name) => existsSync(`${HERE}${name}/check.mjs`));
const copy = examplesWith(OURS);
const results = (
  await Promise.all([
    checkAll("@github/copilot-sdk", HERE, names),
    // The other way round: what waits in one has room for what works in the other.
    checkAll("@rightseat/sdk", copy.folder, names.toReversed()),
  ])
).flat();
copy.remove();
console.table(results.map(({ output, ...row }) => row));
for (const { example, sdk, result, output } of results) {
  if (result !== "ok") console.error(`\n--- ${example} with ${sdk} ---\n${output.trim()}`);
}
process.exitCode = results.every(({ result }) => result === "ok") ? 0 : 1;

/** One example after the other. */
async function checkAll(sdk, folder, order) {
  const results = [];
  for (const name of order) {
    const result = await check(`${folder}${name}`);
    results.push({ example: name, sdk, ...result });
    console.log(`${name} with ${sdk}: ${result.result}`);
  }
  return results;
}

function check(folder) {
  const started = performance.now();
  const child = spawn(process.execPath, ["check.mjs"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
      const verified = output.match(/^ {3}ok: /gm)?.length ?? 0;
      const result = code === 0 ? "ok" : signal ? `killed after ${DEADLINE_MS / 1000} s` : `failed (${code})`;
      resolve({ result, verified, seconds, output });
    });
  });
}
