/** What hooks make of a prompt on its way into the conversation. */
import { RpcError } from "@rightseat/protocol";
import { RunSuspended } from "../../../agent/run-host.ts";
import type { HookAsker } from "../../../hooks/hook-asker.ts";
import type { HookSource } from "../../../hooks/hook-source.ts";
import type { Waiter } from "../../members/client-waits.ts";
import type { Session } from "../../open/session.ts";
import { fileHooksOf, fileHooksStart, type HookServices, hasHooks, hookAskerOf } from "./session-hooks.ts";

/** A hook does not let the prompt into the conversation. */
export interface BlockedPrompt {
  readonly blocked: true;
  /** For people. */
  readonly reason: string;
}

export interface SubmittedPrompt {
  readonly blocked?: undefined;
  readonly prompt: string;
  /** What the model is to read with it. */
  readonly contexts: readonly string[];
}

export interface PromptHooks {
  /** Tells those who do not know yet that the session has begun. */
  start(initialPrompt: string): Promise<void>;
  /** The prompt as the user wrote it goes in. */
  submit(prompt: string): Promise<SubmittedPrompt | BlockedPrompt>;
  /** What the model would read goes in, and what it is to read comes out. */
  transform(prompt: string, transformed: string): Promise<string>;
}

/**
 * Undefined when nobody has hooks. Each part throws when the run is suspended meanwhile: the prompt goes
 * on waiting, and hooks are asked again when it is taken up.
 * @param waiter what the prompt is for, where that is a run.
 */
export function promptHooksOf(
  services: HookServices,
  session: Session,
  signal: AbortSignal,
  waiter?: Waiter,
): PromptHooks | undefined {
  if (!hasHooks(session)) return undefined;
  const asker = hookAskerOf(services, session, { waiter });
  const unlessSuspended = async <T>(asking: Promise<T>): Promise<T> => {
    const answer = await asking;
    if (signal.reason instanceof RunSuspended) throw signal.reason;
    return answer;
  };
  return {
    start: (initialPrompt) => unlessSuspended(start({ services, asker, session, signal }, initialPrompt)),
    submit: (prompt) => unlessSuspended(submit(asker, signal, prompt)),
    transform: (prompt, transformed) => unlessSuspended(transform(asker, signal, prompt, transformed)),
  };
}

/**
 * What hooks make of a text that a client has a model read without that it becomes a prompt: a question beside the
 * conversation, the task of an agent. @throws RpcError `denied_by_policy` when a hook blocks it.
 */
export async function submitBeside(
  services: HookServices,
  session: Session,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const submitted = await promptHooksOf(services, session, signal)?.submit(text);
  if (!submitted) return text;
  if (submitted.blocked) throw new RpcError("denied_by_policy", submitted.reason);
  return [submitted.prompt, ...submitted.contexts].join("\n\n");
}

interface Start {
  readonly services: HookServices;
  readonly asker: HookAsker;
  readonly session: Session;
  readonly signal: AbortSignal;
}

async function start({ services, asker, session, signal }: Start, initialPrompt: string): Promise<void> {
  if (fileHooksStart.of(session)) {
    for (const error of (await fileHooksOf(services, session)).errors)
      session.append("session.warning", {
        warningType: "hooks",
        message: `A hook cannot be used as it is: ${error}.`,
      });
  }
  const told: HookSource[] = [];
  await asker.ask(
    "sessionStart",
    signal,
    (source) => {
      told.push(source);
      return { source: source.start, initialPrompt };
    },
    (output) => {
      const content = output.text("additionalContext");
      if (content !== undefined) session.record("rightseat.context_added", { content });
    },
  );
  for (const source of told) source.start = undefined;
  fileHooksStart.set(session, undefined);
}

const NO_REASON = "A hook blocked the prompt.";

async function submit(
  asker: HookAsker,
  signal: AbortSignal,
  given: string,
): Promise<SubmittedPrompt | BlockedPrompt> {
  let prompt = given;
  let blocked: BlockedPrompt | undefined;
  const contexts: string[] = [];
  await asker.ask(
    "userPromptSubmitted",
    signal,
    () => ({ prompt }),
    (output) => {
      const refused = output.refuses();
      if (refused) {
        blocked = { blocked: true, reason: refused.reason ?? NO_REASON };
        return "enough";
      }
      prompt = output.text("modifiedPrompt") ?? prompt;
      const context = output.text("additionalContext");
      if (context !== undefined) contexts.push(context);
      return undefined;
    },
  );
  return blocked ?? { prompt, contexts };
}

async function transform(
  asker: HookAsker,
  signal: AbortSignal,
  prompt: string,
  given: string,
): Promise<string> {
  let transformedPrompt = given;
  await asker.ask(
    "userPromptTransformed",
    signal,
    () => ({ prompt, transformedPrompt }),
    (output) => {
      transformedPrompt = output.text("modifiedTransformedPrompt") ?? transformedPrompt;
    },
  );
  return transformedPrompt;
}
