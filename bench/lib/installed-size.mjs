/** How much a package takes on disk when it is installed, with all that it depends on at run time. */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * The size in bytes. A package in this repository counts with the files that it publishes. Optional dependencies are left out: they
 * differ by platform.
 * @param {string} name
 * @param {string} from a file of the package that depends on it
 */
export function installedBytes(name, from, counted = new Set()) {
  const folder = packageFolder(name, from);
  if (counted.has(folder)) return 0;
  counted.add(folder);
  const { files, dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const isOurs = !folder.includes("node_modules");
  const own = isOurs
    ? ["package.json", ...files].reduce((sum, file) => sum + bytesOf(join(folder, file)), 0)
    : bytesOf(folder);
  return Object.keys(dependencies).reduce(
    (sum, dependency) => sum + installedBytes(dependency, join(folder, "package.json"), counted),
    own,
  );
}

function packageFolder(name, from) {
  const places = createRequire(from).resolve.paths(name) ?? [];
  for (const place of places) {
    const folder = join(place, name);
    if (statSync(join(folder, "package.json"), { throwIfNoEntry: false })) return realpathSync(folder);
  }
  throw new Error(`${name} is not installed beside ${dirname(from)}`);
}

function bytesOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.size;
  const entries = readdirSync(path).filter((entry) => entry !== "node_modules");
  return entries.reduce((sum, entry) => sum + bytesOf(join(path, entry)), 0);
}
