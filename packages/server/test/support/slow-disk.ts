/**
 * A disk that is slow, or does not answer at all, for a server in a process of its own: what writes below a path
 * waits, in a thread of the pool as a real disk lets it wait, until a named pipe is opened for writing. A module that
 * the process loads first puts this between the server and `node:fs`. Reading by a descriptor is as quick as ever: on a
 * slow disk, too, the system answers for that from its memory. What makes or looks up names synchronously stops the
 * whole process.
 */
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SlowDisk {
  /** What the process is started with. */
  readonly nodeFlags: readonly string[];
  /** Writes below the path last for so long, or until `end`. */
  begin(path: string, eachMs: number | "for ever"): void;
  end(): void;
}

/** @param folder a folder of its own, which is made. */
export function createSlowDisk(folder: string): SlowDisk {
  mkdirSync(folder);
  const [place, gate] = [join(folder, "place"), join(folder, "gate")];
  execFileSync("mkfifo", [gate]);
  let timer: NodeJS.Timeout | undefined;
  return {
    nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(waits(place, gate))}`],
    begin: (path, eachMs) => {
      writeFileSync(place, path);
      if (eachMs !== "for ever") timer = setInterval(() => letPass(gate), eachMs);
    },
    end: () => {
      clearInterval(timer);
      rmSync(place);
      letPass(gate);
    },
  };
}

/** Whoever waits to open it for reading is let go on. */
function letPass(gate: string): void {
  try {
    closeSync(openSync(gate, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits.
  }
}

function waits(place: string, gate: string): string {
  return `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const real = { ...fs };
    const isSlow = (file) => {
      let path;
      try { path = real.readFileSync(${JSON.stringify(place)}, "utf8"); } catch { return false; }
      if (typeof file === "number") try { file = real.readlinkSync("/proc/self/fd/" + file); } catch { return false; }
      return String(file).startsWith(path);
    };
    const wait = (then) => real.open(${JSON.stringify(gate)}, "r", (error, fd) => error ? then() : real.close(fd, then));
    for (const name of ["write", "writev", "fdatasync", "fsync"])
      fs[name] = (fd, ...rest) => isSlow(fd) ? wait(() => real[name](fd, ...rest)) : real[name](fd, ...rest);
    for (const name of ["mkdir", "access", "readFile"])
      fs[name] = (path, ...rest) => isSlow(path) ? wait(() => real[name](path, ...rest)) : real[name](path, ...rest);
    for (const name of ["mkdirSync", "writeFileSync", "renameSync", "existsSync", "readFileSync"])
      fs[name] = (path, ...rest) => {
        if (isSlow(path)) real.closeSync(real.openSync(${JSON.stringify(gate)}, "r"));
        return real[name](path, ...rest);
      };
    const waited = (file) => isSlow(file) && new Promise(wait);
    const { writeFile } = fs.promises;
    fs.promises.writeFile = async (file, ...rest) => { await waited(file); return writeFile(file, ...rest); };
    const handle = await fs.promises.open("/dev/null");
    const methods = Object.getPrototypeOf(handle);
    await handle.close();
    for (const name of ["write", "writev", "writeFile", "appendFile", "sync", "datasync"]) {
      const before = methods[name];
      methods[name] = async function (...rest) { await waited(this.fd); return before.apply(this, rest); };
    }
    syncBuiltinESMExports();`;
}
