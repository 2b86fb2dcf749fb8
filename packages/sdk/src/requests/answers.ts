/**
 * Questions that a session asks by events (tool calls, permissions, forms, commands) and the answers of
 * the application. Each question is put to the application once, by its request id; its answer is sent
 * until the server has it, and again when the server, restarted, asks once more. An answer that cannot be sent,
 * or that the server does not take, is followed by one that says so: no question is left open.
 */
import { RemoteError, reasonOf, toError } from "../errors.ts";

export interface QuestionToAnswer {
  readonly requestId: string;
  /** The tool call it is about, whose end ends the question. */
  readonly toolCallId?: string;
  /** The method that takes the answer. */
  readonly method: string;
  /** Finds the answer: the method's parameters but the ids; undefined leaves the question to others. */
  readonly work: (signal: AbortSignal) => Promise<Record<string, unknown> | undefined>;
  /** What is answered in place of an answer that cannot be given. */
  readonly refusal: (why: string) => Record<string, unknown>;
}

export interface AnswersOptions {
  /** Calls a method of the session, again after every loss of the connection. */
  readonly send: (method: string, params: Record<string, unknown>) => Promise<unknown>;
  /** An answer could not be given, and nobody waits who could be told. */
  readonly onFailure: (question: QuestionToAnswer, error: Error) => void;
}

interface Entry {
  readonly question: QuestionToAnswer;
  readonly controller: AbortController;
  begun: boolean;
  answer?: Record<string, unknown>;
  /** The answer is the one that takes another's place. */
  refused?: boolean;
  sending: boolean;
}

/** Not about the answer: nobody waits for it there any more. */
const GONE: ReadonlySet<string | undefined> = new Set([
  "session_not_found",
  "session_in_use",
  "shutting_down",
  "request_cancelled",
]);

/** Answers kept for a server that asks again; the oldest are forgotten first. */
const KEPT_ANSWERS = 256;

export class Answers {
  readonly #options: AnswersOptions;
  readonly #entries = new Map<string, Entry>();
  #holding = false;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Puts a question to the application; not before `release` while they are held. */
  ask(question: QuestionToAnswer): void {
    if (this.#entries.has(question.requestId)) return;
    const entry: Entry = { question, controller: new AbortController(), begun: false, sending: false };
    this.#entries.set(question.requestId, entry);
    if (!this.#holding) void this.#begin(entry);
    this.#forgetOldest();
  }

  /** The server asks once more: it has not got the answer, or lost it. */
  askedAgain(requestId: string): void {
    const entry = this.#entries.get(requestId);
    if (entry?.answer && !this.#holding) void this.#send(entry);
  }

  /** The question, or the tool call it was about, has its answer. */
  settled(
    { requestId, toolCallId }: { requestId?: unknown; toolCallId?: unknown },
    { unlessAnswered = false } = {},
  ): void {
    for (const [id, { question, controller, answer }] of this.#entries) {
      const isMeant = id === requestId || (toolCallId !== undefined && question.toolCallId === toolCallId);
      if (!isMeant || (unlessAnswered && answer !== undefined)) continue;
      this.#entries.delete(id);
      controller.abort(new Error("the question was answered, or is not asked any more"));
    }
  }

  /** While a log is read that may show the end of a question further on. */
  hold(): void {
    this.#holding = true;
  }

  /** What still waits is put to the application now. */
  release(): void {
    this.#holding = false;
    for (const entry of this.#entries.values()) {
      if (!entry.begun) void this.#begin(entry);
      else if (entry.answer) void this.#send(entry);
    }
  }

  /** Nothing is answered any more. */
  close(): void {
    for (const { controller } of this.#entries.values()) controller.abort(new Error("the session was left"));
    this.#entries.clear();
  }

  async #begin(entry: Entry): Promise<void> {
    const { question, controller } = entry;
    entry.begun = true;
    let answer: Record<string, unknown> | undefined;
    try {
      answer = await question.work(controller.signal);
    } catch (error) {
      this.#options.onFailure(question, toError(error));
      answer = question.refusal(toError(error).message);
      entry.refused = true;
    }
    if (answer === undefined || this.#entries.get(question.requestId) !== entry) return;
    entry.answer = answer;
    await this.#send(entry);
  }

  async #send(entry: Entry): Promise<void> {
    const { question, answer } = entry;
    if (entry.sending) return;
    entry.sending = true;
    try {
      await this.#options.send(question.method, { requestId: question.requestId, ...answer });
    } catch (error) {
      if (GONE.has(reasonOf(error))) return;
      this.#options.onFailure(question, toError(error));
      this.#refuse(entry, error);
    } finally {
      entry.sending = false;
      this.#forgetOldest();
    }
    if (entry.answer !== answer) await this.#send(entry);
  }

  /** The next answer says that there is none. */
  #refuse(entry: Entry, error: unknown): void {
    const isAboutIt = error instanceof RemoteError || error instanceof TypeError;
    if (entry.refused || !isAboutIt) return;
    entry.refused = true;
    entry.answer = entry.question.refusal(`the answer could not be given: ${toError(error).message}`);
  }

  #forgetOldest(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= KEPT_ANSWERS) return;
      if (entry.answer !== undefined && !entry.sending) this.#entries.delete(id);
    }
  }
}
