/** Questions beside the conversation. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let made = 0;

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
  client = await server.connect();
});

afterEach(() => model.use(undefined));

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function create(): Promise<string> {
  const sessionId = `s${made++}`;
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  await client.request("session.create", { sessionId, model: "scripted", provider });
  return sessionId;
}

const ask = (sessionId: string, question: string): Promise<{ answer: string }> =>
  client.request("session.ui.ephemeralQuery", { sessionId, question });

// biome-ignore lint/suspicious/noExplicitAny: a request's body, of which each test looks at a part
const lastBody = (): any => model.requests.at(-1)?.body;

const phases = (sessionId: string) =>
  client.of(sessionId).filter((event) => event.type === "ui.ephemeral_query");

const history = async (sessionId: string): Promise<string[]> =>
  (await client.request("session.getMessages", { sessionId })).events.map(
    (event: { type: string }) => event.type,
  );

test("the model answers from the conversation, which stays as it was", async () => {
  const sessionId = await create();
  await client.ask(sessionId, "echo the word is heron");
  const before = await history(sessionId);
  model.use([{ words: ["It ", "is ", "heron."] }]);
  expect(await ask(sessionId, "Which word?")).toEqual({ answer: "It is heron." });
  const body = lastBody();
  expect(body.messages.slice(1)).toEqual([
    { role: "user", content: expect.stringContaining("echo the word is heron") },
    { role: "assistant", content: "the word is heron" },
    { role: "user", content: "Which word?" },
  ]);
  expect(body.tools).toBeUndefined();
  expect(await history(sessionId)).toEqual(before);
  await client.ask(sessionId, "echo on");
  expect(JSON.stringify(model.requests.at(-1)?.body)).not.toContain("Which word?");
});

test("the answer is told as it comes, and its cost counts", async () => {
  const sessionId = await create();
  model.use([{ words: ["one ", "two"], usage: { inputTokens: 7, outputTokens: 2 } }]);
  await ask(sessionId, "Count.");
  const told = phases(sessionId);
  expect(told.map((event) => event.data.phase)).toEqual(["started", "chunk", "chunk", "completed"]);
  expect(told.map((event) => event.data.chunk ?? "").join("")).toBe("one two");
  expect(told.at(-1)).toMatchObject({ ephemeral: true, data: { answer: "one two" } });
  expect(new Set(told.map((event) => event.data.requestId)).size).toBe(1);
  const { modelMetrics } = await client.request("session.usage.getMetrics", { sessionId });
  expect(modelMetrics.scripted).toMatchObject({
    requests: { count: 1 },
    usage: { inputTokens: 7, outputTokens: 2 },
  });
});

test("it can be asked while a run waits for a tool, whose call is left out", async () => {
  const sessionId = await create();
  model.use([
    { toolCalls: [{ name: "bash", arguments: { command: "true", description: "d" } }] },
    { text: "aside" },
  ]);
  await client.request("session.send", { sessionId, prompt: "run it" });
  const { requestId } = (await client.event(sessionId, "permission.requested")).data;
  expect(await ask(sessionId, "What are you at?")).toEqual({ answer: "aside" });
  const body = lastBody();
  expect(body.messages.map((message: { role: string }) => message.role)).toEqual(["system", "user", "user"]);
  await client.request("session.permissions.handlePendingPermissionRequest", {
    sessionId,
    requestId,
    result: { kind: "reject" },
  });
  await client.event(sessionId, "session.idle");
});

test("a conversation with tool calls goes with its tools, and is told not to call them", async () => {
  const sessionId = await create();
  model.use([
    { toolCalls: [{ name: "sql", arguments: { description: "d", query: "SELECT 1" } }] },
    { text: "done" },
  ]);
  await client.ask(sessionId, "look");
  model.use([{ text: "aside" }]);
  await ask(sessionId, "What was it?");
  const body = lastBody();
  expect(body.tools.length).toBeGreaterThan(0);
  expect(body.messages.at(-1)?.content).toMatch(/^What was it\?\n\n.*no tools/);
});

test("a model that refuses is told to who asked, and to all by event", async () => {
  const sessionId = await create();
  model.use([{ status: 400, body: { error: { message: "not today" } } }]);
  await expect(ask(sessionId, "Now?")).rejects.toMatchObject({ data: { reason: "provider_rejected" } });
  expect(phases(sessionId).map((event) => event.data.phase)).toEqual(["started", "failed"]);
  expect(phases(sessionId).at(-1)?.data.error).toContain("not today");
});

test("it ends with its session", async () => {
  const sessionId = await create();
  model.use([{ words: ["half "], hang: true }]);
  const ended = expect(ask(sessionId, "Are you there?")).rejects.toMatchObject({
    data: { reason: "request_cancelled" },
  });
  await client.until(() => phases(sessionId).some((event) => event.data.phase === "chunk"));
  await client.request("session.detach", { sessionId });
  await ended;
  await model.until(({ closedEarly }) => closedEarly === 1);
});

test("it ends with the client that asked", async () => {
  const sessionId = await create();
  const other = await server.connect();
  await other.request("session.resume", { sessionId });
  const closedBefore = model.closedEarly;
  model.use([{ words: ["half "], hang: true }]);
  const asked = other
    .request("session.ui.ephemeralQuery", { sessionId, question: "Hm?" })
    .catch(() => "gone");
  await client.until(() => phases(sessionId).some((event) => event.data.phase === "chunk"));
  await other.close();
  expect(await asked).toBe("gone");
  await client.until(() => phases(sessionId).at(-1)?.data.phase === "aborted");
  await model.until(({ closedEarly }) => closedEarly === closedBefore + 1);
});
