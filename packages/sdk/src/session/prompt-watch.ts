/** Waits for what becomes of a prompt, whatever else the session does. */
import { markMaybeDone, PromptRemovedError } from "../errors.ts";
import type { AssistantMessageEvent, SessionEvent } from "../types/messages.ts";

/**
 * Follows the events of a session from before a prompt is sent. Its turn begins with the user message of its
 * id; the answer is the model's last message from there on. It ends with the first of: the session is idle
 * after it; another prompt has its turn; its turn failed; it was taken out of the queue. What ends before the prompt was accepted belongs to another
 * prompt, and what sub-agents say never counts.
 */
export class PromptWatch {
  readonly outcome: Promise<AssistantMessageEvent | undefined>;
  #resolve: (message: AssistantMessageEvent | undefined) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #messageId: string;
  /** The prompt whose turn it is: another's where this one steers it. */
  #runId: string | undefined;
  #accepted = false;
  /** The server tells the prompt's events under the id that it was sent with. */
  #isKnown = false;
  #begun = false;
  #over = false;
  /** The log is being looked up; and whether the session came to rest meanwhile. */
  #lookingUp = false;
  #restedMeanwhile = false;
  /** The session came to rest before it was known that the server has the prompt. */
  #restedBefore = false;
  /** Prompts whose turns began meanwhile, and what had been said last before each. */
  readonly #followers: {
    readonly id: string | undefined;
    readonly before: AssistantMessageEvent | undefined;
  }[] = [];
  /** Prompts whose turns it has seen begin. */
  readonly #begunIds = new Set<string | undefined>();
  #last: AssistantMessageEvent | undefined;
  #wasAborted = false;
  /** A turn was aborted since the wait began: what waited behind it was taken out of the queue. */
  #sawAbort = false;
  /** A hook of the session blocked it: it has no turn. */
  #isBlocked = false;
  readonly #onUnsure: () => void;

  /** @param onUnsure the prompt may have been taken out of the queue: only the server can tell */
  constructor(messageId: string, onUnsure: () => void = () => undefined) {
    this.#messageId = messageId;
    this.#onUnsure = onUnsure;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A prompt that was refused leaves nobody to wait.
    this.outcome.catch(() => undefined);
  }

  /** The id that the server knows it by, once it was accepted. */
  get messageId(): string {
    return this.#messageId;
  }

  /** Its turn has begun. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  /** It has ended, one way or the other. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Its turn was ended before it was done. */
  get wasAborted(): boolean {
    return this.#wasAborted;
  }

  /** Its end may have been told already: the session came to rest after the wait began. */
  get mayHaveMissedEnd(): boolean {
    return this.#restedBefore && !this.#begun && !this.#over;
  }

  /** The server has the prompt, and calls it by this id. */
  accepted(messageId: string): void {
    this.#isKnown = messageId === this.#messageId;
    this.#messageId = messageId;
    this.#accepted = true;
  }

  /** Nothing will come any more. */
  fail(reason: Error): void {
    this.#over = true;
    this.#reject(reason);
  }

  /** The session does nothing any more, and no event will tell. */
  end(): void {
    this.#over = true;
    // What was said before its turn is another prompt's answer.
    this.#resolve(this.#begun || !this.#isKnown ? this.#last : undefined);
  }

  /** It is in the queue no more, nor is it carried out: it had no turn, and no event will tell. */
  dropped(): void {
    if (this.#begun || this.#over) return;
    this.#wasAborted = !this.#isBlocked;
    this.end();
  }

  /** It was dropped, since the wait began. Whoever aborted the turn before it has ended it; others have taken it out. */
  droppedMeanwhile(): void {
    if (this.#begun || this.#over) return;
    if (this.#sawAbort || this.#isBlocked) this.dropped();
    else this.fail(new PromptRemovedError(this.#messageId));
  }

  /** The log is asked what became of the prompt: until `lookedUp`, others' turns that end do not end the wait. */
  lookingUp(): void {
    this.#lookingUp = true;
  }

  lookedUp(): void {
    this.#lookingUp = false;
    if (this.#restedMeanwhile && !this.#over) this.#endOfRest();
  }

  /** Goes on from where another got to that followed the log. */
  takeOver(earlier: PromptWatch): void {
    if (this.#begun || !earlier.#begun) return;
    this.#begun = true;
    this.#runId = earlier.#runId;
    // What was told meanwhile is its own as long as its turn goes on, and another prompt's afterwards.
    const next = this.#followers.find(({ id }) => !earlier.#begunIds.has(id));
    if (earlier.isOver) this.#last = earlier.#last;
    else if (next) this.#last = next.before ?? earlier.#last;
    else this.#last ??= earlier.#last;
    if (next && !earlier.isOver) this.end();
  }

  onEvent(event: SessionEvent): void {
    const { data, type } = event;
    if (this.#over || event.agentId !== undefined) return;
    this.#sawAbort ||= type === "abort" || (data as Rest).aborted === true;
    if (type === "user.message") this.#onUserMessage(data as UserMessage);
    else if (type === "assistant.message") this.#last = event;
    else if (type === "session.warning") this.#onWarning(data as Warning);
    else if (!this.#accepted && !this.#begun) this.#restedBefore ||= type === "session.idle";
    else if (type === "session.idle") this.#onIdle(data as Rest);
    else if (type === "session.error") this.#onError(data as SessionFailure);
    else if (type === "pending_messages.modified" && this.#isKnown && !this.#begun) this.#onUnsure();
  }

  #onIdle({ aborted, mode }: Rest): void {
    // On autopilot the agent goes on after it.
    if (mode === "autopilot") return;
    this.#wasAborted = aborted === true;
    if (this.#lookingUp && !this.#begun) this.#restedMeanwhile = true;
    else this.#endOfRest();
  }

  /** Without a turn it was taken out of the queue, or waits while a client holds that. */
  #endOfRest(): void {
    if (this.#begun || !this.#isKnown || this.#isBlocked) this.end();
    else this.#onUnsure();
  }

  #onWarning({ warningType, originatingMessageId }: Warning): void {
    this.#isBlocked ||= warningType === "policy_blocked" && originatingMessageId === this.#messageId;
  }

  #onUserMessage({ messageId, delivery, isAutopilotContinuation }: UserMessage): void {
    // On autopilot, a turn goes on with messages that nobody sent.
    const steers = delivery === "steering" || isAutopilotContinuation === true;
    this.#begunIds.add(messageId);
    if (messageId === this.#messageId) {
      this.#begun = true;
      if (!steers) this.#runId = messageId;
      this.#last = undefined;
    } else if (!steers) {
      if (this.#begun) this.end();
      else this.#runId = messageId;
      if (this.#lookingUp) this.#followers.push({ id: messageId, before: this.#last });
    }
  }

  #onError({ message, stack, errorType, originatingMessageId: about }: SessionFailure): void {
    const isMine = about === this.#messageId || (this.#begun && about === this.#runId);
    if (about !== undefined && !isMine) return;
    const error = new Error(message);
    if (stack !== undefined) error.stack = stack;
    // What becomes of it is not told any more.
    if (errorType === "connection") markMaybeDone(error);
    this.fail(error);
  }
}

interface Rest {
  readonly aborted?: boolean;
  readonly mode?: string;
}

interface Warning {
  readonly warningType?: string;
  readonly originatingMessageId?: string;
}

interface UserMessage {
  readonly messageId?: string;
  readonly delivery?: string;
  readonly isAutopilotContinuation?: boolean;
}

interface SessionFailure {
  readonly message: string;
  /** `connection`: the session is not attached any more. */
  readonly errorType?: string;
  readonly stack?: string;
  /** The prompt whose turn failed; older servers do not say. */
  readonly originatingMessageId?: string;
}
