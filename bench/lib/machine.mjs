/** Where and of what a result was measured. Nothing in it names a host or a user. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, cpus, platform, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);

export function describeMachine() {
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1024 ** 3),
      system: `${platform()} ${arch()}`,
    },
    versions: {
      node: process.version,
      sdk: sdkVersion(),
      rightseat: readVersion(join(root, "packages/server/package.json")),
      commit: commit(),
    },
  };
}

const readVersion = (file) => JSON.parse(readFileSync(file, "utf8")).version;

function sdkVersion() {
  // The package exports its code alone: its package.json is looked for above it.
  let directory = dirname(require.resolve("@github/copilot-sdk"));
  while (!directory.endsWith("copilot-sdk")) directory = dirname(directory);
  return readVersion(join(directory, "package.json"));
}

/** With a `+` when files differ from the commit. */
function commit() {
  try {
    const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
    const isChanged = git("status", "--porcelain", "--", "packages") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
