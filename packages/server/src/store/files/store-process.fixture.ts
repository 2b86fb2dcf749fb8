import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { StoreError, type StoreErrorKind } from "../store-error.ts";

/** Bundles the child's program into `directory`; node 20 runs no TypeScript. */
export async function bundleChild(directory: string): Promise<string> {
  const outfile = join(directory, "store-child.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./store-child.fixture.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly kind?: StoreErrorKind;
  readonly message?: string;
}

/** A store in a child process; every call is answered or the child has died. */
export class StoreProcess {
  readonly acknowledged: number[] = [];
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #nextId = 0;

  constructor(program: string, home: string, maxFileKib?: number) {
    this.#child =
      maxFileKib === undefined
        ? fork(program, [home])
        : // The limit of file sizes makes real writes fail half way.
          fork(program, [home], {
            execPath: "/bin/bash",
            execArgv: ["-c", `ulimit -f ${maxFileKib}; exec "${process.execPath}" "$0" "$@"`],
          });
    this.#child.on("message", (message: Answer & { acknowledged?: number }) => {
      if (message.acknowledged !== undefined) this.acknowledged.push(message.acknowledged);
      else this.#calls.get(message.id)?.(message);
    });
  }

  call<T>(method: string, ...args: unknown[]): Promise<T> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ kind, message, result }) => {
        this.#calls.delete(id);
        if (kind) reject(new StoreError(kind, message ?? ""));
        else resolve(result as T);
      });
      this.#child.send({ id, method, args });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
