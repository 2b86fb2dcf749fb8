/**
 * Asks everybody who has hooks, in order, and contains whatever goes wrong: a hook that throws, answers
 * nonsense, does not answer in time or goes away has given no answer, and the session goes on. Each
 * invocation is a `hook.start` and a `hook.end` in the session's log.
 */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap } from "@rightseat/protocol";
import { HookOutput, isObject } from "./hook-output.ts";
import { unheardFields } from "./hook-output-fields.ts";
import type { HookInput, HookSource, HookType } from "./hook-source.ts";
import { toLoggedCopy } from "./logged-copy.ts";

type HookEvent = "hook.start" | "hook.end" | "session.warning";

export interface HookAskerOptions {
  /** As hooks are told; a sub-agent's own where it is one's. */
  readonly sessionId: string;
  /** The sub-agent whose hooks these are. */
  readonly agent?: HookedAgent;
  /** Those who have hooks now, in the order in which they are asked. */
  readonly sources: () => readonly HookSource[] | Promise<readonly HookSource[]>;
  readonly workingDirectory: () => string;
  /** How long each is waited for, in milliseconds. */
  readonly deadlineMs: number;
  /**
   * Waits for what a client answers; settles as that does. Left out where no run goes on with the answers.
   * @param toolCallId the call that the hook is about; left out for those about the run itself.
   */
  readonly whileClientAnswers?: <T>(toolCallId: string | undefined, answer: () => Promise<T>) => Promise<T>;
  /** Logs an event of the session. */
  readonly append: <T extends HookEvent>(type: T, data: SessionEventDataMap[T]) => void;
  /** For the server's log. */
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/** As many as one asker tells of. */
const MAX_TOLD_FIELDS = 100;

/** Which sub-agent it is that does what hooks are asked about. */
export interface HookedAgent {
  readonly agentId: string;
  /** The name of its definition. */
  readonly agentType: string;
  /** The sub-agent that started it; left out where the session itself did. */
  readonly parentAgentId?: string;
}

export class HookAsker {
  readonly #options: HookAskerOptions;
  /** Fields without effect that were told: a hook that is asked a thousand times is told once. */
  readonly #told = new Set<string>();

  constructor(options: HookAskerOptions) {
    this.#options = options;
  }

  /**
   * Asks everybody in turn. Resolves when all have answered or failed to. The signal ends the waiting:
   * who was not asked by then is not asked. Rejects only when the session's log refuses an event.
   * @param input made anew for each, so that one sees what those before it changed.
   * @param take given each answer; with `enough` nobody else is asked.
   * @param toolCallId the call that the hook is about.
   */
  async ask(
    type: HookType,
    signal: AbortSignal,
    input: (source: HookSource) => HookInput,
    take: (output: HookOutput) => unknown,
    toolCallId?: string,
  ): Promise<void> {
    const sources = this.#options.sources();
    for (const source of sources instanceof Promise ? await sources : sources) {
      if (signal.aborted) return;
      const { sessionId, workingDirectory, agent } = this.#options;
      const told = { sessionId, timestamp: Date.now(), cwd: workingDirectory(), ...agent, ...input(source) };
      if (!source.wants(type, told)) continue;
      const ask = () => this.#askOne(source, type, told, signal);
      const { whileClientAnswers } = this.#options;
      const waits = source.isClient && whileClientAnswers;
      const output = await (waits ? waits(toolCallId, ask) : ask());
      if (output && take(output) === "enough") return;
    }
  }

  async #askOne(
    source: HookSource,
    type: HookType,
    input: HookInput,
    signal: AbortSignal,
  ): Promise<HookOutput | undefined> {
    const hookInvocationId = randomUUID();
    const { append } = this.#options;
    append("hook.start", { hookInvocationId, hookType: type, input: toLoggedCopy(input) });
    try {
      const output = await withDeadline(this.#options.deadlineMs, signal, (both) =>
        source.invoke(type, input, both),
      );
      if (output === undefined || output === null) {
        append("hook.end", { hookInvocationId, hookType: type, success: true });
        return undefined;
      }
      if (!isObject(output)) throw new Error(`expected an object as output, got ${typeof output}`);
      append("hook.end", { hookInvocationId, hookType: type, success: true, output: toLoggedCopy(output) });
      this.#tellUnheard(source, type, output);
      const usable = source.usable?.(type);
      return new HookOutput(usable ? pick(output, usable) : output, (message) =>
        this.#onBadField(source, type, message),
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      append("hook.end", {
        hookInvocationId,
        hookType: type,
        success: false,
        error: { message, source: source.name },
      });
      if (!signal.aborted) this.#warn("a hook failed; it counts as not answered", source, type, message);
      return undefined;
    }
  }

  #tellUnheard(source: HookSource, type: HookType, output: object): void {
    for (const line of unheardFields(type, output, source.usable?.(type))) {
      const key = `${type} ${line}`;
      if (this.#told.has(key) || this.#told.size >= MAX_TOLD_FIELDS) continue;
      this.#told.add(key);
      this.#onBadField(source, type, `output ${line}`);
    }
  }

  #onBadField(source: HookSource, type: HookType, message: string): void {
    this.#options.append("session.warning", {
      warningType: "hook",
      message: `The ${type} hook's ${message}.`,
    });
    this.#warn("a hook's output has a field that cannot be used", source, type, message);
  }

  #warn(message: string, source: HookSource, hookType: HookType, problem: string): void {
    this.#options.onWarning(message, {
      sessionId: this.#options.sessionId,
      hookType,
      source: source.name,
      problem,
    });
  }
}

function pick(output: Readonly<Record<string, unknown>>, fields: readonly string[]) {
  return Object.fromEntries(
    fields.flatMap((field) => (Object.hasOwn(output, field) ? [[field, output[field]]] : [])),
  );
}

/** @throws an error that says so once the time is over, and the signal's reason when it aborts. */
async function withDeadline<T>(
  deadlineMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const onAbort = () => both.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => both.abort(new Error(`no answer within ${deadlineMs / 1000} s`)),
    deadlineMs,
  );
  try {
    return await work(both.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
