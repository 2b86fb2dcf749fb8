/** Clients' answers that are refused unread: SDKs swallow the error, and the question must not wait for its deadline. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path, { flags: ["--max-message-bytes", "100000"] });
});
beforeEach(async () => {
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const LARGE = "y".repeat(150_000);
const CAP = "expected a message of at most 100000 bytes, got one of";
const TOOL = { name: "fetch_all", description: "Fetches all", parameters: { type: "object" } };

/** A session whose model calls the tool, and answers with what it was told of it. */
async function callTool(more: object = {}, call: object = { name: "fetch_all", arguments: {} }) {
  const { sessionId } = await client.request("session.create", {
    sessionId: `unread-${next++}`,
    model: "scripted",
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
    tools: [{ ...TOOL, skipPermission: true }],
    workingDirectory: home.work,
    ...more,
  });
  model.use([{ toolCalls: [call] }, { text: "done" }] as never);
  await client.request("session.send", { sessionId, prompt: "go" });
  return sessionId;
}

const requestIdOf = async (sessionId: string, type: string): Promise<string> =>
  (await client.event(sessionId, type)).data.requestId;
/** What the model was told of its call. */
async function told(sessionId: string): Promise<string> {
  await client.event(sessionId, "session.idle");
  const { messages } = (model.requests.at(-1)?.body ?? {}) as {
    messages?: { role: string; content: string }[];
  };
  return messages?.find(({ role }) => role === "tool")?.content ?? "";
}

function send(body: string): void {
  const bytes = Buffer.from(body, "latin1");
  client.stream.write(Buffer.concat([Buffer.from(`Content-Length: ${bytes.length}\r\n\r\n`), bytes]));
}

describe("a tool's result that is refused unread fails the call with the reason, and the turn goes on:", () => {
  const METHOD = '"jsonrpc":"2.0","method":"session.tools.handlePendingToolCall"';
  test.each([
    [
      "too large, with the ids in front",
      CAP,
      (s: string, r: string) =>
        `{${METHOD},"id":"x","params":{"sessionId":"${s}","requestId":"${r}","result":"${LARGE}"}}`,
    ],
    [
      "too large, with the ids behind it",
      CAP,
      (s: string, r: string) =>
        `{${METHOD},"params":{"result":{"textResultForLlm":"${LARGE}","resultType":"success"},"requestId":"${r}","sessionId":"${s}"},"id":"x"}`,
    ],
    [
      "nested too deep",
      "nested at most",
      (s: string, r: string) =>
        `{${METHOD},"id":"x","params":{"sessionId":"${s}","requestId":"${r}","result":${"[".repeat(500)}${"]".repeat(500)}}}`,
    ],
    [
      "not UTF-8",
      "UTF-8",
      (s: string, r: string) =>
        `{${METHOD},"id":"x","params":{"sessionId":"${s}","requestId":"${r}","result":"\xff"}}`,
    ],
  ])("%s", async (_title, reason, toBody) => {
    const sessionId = await callTool();
    send(toBody(sessionId, await requestIdOf(sessionId, "external_tool.requested")));
    expect(await told(sessionId)).toContain(reason);
    const { data } = await client.event(sessionId, "tool.execution_complete");
    expect(data).toMatchObject({ success: false, error: { message: expect.stringContaining(reason) } });
  });
});

test("a permission's answer that is too large denies", async () => {
  const sessionId = await callTool(
    { tools: [], requestPermission: true },
    { name: "bash", arguments: { command: "touch it", description: "Touches" } },
  );
  const requestId = await requestIdOf(sessionId, "permission.requested");
  const result = { kind: "reject", feedback: LARGE };
  await expect(
    client.request("session.permissions.handlePendingPermissionRequest", { sessionId, requestId, result }),
  ).rejects.toMatchObject({ data: { reason: "frame_too_large" } });
  await client.event(sessionId, "session.idle");
  expect((await client.event(sessionId, "permission.completed")).data.result.kind).toMatch(/^denied/);
});

test("an answer by another kind of method settles nothing", async () => {
  const sessionId = await callTool();
  const requestId = await requestIdOf(sessionId, "external_tool.requested");
  // The wrong way to answer a tool's question: it stays open.
  const answer = { sessionId, requestId, error: LARGE };
  await expect(client.request("session.commands.handlePendingCommand", answer)).rejects.toMatchObject({
    data: { reason: "frame_too_large" },
  });
  const right = { sessionId, requestId, result: "small" };
  expect(await client.request("session.tools.handlePendingToolCall", right)).toEqual({ success: true });
  expect(await told(sessionId)).toBe("small");
});

test("a session or question that is not there is no matter", async () => {
  const sessionId = await callTool();
  const requestId = await requestIdOf(sessionId, "external_tool.requested");
  for (const params of [
    { sessionId: "nobody", requestId },
    { sessionId, requestId: "nothing" },
  ])
    await expect(
      client.request("session.tools.handlePendingToolCall", { ...params, result: LARGE }),
    ).rejects.toMatchObject({ data: { reason: "frame_too_large" } });
  const right = { sessionId, requestId, result: "small" };
  expect(await client.request("session.tools.handlePendingToolCall", right)).toEqual({ success: true });
});
