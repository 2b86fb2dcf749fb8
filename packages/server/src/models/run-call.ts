import { ANSWER_CAPS, AnswerBudget } from "./answer-budget.ts";
import type { Conceded } from "./concessions.ts";
import { describeWhere } from "./errors.ts";
import { ModelCall, type ModelCallOptions } from "./model-call.ts";
import { type ModelAnswer, ModelError, type ModelEvent } from "./model-provider.ts";
import { WholeDeltas } from "./whole-deltas.ts";

/**
 * Reads one wire's answers. One instance an answer; stateful. Events go into `out`, which the caller
 * empties, so that the hot path allocates nothing but the events themselves.
 */
export interface AnswerReader {
  /** The data of one server-sent event. @throws ModelError for an error that came in the stream. */
  push(data: string, out: ModelEvent[]): void;
  /** A whole, unstreamed answer, parsed from JSON. */
  pushWhole(body: unknown, out: ModelEvent[]): void;
  /** True once nothing of interest can follow. */
  readonly done: boolean;
  /** True once the answer is whole, though more may follow: counts, a terminal marker. */
  readonly whole?: boolean;
  /** @throws ModelError "network" when the terminal marker never came. */
  finish(): ModelAnswer;
}

/**
 * Sends one request and yields its events, then exactly one `answer`. Each delta is yielded once, as it
 * came; a consumer that stops early closes the connection.
 */
export async function* runCall(
  options: ModelCallOptions & { readonly conceded: Conceded },
  start: (call: ModelCall, signal: AbortSignal) => Promise<Response>,
  createReader: (call: ModelCall) => AnswerReader,
): AsyncGenerator<ModelEvent, void, void> {
  const call = new ModelCall(options);
  let complete = false;
  try {
    const response = await call.open((signal) => start(call, signal));
    const reader = createReader(call);
    const out: ModelEvent[] = [];
    const budget = new AnswerBudget(call);
    const deltas = new WholeDeltas();
    let last: unknown;
    if (isWhole(call, response)) {
      last = await readWhole(call);
      reader.pushWhole(last, out);
      budget.count(0, out);
      for (const event of out) {
        call.assertRunning();
        const told = deltas.push(event);
        if (told) yield told;
      }
    } else {
      while (!reader.done) {
        if (reader.whole) call.expectEnd();
        const batch = await call.nextEvents();
        if (batch === undefined) break;
        for (const data of batch) {
          const isObject = data.charCodeAt(0) === 123; /* { */
          if (!isObject && saysNothing(data)) continue;
          if (isObject) last = data;
          reader.push(isObject ? data : data.trim(), out);
          budget.count(data.length, out);
          for (const event of out) {
            if (call.stopped) call.assertRunning();
            const told = deltas.push(event);
            if (told) yield told;
          }
          out.length = 0;
        }
      }
    }
    const foreign = reader.done ? undefined : call.foreignBody();
    if (foreign !== undefined) {
      last = foreign;
      reader.pushWhole(foreign, out);
      budget.count(0, out);
      for (const event of out) {
        const told = deltas.push(event);
        if (told) yield told;
      }
    }
    call.assertRunning();
    const answer = toMarked(finish(reader, call, last), options.origin);
    complete = true;
    options.conceded.taken();
    yield* deltas.end();
    yield { type: "answer", answer };
  } catch (thrown) {
    throw options.conceded.refused(call.toError(thrown));
  } finally {
    call.close({ complete });
  }
}

/** Empty data, and words that keep connections alive. */
function saysNothing(data: string): boolean {
  return data.length < 100 && KEPT_ALIVE.test(data.trim());
}

const KEPT_ALIVE = /^(?:null|ping|pong|keep[-_ ]?alive|heartbeat|:.*)?$/i;

/**
 * @param last what came at the end: where there is no answer, some servers say there what went wrong, in
 *   shapes that no wire knows.
 */
function finish(reader: AnswerReader, call: ModelCall, last: unknown): ModelAnswer {
  let answer: ModelAnswer;
  try {
    answer = reader.finish();
  } catch (dropped) {
    throw call.errorSaidBy(last) ?? dropped;
  }
  const isEmpty = answer.content === "" && answer.toolCalls.length === 0;
  const said = isEmpty ? call.errorSaidBy(last) : undefined;
  if (said) throw said;
  return answer;
}

/** Without halves of surrogate pairs, as long as before, so that positions in it stay true; its reasoning marked. */
function toMarked(answer: ModelAnswer, origin: string | undefined): ModelAnswer {
  const toolCalls = answer.toolCalls.map((call) => ({
    ...call,
    id: call.id.toWellFormed(),
    name: call.name.toWellFormed(),
    arguments: call.arguments.toWellFormed(),
  }));
  const { reasoning } = answer;
  return {
    ...answer,
    content: answer.content.toWellFormed(),
    toolCalls,
    ...(reasoning && { reasoning: { ...reasoning, text: reasoning.text?.toWellFormed(), origin } }),
  };
}

/** Servers that cannot stream answer in JSON although a stream was asked for; that is fine. */
function isWhole(call: ModelCall, response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json") && !type.includes("jsonl") && !type.includes("ndjson")) return true;
  if (!type.includes("html")) return false;
  throw new ModelError(
    "not-found",
    `${call.provider}: ${describeWhere(call.url)} answered with a web page (${type}), not with a model's answer. Check the provider's base URL.`,
    { status: response.status, requestId: call.requestId },
  );
}

async function readWhole(call: ModelCall): Promise<unknown> {
  try {
    return await call.readJson(ANSWER_CAPS.wholeBytes);
  } catch (error) {
    throw error instanceof SyntaxError ? call.droppedError("complete JSON") : error;
  }
}

/** Parses the data of one event. A cut-off last event is a dropped stream; a text says what went wrong. */
export function parseEventData(call: ModelCall, data: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = call.parse(data);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw data.startsWith("{") ? call.droppedError("complete event") : call.streamedError(data);
  }
  if (typeof parsed !== "object" || parsed === null) throw call.droppedError("object in an event");
  return parsed as Record<string, unknown>;
}
