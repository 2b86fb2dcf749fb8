/** The hooks of a session: who has some, and what comes of their answers. */

import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { toJson } from "@rightseat/protocol";
import type { Discovery } from "../../../discovery/discovery-cache.ts";
import type { FileHooks, HookQuery } from "../../../discovery/hook-files.ts";
import { createRunHooks } from "../../../hooks/create-run-hooks.ts";
import { FileHook, type FileHookOptions } from "../../../hooks/file-hook.ts";
import { HookAsker, type HookedAgent } from "../../../hooks/hook-asker.ts";
import type { HookSource } from "../../../hooks/hook-source.ts";
import type { RunHooks } from "../../../hooks/run-hooks.ts";
import type { Waiter } from "../../members/client-waits.ts";
import { gitCeiling } from "../../members/confinement.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Conversation } from "../../open/conversation.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import type { QueuedPrompt } from "../../state/session-state.ts";
import { sessionContext } from "../workspace/session-context.ts";
import { withinRoot } from "../workspace/within-root.ts";

export interface HookServices {
  /** How long a hook is waited for, in milliseconds. */
  readonly deadlineMs: number;
  /** The file that holds a session's log, where there is one. */
  readonly transcriptPath: (session: Session) => string | undefined;
  readonly workingDirectory: (session: Session) => string;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
  /** The hooks that a repository keeps in files. */
  readonly discover: Discovery<HookQuery, FileHooks>;
  /** What their commands get of the server's environment. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Before each of their commands. The function gives the place back. @throws RpcError `limit_exceeded`. */
  readonly takeProcess: (tenant: string) => Promise<() => void>;
}

/** A session is not kept from ending for longer than this. */
const END_DEADLINE_MS = 5000;

export type EndReason = "complete" | "error" | "abort" | "timeout" | "user_exit";

/** Asked on every prompt and every tool call: costs nothing but a look at who is there. */
export function hasHooks(session: Session): boolean {
  if (hasFileHooks(session.settings)) return true;
  for (const attachment of session.attachments.values()) if (attachment.hooks) return true;
  return false;
}

/** Whether commands of files are hooks of the session. */
export function hasFileHooks({ enableFileHooks, hookDirectories }: SessionSettings): boolean {
  return enableFileHooks === true || (hookDirectories?.length ?? 0) > 0;
}

/** The clients that have hooks, in the order in which they came. */
export function clientHooksOf(session: Session): HookSource[] {
  return [...session.attachments.values()].flatMap(({ hooks }) => (hooks ? [hooks] : []));
}

/** How the session began for the repository's hooks; filled until they were told. */
export const fileHooksStart = new Slot<"new" | "resume">();

/** Hooks of the repository and of directories that a client names; none for a session that wants none. Never rejects. */
export async function fileHooksOf(
  services: HookServices,
  conversation: Conversation,
): Promise<{ readonly hooks: readonly HookSource[]; readonly errors: readonly string[] }> {
  const { session } = conversation;
  const { settings } = session;
  if (!hasFileHooks(settings)) return { hooks: [], errors: [] };
  const cwd = services.workingDirectory(session);
  const root = (await sessionContext(settings, cwd)).gitRoot ?? cwd;
  const { hookDirectories = [], confinement } = settings;
  const mayDiscover = settings.enableFileHooks && (await withinRoot(confinement, [root])).length > 0;
  const { hooks, errors } = await services.discover({
    ...(mayDiscover ? { root } : {}),
    directories: await withinRoot(
      confinement,
      hookDirectories.map((directory) => resolve(cwd, directory)),
    ),
  });
  const options: FileHookOptions = {
    root,
    start: fileHooksStart.of(session),
    environment: () => ({ ...services.environment(), ...gitCeiling(settings.confinement, cwd) }),
    takeProcess: () => services.takeProcess(session.key.tenant),
    onProgress: (message, temporary) => conversation.emit("hook.progress", { message, temporary }),
  };
  return { hooks: hooks.map((spec) => new FileHook(spec, options)), errors };
}

/** The clients' first, then the repository's: commands see what applications made of it. */
function sourcesOf(
  services: HookServices,
  conversation: Conversation,
  clients: readonly HookSource[],
): readonly HookSource[] | Promise<readonly HookSource[]> {
  if (!hasFileHooks(conversation.session.settings)) return clients;
  return fileHooksOf(services, conversation).then(({ hooks }) => [...clients, ...hooks]);
}

export function hookAskerOf(
  services: HookServices,
  conversation: Conversation,
  more: {
    /** Those with hooks, when it is not all who are there. */
    readonly clients?: readonly HookSource[];
    readonly deadlineMs?: number;
    /** The sub-agent whose hooks these are. */
    readonly agent?: HookedAgent;
    /** Hooks are told the session's id, not the sub-agent's. */
    readonly asSession?: boolean;
    /** What goes on with the answers of hooks that are about no tool call; left out where no run does. */
    readonly waiter?: Waiter;
  } = {},
): HookAsker {
  const { waiter } = more;
  const { session } = conversation;
  return new HookAsker({
    sessionId: more.asSession ? session.id : (more.agent?.agentId ?? session.id),
    ...(more.agent ? { agent: more.agent } : {}),
    sources: () => sourcesOf(services, conversation, more.clients ?? clientHooksOf(session)),
    workingDirectory: () => services.workingDirectory(session),
    deadlineMs: more.deadlineMs ?? services.deadlineMs,
    ...(waiter && {
      whileClientAnswers: (toolCallId, answer) =>
        session.waits.during(toolCallId === undefined ? waiter : { toolCallId }, answer),
    }),
    append: (type, data) =>
      conversation.append(
        type,
        type === "session.warning" && session.run
          ? { ...data, originatingMessageId: session.run.messageId }
          : data,
      ),
    onWarning: services.onWarning,
  });
}

/**
 * @param logPrompt puts a prompt into the conversation of the run in progress; false when a hook blocked it.
 * @param agent the sub-agent whose run it is.
 */
export function runHooksOf(
  services: HookServices,
  conversation: Conversation,
  signal: AbortSignal,
  logPrompt: (prompt: QueuedPrompt) => Promise<boolean> | boolean,
  agent?: HookedAgent,
): RunHooks {
  return createRunHooks({
    asker: hookAskerOf(services, conversation, agent ? { agent, waiter: agent } : { waiter: "run" }),
    signal,
    transcriptPath: services.transcriptPath(conversation.session),
    addContext: (content) => conversation.record("rightseat.context_added", { content }),
    changeArguments: (toolCallId, args) =>
      conversation.record("rightseat.call_changed", { toolCallId, arguments: toJson(args) }),
    followUp: async (prompt) => {
      const agentMode = conversation.state.running?.agentMode;
      return logPrompt({
        messageId: randomUUID(),
        prompt,
        steering: false,
        ...(agentMode ? { agentMode } : {}),
      });
    },
    notify: (message) => conversation.append("session.info", { infoType: "hook", message }),
  });
}

/** Tells those who have hooks that the session ends; resolves when all know, or after five seconds each. */
export async function tellSessionEnd(
  services: HookServices,
  session: Session,
  reason: EndReason,
  clients: readonly HookSource[],
): Promise<void> {
  const last = session.state.messages.findLast(
    (message) => message.role === "assistant" && message.content !== "",
  );
  const finalMessage = last?.role === "assistant" ? { finalMessage: last.content } : {};
  const deadlineMs = Math.min(services.deadlineMs, END_DEADLINE_MS);
  const asker = hookAskerOf(services, session, { clients, deadlineMs });
  // What it answers is in the log, for whoever reads that.
  await asker.ask(
    "sessionEnd",
    new AbortController().signal,
    () => ({ reason, ...finalMessage }),
    () => undefined,
  );
}
