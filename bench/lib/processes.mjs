/** What the kernel tells of a process and all its descendants. Linux only. */
import { readdirSync, readFileSync } from "node:fs";

const MS_A_TICK = 10;

/** A file of /proc, or undefined when the process has ended. */
function readProc(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The fields of /proc/<pid>/stat behind the command, which may hold spaces: state, parent, … */
function statFields(pid) {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The process and its descendants. */
export function processTree(root) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(name)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]) ?? []));
  return found;
}

function sumOverTree(root, read) {
  return processTree(root).reduce((sum, pid) => sum + (read(pid) ?? 0), 0);
}

function statusMb(pid, field) {
  const status = readProc(`/proc/${pid}/status`);
  const kb = status && new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1];
  return kb ? Number(kb) / 1024 : undefined;
}

/** Memory in use now. */
export const rssMb = (root) => sumOverTree(root, (pid) => statusMb(pid, "VmRSS"));

/** The most memory that was ever in use. */
export const peakRssMb = (root) => sumOverTree(root, (pid) => statusMb(pid, "VmHWM"));

/** Processor time used so far, user and system; children that ended and were waited for included. */
export function cpuMs(root) {
  return sumOverTree(root, (pid) => {
    const fields = statFields(pid);
    if (!fields) return 0;
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * MS_A_TICK;
  });
}

/** Open descriptors. */
export function descriptorCount(root) {
  return sumOverTree(root, (pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      return 0;
    }
  });
}

/** Ends a process and its descendants at once, also those that left its process group. */
export function killTree(root) {
  killDescendants(root);
  kill(root);
}

export function killDescendants(root) {
  for (const pid of processTree(root).slice(1).reverse()) kill(pid);
}

export function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
