/**
 * One command that runs in a process group of its own, from its start until the last of its processes
 * is gone.
 *
 * States: running → finished → gone. It is finished when its wrapper's marker has come, or its output
 * has ended without; gone when its group is empty, which is later if it left processes behind. `end`
 * leads from anywhere to gone.
 */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltInToolHost } from "../built-in-tool.ts";
import { forgetGroup } from "../group-watchdog.ts";
import { endGroup, groupExists, signalGroup } from "../process-group.ts";
import { EndMarker } from "./end-marker.ts";
import { OutputCollector, type TakenOutput } from "./output-collector.ts";
import type { OutputTail } from "./output-tail.ts";
import type { SpawnedCommand } from "./spawn-command.ts";

/** What is left mostly ends at once, or runs for long. */
const FIRST_LEFTOVER_POLL_MS = 50;
const LEFTOVER_POLL_MS = 1000;
const LAST_OUTPUT_MS = 100;

export interface ShellInfo {
  readonly id: string;
  readonly command: string;
  readonly description: string;
  /** Where it was started. */
  readonly cwd: string;
}

export class Shell {
  readonly info: ShellInfo;
  /** Resolves with the exit code; 128 and the signal's number where a signal ended it. Never rejects. */
  readonly finished: Promise<number>;
  exitCode: number | undefined;
  readonly startedAtMs = Date.now();
  finishedAtMs: number | undefined;
  /** It was ended before it had finished by itself. */
  wasEnded = false;
  /** The call that started it has ended. */
  isInBackground = false;
  /** For clients that read what one in the background writes. */
  tail: OutputTail | undefined;
  /** Told all output as it comes. Must not throw. */
  onOutput: ((text: string) => void) | undefined;
  readonly #spawned: SpawnedCommand;
  readonly #output: OutputCollector;
  readonly #reading: Promise<void>;
  readonly #leaderExit: Promise<number>;
  #resolveFinished!: (exitCode: number) => void;
  readonly #onGone: () => void;
  #leftoverTimer: NodeJS.Timeout | undefined;
  #gone = false;

  /** @param onGone called once, when none of its processes is left. */
  constructor(info: ShellInfo, spawned: SpawnedCommand, host: BuiltInToolHost, onGone: () => void) {
    this.info = info;
    this.#onGone = onGone;
    this.#spawned = spawned;
    this.#output = new OutputCollector(host);
    this.finished = new Promise((resolve) => {
      this.#resolveFinished = resolve;
    });
    this.#leaderExit = new Promise<number>((resolve) => {
      spawned.child.once("exit", (code, signal) => {
        resolve(code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0));
        // Killed alone: the rest would go on without anybody to say how it ended.
        if (signal !== null) void endGroup(spawned.pid).then(() => this.#setGone());
        this.#checkLeftover();
      });
    });
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.#spawned.pid;
  }

  /** Whether any of its processes is left. */
  get hasProcesses(): boolean {
    return !this.#gone && groupExists(this.#spawned.pid);
  }

  /** Output since it was last taken, cut to what a model can read. */
  takeOutput(): Promise<TakenOutput> {
    return this.#output.take();
  }

  /** @returns false when the command reads from nowhere or has finished. */
  write(input: string): boolean {
    if (!this.#spawned.input?.writable || this.exitCode !== undefined) return false;
    this.#spawned.input.write(input);
    return true;
  }

  /** Signals all of its processes. False when none is left. */
  signal(signal: NodeJS.Signals): boolean {
    return !this.#gone && signalGroup(this.#spawned.pid, signal);
  }

  /** Resolves when it has finished, or after that many milliseconds. @throws the signal's reason. */
  async waitUntilFinished(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.exitCode !== undefined) return;
    const waiting = new AbortController();
    const stop = AbortSignal.any([signal, waiting.signal]);
    try {
      await Promise.race([this.finished, sleep(timeoutMs, undefined, { signal: stop }).catch(() => {})]);
    } finally {
      waiting.abort();
    }
    signal.throwIfAborted();
  }

  /** Ends all of its processes, within a second. May be called twice; does not throw. */
  async end(): Promise<void> {
    this.wasEnded ||= this.exitCode === undefined;
    if (!this.#gone) await endGroup(this.#spawned.pid);
    this.#setGone();
    await Promise.race([this.#reading, sleep(LAST_OUTPUT_MS, undefined, { ref: false })]);
    this.#spawned.output.destroy();
    this.#spawned.input?.destroy();
  }

  async #read(): Promise<void> {
    const marker = new EndMarker(this.#spawned.token);
    try {
      for await (const chunk of this.#spawned.output) {
        const { output, exitCode } = marker.push(chunk as Buffer);
        if (output.length > 0) await this.#take(output);
        if (exitCode !== undefined) this.#finish(exitCode);
      }
    } catch {
      // Destroyed at the end.
    }
    await this.#take(marker.flush());
    this.#finish(await this.#leaderExit);
  }

  async #take(output: Buffer): Promise<void> {
    const text = await this.#output.append(output);
    if (text === "") return;
    this.tail?.append(text);
    this.onOutput?.(text);
  }

  #finish(exitCode: number): void {
    this.exitCode ??= exitCode;
    this.finishedAtMs ??= Date.now();
    this.#resolveFinished(this.exitCode);
    this.tail?.wake();
  }

  /** Once the group is empty its id is free for others, and must not be signalled any more. */
  #checkLeftover(againMs = FIRST_LEFTOVER_POLL_MS): void {
    if (this.#gone) return;
    if (!groupExists(this.#spawned.pid)) return this.#setGone();
    this.#leftoverTimer = setTimeout(
      () => this.#checkLeftover(Math.min(againMs * 2, LEFTOVER_POLL_MS)),
      againMs,
    ).unref();
  }

  #setGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#leftoverTimer);
    forgetGroup(this.#spawned.pid);
    this.#onGone();
  }
}
