import { randomUUID } from "node:crypto";
import type { ModelEvent, ModelToolCall } from "./model-provider.ts";

interface OpenCall {
  readonly id: string;
  name: string;
  pieces: string[];
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

  /** Begins a call and reports it. An absent or empty id gets one made here. */
  begin(
    start: { readonly id?: string; readonly name: string; readonly arguments?: string },
    out: ModelEvent[],
  ): number {
    const id = start.id || `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
    const index = this.#calls.length;
    const delta = start.arguments ?? "";
    this.#calls.push({ id, name: start.name, pieces: delta === "" ? [] : [delta] });
    out.push({ type: "tool-call", index, id, name: start.name, delta });
    return index;
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
    if (whole.startsWith(sent) && whole.length > sent.length)
      this.append(index, whole.slice(sent.length), out);
  }

  /** The calls so far. A call without arguments has `{}`: providers send nothing for tools that take none. */
  toToolCalls(): ModelToolCall[] {
    return this.#calls.map((call) => ({
      id: call.id,
      name: call.name,
      arguments: call.pieces.join("") || "{}",
    }));
  }
}
