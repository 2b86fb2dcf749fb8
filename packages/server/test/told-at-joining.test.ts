/** What a newcomer is told comes behind the answer to its `session.create` or `session.resume`. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let model: ScriptedModelServer;
let home: TempHome;
let server: TestServer;
let client: WireClient;

beforeAll(async () => {
  model = await startScriptedModelServer();
  home = await tempHome();
  server = await startServer(home.path);
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

const lookup = { name: "lookup", description: "Looks up", parameters: { type: "object", properties: {} } };

async function create(more: object = {}, by = client): Promise<string> {
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const { sessionId } = await by.request("session.create", {
    model: "scripted",
    provider,
    tools: [lookup],
    ...more,
  });
  return sessionId;
}

const typesOf = (who: WireClient, sessionId: string) => who.of(sessionId).map(({ type }) => type);
const asked = (who: WireClient, sessionId: string) =>
  who.of(sessionId).filter(({ type }) => type === "permission.requested");

const ABSENT = {
  mcpServers: { files: { type: "stdio", command: "files", args: [], tools: ["*"] } },
  skillDirectories: ["/skills"],
  pluginDirectories: ["/plugins"],
  enableSessionTelemetry: true,
};

test("options without effect are told behind the answer, and in the server's log", async () => {
  const sessionId = await create({ ...ABSENT, availableTools: ["nowhere"] });
  expect(typesOf(client, sessionId)).not.toContain("session.warning");
  const { data } = await client.event(sessionId, "session.warning");
  for (const name of Object.keys(ABSENT)) expect(data.message).toContain(`'${name}'`);
  expect(typesOf(client, sessionId)).toContain("session.info");
  const lines = server.log.filter(({ fields }) => fields.sessionId === sessionId);
  expect(lines).toMatchObject([
    {
      level: "warning",
      message: "a client asked for options that have no effect here",
      fields: { options: expect.arrayContaining([expect.stringContaining("'mcpServers'")]) },
    },
  ]);
});

test("telemetry that the server's environment asks for is told to each client that joins", async () => {
  await using folder = await tempHome();
  await using asked = await startServer(folder.path, {
    flags: ["--demo"],
    env: { COPILOT_OTEL_ENABLED: "true" },
  });
  const joiner = await asked.connect();
  const { sessionId } = await joiner.request("session.create", { model: "demo" });
  const { data } = await joiner.event(sessionId, "session.warning");
  expect(data.message).toContain("'COPILOT_OTEL_ENABLED'");
  await joiner.close();
});

test("what is held for a client is told before its first prompt", async () => {
  const sessionId = await create(ABSENT);
  await client.ask(sessionId, "echo hi");
  const types = typesOf(client, sessionId);
  expect(types.indexOf("session.warning")).toBeGreaterThan(-1);
  expect(types.indexOf("session.warning")).toBeLessThan(types.indexOf("user.message"));
});

test("a permission question is put to clients without a handler, and one answers it by a call", async () => {
  const sessionId = await create({ requestPermission: false });
  await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
  const { data } = await client.event(sessionId, "permission.requested");
  expect(data.permissionRequest).toMatchObject({ kind: "custom-tool", toolName: "lookup" });
  const { items } = await client.request("session.permissions.pendingRequests", { sessionId });
  expect(items).toMatchObject([{ requestId: data.requestId }]);
  await client.request("session.permissions.handlePendingPermissionRequest", {
    sessionId,
    requestId: data.requestId,
    result: { kind: "approve-once" },
  });
  await client.event(sessionId, "external_tool.requested");
  await client.request("session.abort", { sessionId });
});

test("a newcomer is not shown what another client is asked, until that one goes", async () => {
  const first = await server.connect();
  const sessionId = await create({}, first);
  await first.request("session.send", { sessionId, prompt: "tool lookup 1" });
  const { data } = await first.event(sessionId, "permission.requested");
  await client.request("session.resume", { sessionId });
  await client.request("session.log", { sessionId, message: "mark" });
  await client.event(sessionId, "session.info");
  expect(asked(client, sessionId)).toEqual([]);
  await first.close();
  expect((await client.event(sessionId, "permission.requested")).data.requestId).toBe(data.requestId);
  await client.request("session.abort", { sessionId });
});

test("a newcomer that asks for pending work is shown it behind the answer", async () => {
  const first = await server.connect();
  const sessionId = await create({}, first);
  await first.request("session.send", { sessionId, prompt: "tool lookup 1" });
  const { data } = await first.event(sessionId, "permission.requested");
  await client.request("session.resume", { sessionId, continuePendingWork: true });
  expect(asked(client, sessionId)).toEqual([]);
  expect((await client.event(sessionId, "permission.requested")).data.requestId).toBe(data.requestId);
  expect(asked(client, sessionId)).toHaveLength(1);
  await client.request("session.abort", { sessionId });
  await first.close();
});

test("a newcomer with a handler is shown what clients without one leave open", async () => {
  const first = await server.connect();
  const sessionId = await create({ requestPermission: false }, first);
  await first.request("session.send", { sessionId, prompt: "tool lookup 1" });
  await first.event(sessionId, "permission.requested");
  await client.request("session.resume", { sessionId, requestPermission: true });
  await client.event(sessionId, "permission.requested");
  await client.request("session.abort", { sessionId });
  await first.close();
});

test("a question that was answered meanwhile is not shown", async () => {
  const first = await server.connect();
  const sessionId = await create({}, first);
  await first.request("session.send", { sessionId, prompt: "tool lookup 1" });
  const { data } = await first.event(sessionId, "permission.requested");
  await client.request("session.resume", { sessionId, continuePendingWork: true });
  await first.request("session.permissions.handlePendingPermissionRequest", {
    sessionId,
    requestId: data.requestId,
    result: { kind: "reject" },
  });
  await client.event(sessionId, "session.idle");
  await client.ask(sessionId, "echo done");
  expect(asked(client, sessionId)).toEqual([]);
  await first.close();
});
