/** Answers that a model should not give: arguments that are no JSON, a text that is cut off, nothing at all. */
import { type ScriptedModelServer, startScriptedModelServer, withoutTime } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

// biome-ignore lint/suspicious/noExplicitAny: bodies and events, of which each test looks at some fields
type Fields = any;

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function create(more: object = {}): Promise<string> {
  const { sessionId } = await client.request("session.create", {
    sessionId: `answers-${next++}`,
    model: "scripted",
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
    ...more,
  });
  return sessionId;
}

const lookup = { name: "lookup", description: "Looks a value up", parameters: { type: "object" } };

describe("an answer of the model", () => {
  /** What the last request told the model, without its system message. */
  const told = () =>
    ((model.requests.at(-1)?.body.messages ?? []) as { role: string; content: string }[])
      .filter(({ role }) => role !== "system")
      .map(({ role, content }) => `${role}: ${withoutTime(content ?? "")}`);

  test.each(["completions", "responses"])(
    "arguments that are no JSON object are told to it, and go back as JSON, over %s",
    async (wireApi) => {
      for (const args of ["{oops", "[1]", "5"]) {
        const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k", wireApi };
        const sessionId = await create({ provider, tools: [{ ...lookup, skipPermission: true }] });
        model.use([
          { toolCalls: [{ name: args === "{oops" ? "lookup" : "view", arguments: args }] },
          { text: "sorry" },
        ]);
        expect(await client.ask(sessionId, "look")).toBe("sorry");
        const { messages, input } = (model.requests.at(-1)?.body ?? {}) as Record<string, Fields[]>;
        const call = messages
          ? messages.find(({ tool_calls: calls }) => calls)?.tool_calls[0].function
          : input?.find(({ type }) => type === "function_call");
        expect(JSON.parse(call.arguments)).toEqual({ invalid_json: args });
        expect((await client.event(sessionId, "tool.execution_complete")).data.success).toBe(false);
      }
    },
  );

  test("an answer that a content filter cuts off is kept, and told by a warning that names its prompt", async () => {
    const sessionId = await create();
    model.use([{ text: "half", finishReason: "content_filter" }]);
    expect(await client.ask(sessionId, "go")).toBe("half");
    const data = (type: string) => client.of(sessionId).find((event) => event.type === type)?.data;
    expect(data("session.warning")).toMatchObject({
      warningType: "content_filter",
      originatingMessageId: data("user.message").messageId,
    });
  });

  test("that is cut off at its length is asked for the rest, twice at most", async () => {
    const sessionId = await create();
    model.use([{ text: "one ", finishReason: "length" }, { text: "two" }]);
    expect(await client.ask(sessionId, "count")).toBe("two");
    expect(told()).toEqual([
      "user: count",
      "assistant: one ",
      expect.stringMatching(/^user: Your answer was cut off/),
    ]);
    const { events } = await client.request("session.getMessages", { sessionId });
    const said = events.filter(({ type }: { type: string }) => /^(?:user|assistant)\.message$/.test(type));
    expect(said.map(({ data }: Fields) => data.content)).toEqual(["count", "one ", "two"]);
    const before = model.requests.length;
    model.use(() => ({ text: "more ", finishReason: "length" }));
    expect(await client.ask(sessionId, "for ever")).toBe("more ");
    expect(model.requests.length - before).toBe(3);
  });

  test("that says nothing at all is an error, unless tools did what was asked", async () => {
    const sessionId = await create();
    model.use([{ text: "" }]);
    const before = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "hello?" });
    expect((await client.event(sessionId, "session.error", before)).data).toMatchObject({
      errorType: "query",
      message: "The model gave no answer. Send the prompt again.",
    });
    await client.event(sessionId, "session.idle", before);
    model.use([{ text: "", finishReason: "length" }]);
    const again = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "hello?" });
    expect((await client.event(sessionId, "session.error", again)).data.message).toContain("greatest length");
    await client.event(sessionId, "session.idle", again);
    model.use([{ toolCalls: [{ name: "view", arguments: { path: "/nowhere" } }] }, { text: "" }]);
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    const last = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "look" });
    await client.event(sessionId, "session.idle", last);
    const events = client.of(sessionId).slice(last);
    expect(events.filter(({ type }) => type === "session.error")).toEqual([]);
    model.use(undefined);
    expect(await client.ask(sessionId, "echo on")).toBe("on");
  });
});
