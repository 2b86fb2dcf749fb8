/**
 * Takes variables out of the process for good. `delete process.env.NAME` leaves the text where the kernel put it
 * when the process began, and /proc/<pid>/environ shows it to every process of the same user, and to root: so it
 * is overwritten there, through /proc/self/mem. The process stays the same one, with its id.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Fields of /proc/<pid>/stat that follow the name, which may hold blanks: proc_pid_stat(5), 50 of 3 and more. */
const ENV_START = 50 - 3;

/**
 * @param keeps whether a variable stays.
 * @returns the names that are still to be read from outside: none, unless the system has no such files.
 */
export function hideEnvironment(keeps: (name: string) => boolean): string[] {
  const hidden = Object.keys(process.env).filter((name) => !keeps(name));
  // First, so that nothing points into what is overwritten.
  for (const name of hidden) delete process.env[name];
  if (process.platform !== "linux") return hidden;
  try {
    overwrite((name) => !keeps(name));
    return namesOf(readFileSync("/proc/self/environ")).filter((name) => !keeps(name));
  } catch {
    return hidden;
  }
}

function overwrite(isHidden: (name: string) => boolean): void {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[ENV_START]);
  const block = readFileSync("/proc/self/environ");
  if (!Number.isSafeInteger(start) || start <= 0) throw new Error("the kernel does not say where it is");
  const memory = openSync("/proc/self/mem", "r+");
  try {
    for (let at = 0; at < block.length; ) {
      const next = block.indexOf(0, at);
      const end = next < 0 ? block.length : next;
      if (isHidden(nameOf(block, at, end)))
        writeSync(memory, Buffer.alloc(end - at), 0, end - at, start + at);
      at = end + 1;
    }
  } finally {
    closeSync(memory);
  }
}

function nameOf(block: Buffer, at: number, end: number): string {
  const text = block.toString("utf8", at, end);
  const equals = text.indexOf("=");
  return equals < 0 ? text : text.slice(0, equals);
}

function namesOf(block: Buffer): string[] {
  return block
    .toString("utf8")
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => entry.slice(0, Math.max(0, entry.indexOf("="))));
}
