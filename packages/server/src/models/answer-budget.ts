/**
 * How much one request to a provider may bring in. Many times what the largest models answer; without an
 * end, a provider that a tenant names could take the memory of everybody.
 */
import { describeWhere } from "./errors.ts";
import { ModelError, type ModelEvent } from "./model-provider.ts";

const MIB = 1024 * 1024;

export const ANSWER_CAPS = {
  /** The length of one event of a stream, in characters; the whole response comes in one at the end of Responses. */
  eventCharacters: 16 * MIB,
  /** The length of text, reasoning and tool arguments of one answer together, in characters. */
  answerCharacters: 8 * MIB,
  /** The length of events that bring none of these, in characters: signatures, citations, counts. */
  otherCharacters: 32 * MIB,
  /** The size of a stream on the wire. */
  streamBytes: 256 * MIB,
  /** The size of an answer that is not streamed. */
  wholeBytes: 32 * MIB,
  /** The size of a list of models. */
  listBytes: 8 * MIB,
  /** From the request to the end of the answer, however much it says in between. */
  callMs: 4 * 60 * 60_000,
} as const;

export interface AnswerSource {
  readonly provider: string;
  readonly url: string;
  readonly requestId?: string;
}

export function tooLargeError(source: AnswerSource, what: string): ModelError {
  return new ModelError(
    "answer-too-large",
    `${source.provider}: ${describeWhere(source.url)} sent ${what}. The request was ended.`,
    { requestId: source.requestId },
  );
}

/** Counts what the events of one answer bring. */
export class AnswerBudget {
  readonly #source: AnswerSource;
  #answer = 0;
  #other = 0;

  constructor(source: AnswerSource) {
    this.#source = source;
  }

  /** @param events what an event of `characters` brought. @throws ModelError "answer-too-large". */
  count(characters: number, events: readonly ModelEvent[]): void {
    if (events.length === 0) this.#other += characters;
    else for (const event of events) if (event.type !== "answer") this.#answer += event.delta.length;
    if (this.#answer > ANSWER_CAPS.answerCharacters)
      throw tooLargeError(
        this.#source,
        `an answer of more than ${ANSWER_CAPS.answerCharacters} characters, the most that one may have`,
      );
    if (this.#other > ANSWER_CAPS.otherCharacters)
      throw tooLargeError(
        this.#source,
        `more than ${ANSWER_CAPS.otherCharacters} characters beside its answer, the most that may come`,
      );
  }
}
