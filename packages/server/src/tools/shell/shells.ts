/** The shells of one session. */
import type { BuiltInToolHost, SessionResource } from "../built-in-tool.ts";
import { Shell } from "./shell.ts";
import { SpareBash } from "./spare-bash.ts";
import { spawnCommand } from "./spawn-command.ts";

const MAX_RUNNING = 64;
/** Finished ones whose output can still be read. */
const MAX_FINISHED = 16;

export interface StartOptions {
  readonly id: string | undefined;
  readonly command: string;
  readonly description: string;
  readonly cwd: string;
  readonly input: boolean;
}

export class Shells implements SessionResource {
  readonly #host: BuiltInToolHost;
  /** In the order of their starts. */
  readonly #shells = new Map<string, Shell>();
  readonly #spare = new SpareBash();
  #nextId = 1;
  #disposed = false;

  constructor(host: BuiltInToolHost) {
    this.#host = host;
  }

  /** @throws when the id is in use, too many run (RpcError where the tenant has a limit), or bash cannot be started. */
  async start(options: StartOptions): Promise<Shell> {
    const giveBack = (await this.#host.takeProcess?.()) ?? (() => {});
    const shell = await this.#spawn(options, giveBack).catch((error) => {
      giveBack();
      throw error;
    });
    const { id } = shell.info;
    if (this.#disposed) {
      await shell.end();
      throw new Error("The session has ended.");
    }
    this.#shells.delete(id);
    this.#shells.set(id, shell);
    this.#dropOldest();
    return shell;
  }

  get(id: string): Shell | undefined {
    return this.#shells.get(id);
  }

  all(): Shell[] {
    return [...this.#shells.values()];
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const shells = this.all().map((shell) => shell.end().then(() => shell.takeOutput()));
    await Promise.all([this.#spare.dispose(), ...shells]);
    this.#shells.clear();
  }

  async #spawn({ command, description, cwd, input, ...given }: StartOptions, onGone: () => void) {
    const id = given.id ?? this.#freeId();
    this.#assertRoom(id);
    const env = this.#host.environment();
    const spawned =
      (input ? undefined : await this.#spare.run({ cwd, env }, command)) ??
      (await spawnCommand({ cwd, env, input }, command));
    const shell = new Shell({ id, command, description, cwd }, spawned, this.#host, onGone);
    void shell.finished.then(() => this.#spare.prepare({ cwd, env }));
    return shell;
  }

  #freeId(): string {
    while (this.#shells.has(String(this.#nextId))) this.#nextId++;
    return String(this.#nextId++);
  }

  #assertRoom(id: string): void {
    if (this.#shells.get(id)?.hasProcesses) {
      throw new Error(`The shell "${id}" still runs. Use another shellId, or end it with stop_bash first.`);
    }
    if (this.all().filter((shell) => shell.hasProcesses).length >= MAX_RUNNING) {
      throw new Error(`${MAX_RUNNING} shells run already. End some first.`);
    }
  }

  #dropOldest(): void {
    const done = this.all().filter((shell) => shell.exitCode !== undefined && !shell.hasProcesses);
    for (const shell of done.slice(0, Math.max(0, done.length - MAX_FINISHED))) {
      this.#shells.delete(shell.info.id);
      // Closes the file that large output nobody has read is in.
      void shell.takeOutput();
    }
  }
}
