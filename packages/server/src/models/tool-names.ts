import { createHash } from "node:crypto";
import type { ModelEvent, ModelRequest } from "./model-provider.ts";

/** What all providers take as the name of a tool, in declarations and in calls that are sent back. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_LENGTH = 64;
const DIGEST_LENGTH = 8;

/** A name as providers take it; the same for the same name. Models make names up, and clients give long ones. */
export function toToolName(name: string): string {
  if (NAME.test(name)) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGEST_LENGTH);
  const readable = name.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, MAX_LENGTH - DIGEST_LENGTH - 1);
  return `${readable || "unnamed"}_${digest}`;
}

/**
 * Runs a request whose tools have names that no provider takes: they go out under others, and calls come
 * back under their own.
 */
export function withToolNames(
  request: ModelRequest,
  generate: (request: ModelRequest) => AsyncIterable<ModelEvent>,
): AsyncIterable<ModelEvent> {
  const long = request.tools.filter(({ name }) => !NAME.test(name));
  if (long.length === 0) return generate(request);
  const own = new Map(long.map(({ name }) => [toToolName(name), name]));
  const tools = request.tools.map((tool) => ({ ...tool, name: toToolName(tool.name) }));
  return renamed(generate({ ...request, tools }), own);
}

async function* renamed(
  events: AsyncIterable<ModelEvent>,
  own: ReadonlyMap<string, string>,
): AsyncGenerator<ModelEvent, void, void> {
  const nameOf = (name: string) => own.get(name) ?? name;
  for await (const event of events) {
    if (event.type === "tool-call" && event.name !== undefined) yield { ...event, name: nameOf(event.name) };
    else if (event.type === "answer") {
      const toolCalls = event.answer.toolCalls.map((call) => ({ ...call, name: nameOf(call.name) }));
      yield { ...event, answer: { ...event.answer, toolCalls } };
    } else yield event;
  }
}
