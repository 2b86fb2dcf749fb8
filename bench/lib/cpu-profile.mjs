/** Reads what `node --cpu-prof` wrote: which functions and modules the time went to. */
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * @param {string} path a .cpuprofile
 * @returns {{busyMs: number, idleMs: number, functions: Row[], modules: Row[], owners: Row[]}} rows of self
 *   time, most first; shares are of the busy time. A row is {name, selfMs, share}. `owners` counts what Node
 *   itself did to the file outside of Node that asked for it.
 */
export function readCpuProfile(path) {
  const profile = JSON.parse(readFileSync(path, "utf8"));
  const selfUs = selfTimes(profile);
  const ownerOf = createOwners(profile.nodes);
  const functions = new Map();
  const modules = new Map();
  const owners = new Map();
  let idleUs = 0;
  let busyUs = 0;
  for (const node of profile.nodes) {
    const us = selfUs.get(node.id) ?? 0;
    const name = node.callFrame.functionName || "(anonymous)";
    if (name === "(idle)") {
      idleUs += us;
      continue;
    }
    busyUs += us;
    const { module, line } = locate(node.callFrame);
    add(functions, `${name}  ${module}${line ? `:${line}` : ""}`, us);
    add(modules, module || name, us);
    add(owners, ownerOf(node), us);
  }
  const rows = (sums) =>
    Array.from(sums, ([name, us]) => ({ name, selfMs: us / 1000, share: us / busyUs })).sort(
      (a, b) => b.selfMs - a.selfMs,
    );
  return {
    busyMs: busyUs / 1000,
    idleMs: idleUs / 1000,
    functions: rows(functions),
    modules: rows(modules),
    owners: rows(owners),
  };
}

/** Node of the profile → the nearest file on the stack that is not Node's. */
function createOwners(nodes) {
  const owners = new Map();
  const parents = new Map();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return function ownerOf(node) {
    if (owners.has(node.id)) return owners.get(node.id);
    const parent = parents.get(node.id);
    let owner = node.callFrame.functionName;
    if (node.callFrame.url.startsWith("file:")) owner = locate(node.callFrame).module;
    else if (parent && !owner.startsWith("(garbage") && !owner.startsWith("(program")) {
      owner = ownerOf(parent);
      if (owner === "(root)") owner = "(Node, on nobody's behalf)";
    }
    owners.set(node.id, owner);
    return owner;
  };
}

function add(sums, key, us) {
  sums.set(key, (sums.get(key) ?? 0) + us);
}

/** Node id → microseconds: a sample counts until the next one. */
function selfTimes({ samples, timeDeltas }) {
  const times = new Map();
  samples.forEach((id, i) => void add(times, id, Math.max(0, timeDeltas[i + 1] ?? 0)));
  return times;
}

const sourceMaps = new Map();

function sourceMapOf(file) {
  if (!sourceMaps.has(file)) {
    const mapFile = `${file}.map`;
    const exists = existsSync(mapFile);
    sourceMaps.set(file, exists ? new SourceMap(JSON.parse(readFileSync(mapFile, "utf8"))) : undefined);
  }
  return sourceMaps.get(file);
}

/** Where a function was written: through the source map of a bundle, where there is one. */
function locate({ url, lineNumber, columnNumber }) {
  if (!url.startsWith("file:")) return { module: url };
  const file = fileURLToPath(url);
  const entry = sourceMapOf(file)?.findEntry(lineNumber, columnNumber);
  if (!entry?.originalSource) return { module: shortName(file), line: lineNumber + 1 };
  const original = new URL(entry.originalSource, url);
  return { module: shortName(fileURLToPath(original)), line: entry.originalLine + 1 };
}

/** A package's file by the package, one of ours by its place in its package. */
function shortName(path) {
  const dependency = path.lastIndexOf("node_modules/");
  if (dependency >= 0) return path.slice(dependency + "node_modules/".length);
  return path.replace(/^.*\/packages\//, "");
}
