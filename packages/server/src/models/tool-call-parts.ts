import { randomUUID } from "node:crypto";
import { isDeeperThan } from "@rightseat/protocol";
import { ModelError, type ModelEvent, type ModelToolCall } from "./model-provider.ts";

/** The most calls of one answer. All are run side by side. */
export const MAX_TOOL_CALLS = 256;

interface OpenCall {
  readonly id: string;
  name: string;
  pieces: string[];
  /** The arguments as they were told when the call began, which some wires say again in pieces. */
  readonly told: string;
}

/**
 * Collects the tool calls of one answer. Calls keep the order in which they began; their `index` in
 * events is that order, whatever numbers the wire used.
 */
export class ToolCallParts {
  readonly #calls: OpenCall[] = [];

  get size(): number {
    return this.#calls.length;
  }

  /**
   * Begins a call and reports it. An absent or empty id gets one made here.
   * @throws ModelError "answer-too-large" when there are too many.
   */
  begin(
    start: {
      readonly id?: string;
      readonly name: string;
      readonly arguments?: string;
      /** Counts only when nothing else comes of the arguments. */
      readonly told?: string;
    },
    out: ModelEvent[],
  ): number {
    if (this.#calls.length === MAX_TOOL_CALLS)
      throw new ModelError(
        "answer-too-large",
        `the provider's answer asks for more than ${MAX_TOOL_CALLS} tools at once, the most that it may. The request was ended.`,
      );
    // Some servers number them.
    const id = start.id ? String(start.id) : `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
    const index = this.#calls.length;
    const delta = start.arguments ?? "";
    this.#calls.push({ id, name: start.name, pieces: delta === "" ? [] : [delta], told: start.told ?? "" });
    out.push({ type: "tool-call", index, id, name: start.name, delta });
    return index;
  }

  /** Whether nothing can be missing of a call's arguments; those that are empty are not. */
  isWhole(index: number): boolean {
    const call = this.#calls[index];
    if (call === undefined || call.name === "") return false;
    const text = call.pieces.join("");
    return text.length > EMPTY.length && isJsonObject(text);
  }

  append(index: number, delta: string, out: ModelEvent[]): void {
    const call = this.#calls[index];
    if (call === undefined || delta === "") return;
    call.pieces.push(delta);
    out.push({ type: "tool-call", index, delta });
  }

  /** Sets a name that came after its call began; a repeated name changes nothing. */
  setName(index: number, name: string, out: ModelEvent[]): void {
    const call = this.#calls[index];
    if (call === undefined || call.name !== "" || name === "") return;
    call.name = name;
    out.push({ type: "tool-call", index, name, delta: "" });
  }

  /** Replaces what was collected by the whole arguments, where a wire sends them again at the end. */
  complete(index: number, whole: string, out: ModelEvent[]): void {
    const call = this.#calls[index];
    if (call === undefined || whole === "") return;
    const sent = call.pieces.join("");
    // Joined once: a wire may say so any number of times.
    if (call.pieces.length > 1) call.pieces = [sent];
    if (!whole.startsWith(sent)) call.pieces = [whole];
    else if (whole.length > sent.length) this.append(index, whole.slice(sent.length), out);
  }

  /** Nothing more comes of the arguments: those that were told when their call began count. */
  settle(out: ModelEvent[]): void {
    for (const [index, call] of this.#calls.entries())
      if (call.pieces.length === 0) this.append(index, call.told, out);
  }

  /** The calls so far. A call without arguments has `{}`: providers send nothing for tools that take none. */
  toToolCalls(): ModelToolCall[] {
    return this.#calls.map((call) => ({
      id: call.id,
      name: call.name,
      arguments: onceOnly(call.pieces.join("") || call.told || EMPTY),
    }));
  }
}

const EMPTY = "{}";

/** Some servers say the arguments twice, or an empty object in front of them. */
function onceOnly(text: string): string {
  if (!text.startsWith("{") || !text.includes("}{") || isJsonObject(text)) return text;
  const half = text.slice(text.length / 2);
  if (text === half + half && isJsonObject(half)) return half;
  const rest = text.slice(EMPTY.length);
  return text.startsWith(EMPTY) && isJsonObject(rest) ? rest : text;
}

function isJsonObject(text: string): boolean {
  if (!text.startsWith("{") || isDeeperThan(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
