/**
 * Loaded into a server before its own code: counts what that asks of files and of Node. On SIGUSR2 it tells what was
 * counted since the start, and how much was allocated: the server is to be started with so much room for young
 * objects that nothing is collected between two looks.
 */
import { createHook } from "node:async_hooks";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const files = {};
const resources = {};
let collectedBytes = 0;

function count(counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Counts calls by name, whoever imports the functions later. */
function countCalls(functions) {
  for (const [name, original] of Object.entries(functions)) {
    if (typeof original !== "function" || /^[A-Z_]/.test(name)) continue;
    const counted = function (...args) {
      count(files, name);
      return original.apply(this, args);
    };
    // What `promisify` makes of a function follows from its symbols.
    Object.defineProperties(counted, Object.getOwnPropertyDescriptors(original));
    functions[name] = counted;
  }
}

/** Calls and bytes of reading and writing, sockets included; `write_bytes` depends on the file system. */
function readIo() {
  const text = readFile("/proc/self/io", "utf8");
  return Object.fromEntries(
    Array.from(text.matchAll(/^(\w+): (\d+)$/gm), ([, name, value]) => [name, +value]),
  );
}

function tell() {
  const allocatedBytes = collectedBytes + process.memoryUsage().heapUsed;
  gc();
  collectedBytes = allocatedBytes - process.memoryUsage().heapUsed;
  const { rchar, wchar, syscr, syscw } = readIo();
  const io = { readBytes: rchar, writtenBytes: wchar, reads: syscr, writes: syscw };
  process.send({ files: { ...files }, resources: { ...resources }, io, allocatedBytes });
}

const readFile = fs.readFileSync;
countCalls(fs);
countCalls(fs.promises);
syncBuiltinESMExports();
createHook({ init: (_id, type) => count(resources, type) }).enable();
process.on("SIGUSR2", tell);
process.channel.unref();
