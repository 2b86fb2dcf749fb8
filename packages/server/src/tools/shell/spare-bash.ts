/**
 * A bash that is started before its command is known. Starting one takes longer than most commands run; a model that
 * has called the shell mostly calls it again soon, and its next command then begins at once.
 *
 * Each belongs to one session, and has its directory and environment. It runs one command, as any bash does; one that
 * is not used ends after a while, and no more than some wait on the whole server.
 */
import { stat } from "node:fs/promises";
import { forgetGroup } from "../group-watchdog.ts";
import { endGroup } from "../process-group.ts";
import { type SpawnedCommand, spawnBash, type WaitingBash } from "./spawn-command.ts";

/** A bash that nobody used in this time ends; milliseconds. */
const KEPT_MS = 30_000;
const MOST_WAITING = 16;
let waiting = 0;

export interface SpareOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

interface Spare {
  readonly bash: WaitingBash;
  readonly cwd: string;
  readonly env: string;
  /** Which directory it is in; another may have its name by now. */
  readonly directory: string;
  readonly timer: NodeJS.Timeout;
}

export class SpareBash {
  #spare: Spare | undefined;
  #starting = false;
  #ended = false;

  /** Runs the command in the bash that waits. Undefined when none does, or when its surroundings are not these. */
  async run(options: SpareOptions, command: string): Promise<SpawnedCommand | undefined> {
    const spare = this.#take();
    if (!spare) return undefined;
    const fits =
      spare.cwd === options.cwd &&
      spare.env === JSON.stringify(options.env) &&
      spare.directory === (await identityOf(options.cwd).catch(() => undefined));
    if (fits && spare.bash.child.exitCode === null && spare.bash.child.signalCode === null) {
      spare.bash.run(command);
      return spare.bash;
    }
    void end(spare.bash);
    return undefined;
  }

  /** Starts a bash for the next command, unless one waits. Does not throw. */
  async prepare({ cwd, env }: SpareOptions): Promise<void> {
    if (this.#spare || this.#starting || this.#ended || waiting >= MOST_WAITING) return;
    this.#starting = true;
    waiting += 1;
    try {
      const directory = await identityOf(cwd);
      const bash = await spawnBash({ cwd, env, input: false });
      if (this.#ended) {
        waiting -= 1;
        return await end(bash);
      }
      bash.child.once("exit", () => this.#forget(bash));
      const timer = setTimeout(() => void this.#end(), KEPT_MS).unref();
      this.#spare = { bash, cwd, env: JSON.stringify(env), directory, timer };
    } catch {
      // The next command starts a bash of its own, and says what is wrong.
      waiting -= 1;
    } finally {
      this.#starting = false;
    }
  }

  /** Ends the bash that waits, and starts no other. */
  async dispose(): Promise<void> {
    this.#ended = true;
    await this.#end();
  }

  /** It died while it waited: its group's id may be another's soon. */
  #forget(bash: WaitingBash): void {
    if (this.#spare?.bash !== bash) return;
    this.#take();
    void end(bash);
  }

  async #end(): Promise<void> {
    const spare = this.#take();
    if (spare) await end(spare.bash);
  }

  #take(): Spare | undefined {
    const spare = this.#spare;
    if (!spare) return undefined;
    this.#spare = undefined;
    clearTimeout(spare.timer);
    waiting -= 1;
    return spare;
  }
}

async function end(bash: WaitingBash): Promise<void> {
  bash.output.destroy();
  await endGroup(bash.pid);
  forgetGroup(bash.pid);
}

/** Identifies the directory behind a path. While a bash is in it, no other directory has the same. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}
