import { collect } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import type { ModelAnswer, ModelMessage, ModelRequest, ModelTool } from "../model-provider.ts";
import { createDemoProvider } from "./provider.ts";

const tool = (
  name: string,
  description: string,
  properties: Record<string, unknown>,
  required: string[] = Object.keys(properties),
): ModelTool => ({
  name,
  description,
  parameters: { type: "object", properties, required },
});
const TEXT = { type: "string" };
const TOOLS = [
  tool(
    "get_weather",
    "Get the current weather for a city",
    { city: TEXT, unit: { type: "string", enum: ["celsius", "fahrenheit"] }, days: { type: "integer" } },
    ["city"],
  ),
  tool("lookup_issue", "Fetch issue details from our tracker", { id: TEXT }),
  tool("encrypt_string", "Encrypts a string", { input: TEXT }),
  tool("add_numbers", "Adds two numbers", { a: { type: "number" }, b: { type: "number" } }),
  tool("bash", "Runs a shell command", { command: TEXT, description: TEXT }, ["command"]),
  tool("create", "Create a new file with content", { path: TEXT, file_text: TEXT }),
  tool("book_flight", "Books a seat", {
    trip: { type: "object", properties: { from: TEXT, to: TEXT }, required: ["from", "to"] },
    refundable: { type: "boolean" },
  }),
];

async function ask(
  said: string | readonly ModelMessage[],
  fields: Partial<ModelRequest> = {},
): Promise<ModelAnswer> {
  const messages = typeof said === "string" ? [{ role: "user" as const, content: said }] : said;
  const events = await collect(
    createDemoProvider().generate(
      { model: "demo", system: "", messages, tools: [], stream: true, ...fields },
      new AbortController().signal,
    ),
  );
  const last = events.at(-1);
  if (last?.type !== "answer") throw new Error("no answer");
  expect(events.map((event) => (event.type === "text" ? event.delta : "")).join("")).toBe(
    last.answer.content,
  );
  return last.answer;
}

const callsFor = async (said: string) =>
  (await ask(said, { tools: TOOLS })).toolCalls.map((call) => [call.name, JSON.parse(call.arguments)]);
const user = (content: string): ModelMessage => ({ role: "user", content });

describe("the demo model", () => {
  it("streams word by word", async () => {
    const events = await collect(
      createDemoProvider().generate(
        { model: "demo", system: "", messages: [user("echo one  two\nthree")], tools: [], stream: true },
        new AbortController().signal,
      ),
    );
    expect(events.filter((event) => event.type === "text")).toHaveLength(3);
  });

  it.each([
    ["echo hello  world", "hello  world"],
    ["What is 2+2?", "2+2 = 4"],
    ["what is 12 times (3 plus 4)?", "12 * (3 + 4) = 84"],
    ["Compute 2 ^ 3 ^ 2 / 4", "2 ^ 3 ^ 2 / 4 = 128"],
    ["0.1 + 0.2", "0.1 + 0.2 = 0.3"],
    [
      "My name is Ada and my favourite colour is green.",
      "Noted: your name is Ada; your favourite colour is green.",
    ],
  ])("answers %s with %s", async (said, expected) => {
    expect((await ask(said)).content).toBe(expected);
  });

  it.each([["Explain closures"], ["On 2024-05-06 we met"], ["What is 1 / 0"], ["hello"], [""]])(
    "says what it is when asked: %s",
    async (said) => {
      expect((await ask(said)).content).toContain("no language model behind");
    },
  );

  it.each([
    [["My name is Ada"], "What is my name?", "Your name is Ada."],
    [["My name is Ada", "Actually, my name is Bob."], "who am I?", "Your name is Bob."],
    [["I live in Berlin."], "Where do I live?", "You live in Berlin."],
    [
      ["Remember the number 42", "Remember that the sky is blue"],
      "What number did I ask you to remember?",
      "You asked me to remember the number 42.",
    ],
    [[], "What is my name?", "You have not told me your name in this conversation."],
  ])("recalls from %o: %s", async (earlier, question, expected) => {
    const messages = earlier.flatMap((said): ModelMessage[] => [
      user(said),
      { role: "assistant", content: "ok", toolCalls: [] },
    ]);
    expect((await ask([...messages, user(question)])).content).toBe(expected);
  });

  it("quotes what was stated in a summary", async () => {
    const { content } = await ask([
      user("My name is Ada"),
      user("echo x"),
      user("Summarise the conversation"),
    ]);
    expect(content).toContain("2 messages");
    expect(content).toContain("My name is Ada");
  });

  it.each<[string, unknown[]]>([
    ["What's the weather in Paris?", [["get_weather", { city: "Paris" }]]],
    ["weather in berlin please", [["get_weather", { city: "berlin" }]]],
    [
      "What is the weather in Paris, New York and Rome for 3 days in fahrenheit?",
      ["Paris", "New York", "Rome"].map((city) => ["get_weather", { city, unit: "fahrenheit", days: 3 }]),
    ],
    ["Look up issue 42", [["lookup_issue", { id: "42" }]]],
    ["Use encrypt_string to encrypt this string: Hello", [["encrypt_string", { input: "Hello" }]]],
    ['Use encrypt_string to encrypt "Hello world"', [["encrypt_string", { input: "Hello world" }]]],
    ["Use add_numbers with 3 and 4.5", [["add_numbers", { a: 3, b: 4.5 }]]],
    ["Use the bash tool to run `ls -la`", [["bash", { command: "ls -la" }]]],
    ["Run the shell command: git status", [["bash", { command: "git status" }]]],
    [
      'Create a file hello.txt with content "hi there"',
      [["create", { path: "hello.txt", file_text: "hi there" }]],
    ],
    [
      "book a flight from Berlin to Rome, not refundable",
      [["book_flight", { trip: { from: "Berlin", to: "Rome" }, refundable: false }]],
    ],
    [
      "get_weather city: Oslo and lookup_issue id ABC-12",
      [
        ["get_weather", { city: "Oslo" }],
        ["lookup_issue", { id: "ABC-12" }],
      ],
    ],
    ["hello", []],
    ["Explain closures in JavaScript", []],
  ])("calls tools for: %s", async (said, expected) => {
    expect(await callsFor(said)).toEqual(expected);
  });

  it("quotes the results of its calls", async () => {
    const { content, finishReason } = await ask(
      [
        user("weather in Paris and Rome"),
        {
          role: "assistant",
          content: "",
          toolCalls: ["1", "2"].map((id) => ({ id, name: "get_weather", arguments: "{}" })),
        },
        { role: "tool", toolCallId: "1", content: "Sunny, 21°C" },
        { role: "tool", toolCallId: "2", content: "no such city", isError: true },
      ],
      { tools: TOOLS },
    );
    expect(content).toBe("get_weather answered: Sunny, 21°C\nget_weather failed: no such city");
    expect(finishReason).toBe("stop");
  });

  it("counts four characters a token", async () => {
    expect((await ask("echo 12345678", { system: "abc" })).usage).toEqual({
      inputTokens: 4,
      outputTokens: 2,
    });
  });

  it("throws the signal's reason", async () => {
    const reason = new Error("enough");
    const request = { model: "demo", system: "", messages: [user("echo a b c")], tools: [], stream: true };
    await expect(collect(createDemoProvider().generate(request, AbortSignal.abort(reason)))).rejects.toBe(
      reason,
    );
    const controller = new AbortController();
    const events = createDemoProvider().generate(request, controller.signal)[Symbol.asyncIterator]();
    await events.next();
    controller.abort(reason);
    await expect(events.next()).rejects.toBe(reason);
  });
});
