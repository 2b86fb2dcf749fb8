/**
 * Prompts on their way to the server. Each has a message id that it is known by: one whose answer the
 * connection took with it is sent again, and the server carries it out once. One that was given up is not
 * sent again.
 */
import { orAborted } from "../call-options.ts";
import type { Channel } from "../connection/channel.ts";
import { Losses, lostTooOften } from "../connection/losses.ts";
import { ConnectionError, isConnectionLoss, markMaybeDone, reasonOf, toError } from "../errors.ts";

interface Prompt {
  readonly params: Readonly<Record<string, unknown>>;
  readonly resolve: (messageId: string) => void;
  readonly reject: (error: Error) => void;
  /** Cancels the request that is under way. */
  readonly givenUp: AbortController;
  /** The channel that it was last sent on, and has not been answered. */
  sentOn?: Channel;
  /** Connections that were lost while it was on its way. */
  readonly losses: Losses;
  /** A connection was lost on which it had gone out: the server may have it, whatever it says afterwards. */
  maybeTaken?: boolean;
}

export interface PromptsOptions {
  /** The connection that prompts may be sent on now. */
  readonly channel: () => Channel | undefined;
  /** The server does not know the session any more: it has to be resumed before the prompt goes out. */
  readonly onSessionUnknown: (channel: Channel) => void;
  /** How long one prompt may lose connection after connection, in milliseconds. */
  readonly giveUpAfterMs: number;
}

export class Prompts {
  readonly #options: PromptsOptions;
  /** In the order in which they were given. */
  readonly #unanswered = new Set<Prompt>();
  /** Whether the server carries out a prompt once that it is sent twice; undefined until it is known. */
  takesMessageIds: boolean | undefined;

  constructor(options: PromptsOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the message id once the server has the prompt for good. The signal gives it up: it does not
   * go out (again). What had gone out by then may be carried out, and the error says so (`maybeDone`).
   */
  send(params: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<string> {
    let prompt: Prompt | undefined;
    const answered = new Promise<string>((resolve, reject) => {
      const losses = new Losses(this.#options.giveUpAfterMs);
      prompt = { params, resolve, reject, losses, givenUp: new AbortController() };
      this.#unanswered.add(prompt);
    });
    this.flush();
    return orAborted(answered, signal).catch((error: unknown) => {
      if (signal?.aborted && prompt) {
        if (prompt.sentOn || prompt.maybeTaken) markMaybeDone(error);
        if (this.#unanswered.delete(prompt)) prompt.givenUp.abort(toError(error));
      }
      throw error;
    });
  }

  /** Sends what has not been sent on the present connection. */
  flush(): void {
    const channel = this.#options.channel();
    if (!channel?.isOpen) return;
    for (const prompt of [...this.#unanswered]) if (prompt.sentOn !== channel) this.#sendOn(channel, prompt);
  }

  /** Rejects all that wait. */
  fail(error: Error): void {
    for (const prompt of this.#unanswered)
      prompt.reject(prompt.sentOn || prompt.maybeTaken ? maybeDone(error) : error);
    this.#unanswered.clear();
  }

  #sendOn(channel: Channel, prompt: Prompt): void {
    const again = prompt.sentOn !== undefined;
    if (again && this.takesMessageIds !== true) {
      const why =
        "Connection is closed: it was lost before the server answered, and this server would carry a prompt out twice that is sent twice; it may have it or not";
      this.#settle(prompt, () => prompt.reject(new ConnectionError(why, { maybeDone: true })));
      return;
    }
    prompt.sentOn = channel;
    channel.request("session.send", prompt.params, prompt.givenUp.signal).then(
      (result) => {
        const { messageId } = result as { messageId: string };
        this.takesMessageIds ??= messageId === prompt.params.messageId;
        this.#settle(prompt, () => prompt.resolve(messageId));
      },
      (error: unknown) => {
        if (isConnectionLoss(error)) {
          prompt.maybeTaken = true;
          if (prompt.losses.areTooMany())
            this.#settle(prompt, () => prompt.reject(lostTooOften("session.send", error)));
          // Else it waits for the next connection.
          return;
        }
        if (reasonOf(error) === "session_not_found") {
          prompt.sentOn = undefined;
          this.#options.onSessionUnknown(channel);
          return;
        }
        this.#settle(prompt, () => prompt.reject(toError(error)));
      },
    );
  }

  #settle(prompt: Prompt, settle: () => void): void {
    if (this.#unanswered.delete(prompt)) settle();
  }
}

/** An error that others get too, for a prompt that the server may have. */
function maybeDone(error: Error): Error {
  return new ConnectionError(`${error.message} The server may have the prompt or not.`, {
    cause: error,
    maybeDone: true,
  });
}
