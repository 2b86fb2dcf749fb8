/**
 * A question that one client is asked by a request, and that any client may answer by a call: the first
 * answer counts. When the client that was asked goes, the next able one is asked; without one, the
 * question waits for one to come. It ends as `failed` when every able client refused, and as `expired`
 * at its deadline.
 */
import { ConnectionClosedError } from "@rightseat/protocol";
import type { PublishedEvent } from "../../log/published-event.ts";
import type { ClientLink } from "../../members/client-link.ts";
import type { QuestionKind, QuestionOutcome } from "../../members/questions.ts";
import type { Attachment } from "../../members/session-settings.ts";
import { someClient, watches } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";

export interface ClientQuestion<T> {
  readonly kind: QuestionKind;
  readonly requestId: string;
  readonly toolCallId?: string;
  /** The event that every client sees. */
  readonly event: PublishedEvent;
  /** The request to one client; the session's id is added to the parameters. */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Whether a client has a handler for the request. */
  readonly canAnswer: (attachment: Attachment) => boolean;
  /** Reads a client's answer, of any version; undefined when it is none. */
  readonly read: (answer: unknown) => T | undefined;
}

/** Resolves always; the signal cancels the question. */
export async function askClient<T>(
  session: Session,
  question: ClientQuestion<T>,
  signal: AbortSignal,
): Promise<QuestionOutcome<T>> {
  const asking = new Asking(session, question);
  const { kind, requestId, toolCallId, event } = question;
  const answered = session.questions.ask<T>(
    { kind, requestId, toolCallId, event, onClientsChanged: () => asking.offer() },
    signal,
  );
  asking.offer();
  const outcome = await answered;
  asking.end();
  if (outcome.kind !== "answered") return outcome;
  // Answers by call come as they are.
  const answer = question.read(outcome.answer);
  return answer === undefined
    ? { kind: "failed", reason: `the answer to ${question.method} was not understood` }
    : { kind: "answered", answer };
}

/** Knows which client is being asked, and which refused. */
class Asking<T> {
  readonly #session: Session;
  readonly #question: ClientQuestion<T>;
  #asked: { readonly link: ClientLink; readonly controller: AbortController } | undefined;
  readonly #refused = new Set<ClientLink>();
  #reason = "";
  #ended = false;

  constructor(session: Session, question: ClientQuestion<T>) {
    this.#session = session;
    this.#question = question;
  }

  /** Asks the next able client, unless one is being asked. */
  offer(): void {
    if (this.#ended) return;
    if (this.#asked) {
      if (this.#session.attachments.has(this.#asked.link)) return;
      this.#withdraw();
    }
    for (const attachment of this.#session.attachments.values()) {
      if (!this.#question.canAnswer(attachment) || this.#refused.has(attachment.link)) continue;
      void this.#ask(attachment.link);
      return;
    }
    if (this.#refused.size > 0 && !this.#mayBeAnsweredOtherwise())
      this.#session.questions.fail(this.#question.kind, this.#question.requestId, this.#reason);
  }

  end(): void {
    this.#ended = true;
    this.#withdraw();
  }

  async #ask(link: ClientLink): Promise<void> {
    const { method, params, kind, requestId, read } = this.#question;
    const controller = new AbortController();
    this.#asked = { link, controller };
    try {
      const answer = read(
        await link.request(method, { sessionId: this.#session.id, ...params }, controller.signal),
      );
      if (controller.signal.aborted) return;
      if (answer === undefined) this.#refuse(link, `the client's answer to ${method} was not understood`);
      else this.#session.questions.answer(kind, requestId, answer);
    } catch (error) {
      // Withdrawn, or its client has gone: whoever noticed goes on.
      if (controller.signal.aborted || error instanceof ConnectionClosedError) return;
      this.#refuse(link, error instanceof Error ? error.message : String(error));
    }
  }

  #refuse(link: ClientLink, reason: string): void {
    this.#refused.add(link);
    this.#reason = reason;
    this.#asked = undefined;
    this.offer();
  }

  #mayBeAnsweredOtherwise(): boolean {
    const { type } = this.#question.event.event;
    return someClient(this.#session, (attachment) => watches(attachment, type));
  }

  #withdraw(): void {
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.controller.abort(new Error("the question was withdrawn"));
  }
}
