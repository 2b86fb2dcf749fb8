// Runs the check of every example, one after the other, and prints a table. Ends with 1 when one failed.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DEADLINE_MS = 90_000;

const names = readdirSync(HERE).filter((name) => existsSync(`${HERE}${name}/check.mjs`));
const results = [];
for (const name of names) {
  process.stdout.write(`${name} … `);
  const result = await check(name);
  results.push({ example: name, ...result });
  console.log(result.result);
}
console.table(results.map(({ output, ...row }) => row));
for (const { example, result, output } of results) {
  if (result !== "ok") console.error(`\n--- ${example} ---\n${output.trim()}`);
}
process.exitCode = results.every(({ result }) => result === "ok") ? 0 : 1;

function check(name) {
  const started = performance.now();
  const child = spawn(process.execPath, ["check.mjs"], {
    cwd: `${HERE}${name}`,
    stdio: ["ignore", "pipe", "pipe"],
  });
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
