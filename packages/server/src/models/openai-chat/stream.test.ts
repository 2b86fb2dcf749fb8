import { collect, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import type { ModelAnswer, ModelEvent, ModelRequest } from "../model-provider.ts";
import { createOpenAIChatProvider } from "./provider.ts";

const REQUEST: ModelRequest = {
  model: "m",
  system: "",
  messages: [{ role: "user", content: "Hi" }],
  tools: [],
  stream: true,
};

async function read(
  chunks: readonly (object | "[DONE]")[],
  cut: (bytes: Buffer) => Uint8Array[] = (bytes) => [bytes],
): Promise<ModelEvent[]> {
  const text = chunks
    .map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`)
    .join("");
  await using server = await startScriptedModelServer({ script: [{ rawChunks: cut(Buffer.from(text)) }] });
  return await collect(
    createOpenAIChatProvider({ type: "openai", baseUrl: server.url }).generate(
      REQUEST,
      new AbortController().signal,
    ),
  );
}

async function readAnswer(chunks: readonly (object | "[DONE]")[]): Promise<ModelAnswer> {
  const last = (await read(chunks)).at(-1);
  if (last?.type !== "answer") throw new Error("no answer");
  return last.answer;
}

const delta = (fields: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: fields, finish_reason }],
});
const call = (fields: object) => delta({ tool_calls: [fields] });
const STOP = delta({}, "stop");

describe("Chat Completions streams", () => {
  it("read the same wherever the bytes are cut", async () => {
    const chunks = [delta({ content: "Grüße " }), delta({ content: "東京 🗼" }), STOP, "[DONE]"] as const;
    const expected = await read(chunks);
    const bytesEach = async (size: number) =>
      read(chunks, (bytes) =>
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        ),
      );
    for (const size of [1, 2, 3, 7, 64]) expect(await bytesEach(size)).toEqual(expected);
  });

  it("end with a finish_reason or [DONE], and not without either", async () => {
    expect((await readAnswer([delta({ content: "a" }), STOP])).content).toBe("a");
    expect((await readAnswer([delta({ content: "a" }), "[DONE]"])).content).toBe("a");
    await expect(readAnswer([delta({ content: "a" })])).rejects.toMatchObject({ kind: "network" });
  });

  it("may hold chunks without choices", async () => {
    const chunks = [{ choices: [] }, { choices: null }, {}, delta({ content: "a" }), STOP, "[DONE]"] as const;
    expect((await readAnswer(chunks)).content).toBe("a");
  });

  it("may repeat the usage in each chunk; the last counts", async () => {
    const usage = (count: number) => ({ usage: { prompt_tokens: 9, completion_tokens: count } });
    const answer = await readAnswer([
      { ...delta({ content: "a" }), ...usage(1) },
      { ...STOP, ...usage(2) },
    ]);
    expect(answer.usage).toMatchObject({ inputTokens: 9, outputTokens: 2 });
  });

  it.each(["reasoning_content", "reasoning", "reasoning_text"])("may reason in %s", async (field) => {
    const events = await read([delta({ [field]: "hm" }), delta({ content: "a" }), STOP]);
    expect(events.slice(0, 2)).toEqual([
      { type: "reasoning", delta: "hm" },
      { type: "text", delta: "a" },
    ]);
  });

  it("fail with the error object that they hold", async () => {
    const chunks = [delta({ content: "a" }), { error: { message: "upstream gave up", code: 502 } }];
    await expect(readAnswer(chunks)).rejects.toMatchObject({ kind: "server", status: 502 });
  });

  it("fail when their last event is cut off", async () => {
    await using server = await startScriptedModelServer({
      script: [{ rawChunks: ['data: {"choices":[{"delta":{"con'] }],
    });
    const provider = createOpenAIChatProvider({ type: "openai", baseUrl: server.url });
    await expect(collect(provider.generate(REQUEST, new AbortController().signal))).rejects.toMatchObject({
      kind: "network",
    });
  });
});

describe("tool calls of Chat Completions", () => {
  const A = { id: "a", name: "f", arguments: '{"x":1}' };
  const B = { id: "b", name: "g", arguments: "{}" };

  it.each<[string, object[], object[]]>([
    [
      "come in pieces",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 0, function: { arguments: '{"x"' } }),
        call({ index: 0, function: { arguments: ":1}" } }),
      ],
      [A],
    ],
    ["come in one chunk", [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } })], [A]],
    [
      "repeat their name and id",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }),
        call({ index: 0, id: "a", function: { name: "f", arguments: ":1}" } }),
      ],
      [A],
    ],
    [
      "are interleaved",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: "{}" } }),
        call({ index: 0, function: { arguments: ":1}" } }),
      ],
      [A, B],
    ],
    [
      "have no index",
      [
        call({ id: "a", function: { name: "f", arguments: '{"x"' } }),
        call({ function: { arguments: ":1}" } }),
        call({ id: "b", function: { name: "g", arguments: "{}" } }),
      ],
      [A, B],
    ],
    [
      "all have the index 0",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 0, id: "b", function: { name: "g", arguments: "{}" } }),
      ],
      [A, B],
    ],
    [
      "get a fresh id with each piece",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }),
        call({ index: 0, id: "z", function: { arguments: ":1}" } }),
      ],
      [A],
    ],
    [
      "have an object for arguments",
      [call({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } })],
      [A],
    ],
    ["have no arguments", [call({ index: 0, id: "b", function: { name: "g" } })], [B]],
  ])("that %s", async (_, chunks, expected) => {
    const answer = await readAnswer([...chunks, STOP]);
    expect(answer.toolCalls).toEqual(expected);
    expect(answer.finishReason).toBe("tool-calls");
  });

  it("that have no id get one each", async () => {
    const answer = await readAnswer([
      call({ index: 0, function: { name: "f" } }),
      call({ index: 1, id: "", function: { name: "g" } }),
      STOP,
    ]);
    const ids = answer.toolCalls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^call_\w{24}$/);
  });
});
