/**
 * Questions that a session has asked its clients and that are not answered yet. A question is an event that every
 * attached client sees; the first answer counts, later ones are told so. It is kept while no client
 * is there, shown again to one that comes, and ends as `expired` after its deadline. One that is put to
 * a single client besides moves on when that client goes (`ask-client.ts`).
 */

import type { Announcements, OfSession } from "../../announcements/announcements.ts";
import type { PublishedEvent } from "../log/published-event.ts";
import type { ClientWaits, Waiter } from "./client-waits.ts";
import type { Attachment } from "./session-settings.ts";

export type QuestionKind =
  | "permission"
  | "external-tool"
  | "user-input"
  | "exit-plan-mode"
  | "auto-mode-switch"
  | "elicitation"
  | "sampling"
  | "session-limits"
  | "command"
  | "queued-command";

export interface Question {
  readonly requestId: string;
  readonly kind: QuestionKind;
  readonly toolCallId?: string;
  /** For a client's tool: its name, by which a client that offers it is known. */
  readonly toolName?: string;
  /** The event that asks, to show it to a client that comes later. */
  readonly event: PublishedEvent;
  /** Which clients are shown the event; all of them when left out. */
  readonly concerns?: (attachment: Attachment) => boolean;
  /** Told that a client came or went. Must not throw. */
  readonly onClientsChanged?: () => void;
}

export type QuestionOutcome<T> =
  | { readonly kind: "answered"; readonly answer: T }
  | { readonly kind: "expired" }
  /** Every client that could answer said that it will not, or its answer could not be read. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "cancelled"; readonly reason: string };

/** The session whose questions they are, and where they are announced. */
interface Asker extends OfSession {
  readonly announcements: Announcements;
}

interface Pending {
  readonly question: Question;
  readonly settle: (outcome: QuestionOutcome<unknown>) => void;
  readonly timer: NodeJS.Timeout;
}

/** Kinds that a run asks when no tool call of it is open. */
const BETWEEN_CALLS: ReadonlySet<QuestionKind> = new Set(["session-limits", "auto-mode-switch"]);

export class Questions {
  /** By request id; undefined while nothing waits, as in most sessions most of the time. */
  #pending: Map<string, Pending> | undefined;
  /** How long a question may wait. */
  readonly deadlineMs: number;
  readonly #waits: ClientWaits | undefined;
  readonly #asker: Asker | undefined;

  /** @param deadlineMs how long a question may wait, in milliseconds. */
  constructor(deadlineMs: number, waits?: ClientWaits, asker?: Asker) {
    this.deadlineMs = deadlineMs;
    this.#waits = waits;
    this.#asker = asker;
  }

  get size(): number {
    return this.#pending?.size ?? 0;
  }

  /** Waits for the answer. The signal cancels the question; it never rejects. */
  ask<T>(question: Question, signal: AbortSignal): Promise<QuestionOutcome<T>> {
    if (signal.aborted) return Promise.resolve({ kind: "cancelled", reason: "aborted" });
    const waiter = waiterOf(question);
    return new Promise((resolve) => {
      const settle = (outcome: QuestionOutcome<unknown>) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#pending?.delete(question.requestId);
        if (this.size === 0) this.#pending = undefined;
        this.#announceClosed(question, outcome.kind);
        const mayBeTold = waiter && this.#endWait(waiter, outcome);
        if (mayBeTold) void mayBeTold.then(() => resolve(outcome as QuestionOutcome<T>));
        else resolve(outcome as QuestionOutcome<T>);
      };
      const onAbort = () => settle({ kind: "cancelled", reason: "aborted" });
      const timer = setTimeout(() => settle({ kind: "expired" }), this.deadlineMs);
      timer.unref();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#pending ??= new Map();
      this.#pending.set(question.requestId, { question, settle, timer });
      this.#announceOpened(question);
      if (waiter) this.#waits?.begin(waiter);
    });
  }

  #announceOpened({ requestId, kind }: Question): void {
    const asker = this.#asker;
    asker?.announcements.announce("question-opened", { key: asker.key, requestId, kind });
  }

  #announceClosed({ requestId, kind }: Question, outcome: QuestionOutcome<unknown>["kind"]): void {
    const asker = this.#asker;
    asker?.announcements.announce("question-closed", { key: asker.key, requestId, kind, outcome });
  }

  #endWait(waiter: Waiter, { kind }: QuestionOutcome<unknown>): Promise<void> | undefined {
    if (kind !== "cancelled") return this.#waits?.end(waiter);
    this.#waits?.cancel(waiter);
    return undefined;
  }

  /** Gives the answer. False when nothing of that kind waits under the id: it was answered, or never asked. */
  answer(kind: QuestionKind, requestId: string, answer: unknown): boolean {
    const pending = this.#pending?.get(requestId);
    if (pending?.question.kind !== kind) return false;
    pending.settle({ kind: "answered", answer });
    return true;
  }

  /** Ends a question that no client will answer. False when nothing of that kind waits under the id. */
  fail(kind: QuestionKind, requestId: string, reason: string): boolean {
    const pending = this.#pending?.get(requestId);
    if (pending?.question.kind !== kind) return false;
    pending.settle({ kind: "failed", reason });
    return true;
  }

  /** The session ends: nobody will answer any more. */
  cancelAll(reason: string): void {
    for (const { settle } of [...(this.#pending?.values() ?? [])]) settle({ kind: "cancelled", reason });
  }

  /** A client came or went: questions that were put to one of them may have to move. */
  clientsChanged(): void {
    for (const { question } of [...(this.#pending?.values() ?? [])]) question.onClientsChanged?.();
  }

  isOpen({ requestId }: Question): boolean {
    return this.#pending?.has(requestId) ?? false;
  }

  /** Open questions, oldest first. */
  list(kind?: QuestionKind): Question[] {
    const questions = [...(this.#pending?.values() ?? [])].map((pending) => pending.question);
    return kind === undefined ? questions : questions.filter((question) => question.kind === kind);
  }
}

function waiterOf({ kind, toolCallId }: Question): Waiter | undefined {
  if (toolCallId !== undefined) return { toolCallId };
  return BETWEEN_CALLS.has(kind) ? "run" : undefined;
}
