/** Methods that the newest SDKs call, and names that the older ones use. */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const QUOTA = {
  login: "a",
  copilot_plan: "individual_pro",
  quota_reset_date: "2027-01-01",
  quota_snapshots: {
    premium_interactions: {
      entitlement: 300,
      remaining: 100,
      percent_remaining: 33.3,
      overage_permitted: true,
    },
  },
};

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let made = 0;
const github = createServer((request, response) => {
  if (request.headers.authorization === "Bearer token-a") response.end(JSON.stringify(QUOTA));
  else response.writeHead(401).end("{}");
});

beforeAll(async () => {
  await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
  home = await tempHome();
  model = await startScriptedModelServer();
  const { port } = github.address() as AddressInfo;
  server = await startServer(home.path, {
    env: { COPILOT_DEBUG_GITHUB_API_URL: `http://127.0.0.1:${port}` },
  });
  client = await server.connect();
});
afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  github.closeAllConnections();
  github.close();
  await home[Symbol.asyncDispose]();
});

const provider = () => ({ type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" });

async function create(fields: object = {}) {
  const sessionId = `n${made++}`;
  await client.request("session.create", { sessionId, model: "scripted", provider: provider(), ...fields });
  const call = (method: string, params: object = {}) =>
    client.request(`session.${method}`, { sessionId, ...params });
  return { sessionId, call };
}

describe("names that SDKs 0.1.32 to 0.3.0 use", () => {
  test("session.auth.getStatus, session.compaction.compact and session.workspace.* do what their successors do", async () => {
    const { call } = await create();
    expect(await call("auth.getStatus")).toEqual(await call("gitHubAuth.getStatus"));
    await expect(call("compaction.compact")).rejects.toMatchObject({
      data: { reason: "nothing_to_compact" },
    });
    expect(await call("workspace.createFile", { path: "a.txt", content: "hello" })).toBeNull();
    expect(await call("workspace.listFiles")).toEqual({ files: ["a.txt"] });
    expect(await call("workspace.readFile", { path: "a.txt" })).toEqual({ content: "hello" });
    await expect(call("workspace.readFile", {})).rejects.toMatchObject({
      data: { reason: "invalid_params" },
    });
  });
});

test("a client's tool call that waits is listed for whoever did not see its event", async () => {
  const tools = [{ name: "lookup", parameters: { type: "object" }, skipPermission: true }];
  const { sessionId, call } = await create({ tools });
  expect(await call("tools.listPendingRequests")).toEqual({ items: [] });
  model.use([{ toolCalls: [{ name: "lookup", arguments: { a: 1 } }] }, { words: ["done"] }]);
  await call("send", { prompt: "look" });
  const asked = await client.event(sessionId, "external_tool.requested");
  const { requestId, toolCallId } = asked.data;
  expect(await call("tools.listPendingRequests")).toEqual({
    items: [{ requestId, toolCallId, toolName: "lookup", arguments: { a: 1 } }],
  });
  await call("tools.handlePendingToolCall", { requestId, result: "found" });
  await client.event(sessionId, "session.idle");
  expect(await call("tools.listPendingRequests")).toEqual({ items: [] });
});

test("settings of sub-agents are told as they were set, and null when there are none", async () => {
  const { call } = await create();
  expect(await call("tools.getSubagentSettings")).toEqual({ subagents: null });
  const subagents = { disabledSubagents: ["task"], maxDepth: 2 };
  await call("tools.updateSubagentSettings", { subagents });
  expect(await call("tools.getSubagentSettings")).toEqual({ subagents });
  await call("tools.updateSubagentSettings");
  expect(await call("tools.getSubagentSettings")).toEqual({ subagents: null });
});

test("the policy that holds is told, and that there is none", async () => {
  const permissions = { deny: ["Write"], allow: ["Read"], disableBypassPermissionsMode: "disable" };
  const { sessionId, call } = await create({ managedSettings: { permissions } });
  const { data } = await client.event(sessionId, "session.managed_settings_resolved");
  expect(await call("managedSettings.get")).toEqual(data);
  expect(data).toMatchObject({ source: "client", managedKeys: ["permissions"], settings: { permissions } });
  expect(await (await create()).call("managedSettings.get")).toMatchObject({
    source: "none",
    managedKeys: [],
  });
});

test("files that tell a session what to do are read again at once when a client asks", async () => {
  await using project = await tempHome();
  const workingDirectory = project.path;
  await mkdir(join(workingDirectory, ".github", "agents"), { recursive: true });
  const { sessionId, call } = await create({ workingDirectory, enableConfigDiscovery: true });
  const sources = async () => (await call("instructions.getSources")).sources.length;
  expect(await sources()).toBe(0);
  await writeFile(join(workingDirectory, "AGENTS.md"), "Be brief.");
  expect(await call("instructions.reload")).toBeNull();
  expect(await sources()).toBe(1);
  await writeFile(
    join(workingDirectory, ".github", "agents", "one.agent.md"),
    "---\nname: one\ndescription: d\n---\nBe one.",
  );
  const before = client.of(sessionId).length;
  const { outcomes, ...rest } = await call("customizations.reload");
  expect(rest).toEqual({ warnings: [], errors: [] });
  expect(outcomes).toContainEqual({ subsystem: "agents", status: "reloaded" });
  expect(outcomes).toContainEqual({ subsystem: "skills", status: "skipped", detail: expect.any(String) });
  const told = await client.event(sessionId, "session.custom_agents_updated", before);
  expect(told.data.agents).toMatchObject([{ name: "one" }]);
});

test("there are no skills, and reloading them finds nothing wrong", async () => {
  const { call } = await create();
  expect(await call("skills.list")).toEqual({ skills: [] });
  expect(await call("skills.reload")).toEqual({ warnings: [], errors: [] });
});

describe("session.queue.withdrawMessage", () => {
  const asked = (expectedPrompt: string, messageId: string) => ({ messageId, expectedPrompt });
  const userMessages = async (call: (method: string) => Promise<{ events: { type: string }[] }>) =>
    (await call("getMessages")).events.filter(({ type }) => type === "user.message").length;

  test("takes out what waits, unless it was edited", async () => {
    const { call } = await create();
    await call("queue.setDrainPaused", { paused: true });
    const { messageId } = await call("send", { prompt: "first" });
    await call("queue.updateText", { id: messageId, prompt: "edited" });
    expect(await call("queue.withdrawMessage", asked("first", messageId))).toEqual({
      removed: false,
      interrupted: false,
    });
    expect(await call("queue.withdrawMessage", asked("edited", messageId))).toEqual({
      removed: true,
      interrupted: false,
    });
    expect((await call("queue.pendingItems")).items).toEqual([]);
  });

  test("interrupts the run that has just begun, and nothing of it is left in the history", async () => {
    const { sessionId, call } = await create();
    model.use([{ hang: true }, { words: ["fine"] }]);
    const { messageId } = await call("send", { prompt: "a mistake" });
    await client.event(sessionId, "user.message");
    expect(await call("queue.withdrawMessage", asked("a mistake", messageId))).toEqual({
      removed: true,
      interrupted: true,
    });
    expect(await userMessages(call)).toBe(0);
    expect(await client.ask(sessionId, "again")).toBe("fine");
  });

  test("leaves a prompt that was answered", async () => {
    const { sessionId, call } = await create();
    model.use([{ words: ["fine"] }]);
    const { messageId } = await call("send", { prompt: "a question" });
    await client.event(sessionId, "session.idle");
    expect(await call("queue.withdrawMessage", asked("a question", messageId))).toEqual({
      removed: false,
      interrupted: false,
    });
    expect(await userMessages(call)).toBe(1);
  });
});

test("session.queue.appendSteering adds to a prompt that waits to steer the run, and to no other", async () => {
  const { sessionId, call } = await create();
  model.use([{ hang: true }]);
  await call("send", { prompt: "work" });
  await client.event(sessionId, "user.message");
  const { messageId } = await call("send", { prompt: "more", mode: "immediate" });
  const addition = { agentMode: "interactive", prompt: "and more", displayPrompt: "shown", attachments: [] };
  const append = (id: string, expectedPrompt: string) =>
    call("queue.appendSteering", { ...addition, messageId: id, expectedPrompt });
  expect(await append(messageId, "other")).toEqual({ updated: false });
  expect(await append("unknown", "more")).toEqual({ updated: false });
  expect(await append(messageId, "more")).toEqual({ updated: true });
  expect((await call("queue.pendingItems")).steeringMessages).toEqual(["more\n\nshown"]);
  expect(await append(messageId, "more\n\nand more")).toEqual({ updated: true });
  await call("abort");
});

describe("a session's own providers", () => {
  const registry = (...names: string[]) => ({
    providers: names.map((name) => ({ ...provider(), name })),
    models: names.map((name) => ({ provider: name, id: "m" })),
  });
  const own = (...names: string[]) =>
    create({ provider: undefined, ...registry(...names), model: `${names[0]}/m` });
  const listed = async (call: (method: string) => Promise<{ list: { id: string }[] }>) =>
    (await call("model.list")).list.map(({ id }) => id);

  test("are replaced as a whole", async () => {
    const { call } = await own("one", "two");
    const synced = await call("provider.sync", registry("one", "three"));
    expect(synced).toMatchObject({ selectionIds: ["one/m", "three/m"], models: [{ id: "one/m" }, {}] });
    expect(synced).not.toHaveProperty("modelDeselected");
    expect(await listed(call)).toEqual(["one/m", "three/m"]);
    expect(await call("provider.withdraw", { models: ["three/m", "none/m"] })).toEqual({
      withdrawn: ["three/m"],
      providersRemoved: ["three"],
    });
    expect(await listed(call)).toEqual(["one/m"]);
  });

  test("a model that goes is the session's no longer", async () => {
    const { call } = await own("one", "two");
    expect(await call("provider.withdraw", { models: ["one/m"] })).toMatchObject({
      withdrawn: ["one/m"],
      modelDeselected: true,
    });
    expect((await call("model.getCurrent")).modelId).not.toBe("one/m");
  });

  test("stay as they are when what comes is not right", async () => {
    const { call } = await own("one");
    const twice = { ...registry("two"), models: [...registry("two").models, ...registry("two").models] };
    await expect(call("provider.sync", twice)).rejects.toMatchObject({ data: { path: "models" } });
    expect(await listed(call)).toEqual(["one/m"]);
  });
});

test("session.quota.get tells what is left of the account's plan, and of no account nothing", async () => {
  const { call } = await create({ gitHubToken: "token-a" });
  const quota = await call("quota.get");
  expect(quota).toMatchObject({ planTier: "pro", isFreeUser: false, premiumRequestsBillable: true });
  expect(quota.snapshots.premium_interactions).toEqual({
    entitlementRequests: 300,
    usedRequests: 200,
    remainingPercentage: 33.3,
    isUnlimitedEntitlement: false,
    overage: 0,
    overageAllowedWithExhaustedQuota: true,
    usageAllowedWithExhaustedQuota: true,
    resetDateEpochMs: Date.parse("2027-01-01"),
  });
  expect(await call("quota.refresh")).toEqual(quota);
  expect(await (await create()).call("quota.get")).toMatchObject({ snapshots: {}, planTier: "unknown" });
});
