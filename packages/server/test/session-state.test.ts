/** What a session is called, where it works, and what clients keep with it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const PROVIDER = { type: "openai", baseUrl: "http://127.0.0.1:1/v1", apiKey: "k" };

let home: TempHome;
let server: TestServer;
let client: WireClient;

beforeAll(async () => {
  home = await tempHome();
  server = await startServer(home.path);
  client = await server.connect();
});

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

let made = 0;

async function create(fields: object = {}): Promise<string> {
  const sessionId = `s${made++}`;
  await client.request("session.create", { sessionId, model: "m", provider: PROVIDER, ...fields });
  return sessionId;
}

/** Lets the session go and comes back: what it knows then was in its log. */
async function comeBack(sessionId: string): Promise<void> {
  await client.request("session.detach", { sessionId });
  await client.request("session.resume", { sessionId });
}

describe("metadata", () => {
  test("a snapshot says what the session is and where it works", async () => {
    const sessionId = await create({ workingDirectory: home.work, clientName: "tester" });
    const snapshot = await client.request("session.metadata.snapshot", { sessionId });
    expect(snapshot).toMatchObject({
      sessionId,
      isRemote: false,
      alreadyInUse: false,
      workingDirectory: home.work,
      currentMode: "interactive",
      selectedModel: "m",
      clientName: "tester",
      sessionLimits: null,
      workspacePath: expect.stringContaining(sessionId),
      workspace: { id: sessionId, cwd: home.work, user_named: false },
    });
    expect(Date.parse(snapshot.modifiedTime)).toBeGreaterThanOrEqual(Date.parse(snapshot.startTime));
  });

  test("a session that is moved stays there when it is resumed", async () => {
    const sessionId = await create({ workingDirectory: home.work });
    const there = join(home.work, "there");
    await mkdir(there);
    const moved = await client.request("session.metadata.setWorkingDirectory", {
      sessionId,
      workingDirectory: `${there}/`,
    });
    expect(moved).toEqual({ workingDirectory: there });
    expect((await client.event(sessionId, "session.context_changed")).data.cwd).toBe(there);
    await comeBack(sessionId);
    const snapshot = await client.request("session.metadata.snapshot", { sessionId });
    expect(snapshot.workingDirectory).toBe(there);
  });

  test.each(["relative", "/no/such/directory", "/etc/passwd"])(
    "a session is not moved to %s",
    async (workingDirectory) => {
      const sessionId = await create({ workingDirectory: home.work });
      await expect(
        client.request("session.metadata.setWorkingDirectory", { sessionId, workingDirectory }),
      ).rejects.toMatchObject({ data: { reason: "invalid_params", path: "workingDirectory" } });
      const snapshot = await client.request("session.metadata.snapshot", { sessionId });
      expect(snapshot.workingDirectory).toBe(home.work);
    },
  );

  test("what a client reports of another directory is not recorded", async () => {
    const sessionId = await create({ workingDirectory: home.work });
    const report = (cwd: string, branch: string) =>
      client.request("session.metadata.recordContextChange", { sessionId, context: { cwd, branch } });
    await report("/elsewhere", "theirs");
    await report(home.work, "ours");
    const { events } = await client.request("session.getMessages", { sessionId });
    const branches = events
      .filter((event: { type: string }) => event.type === "session.context_changed")
      .map((event: { data: { branch: string } }) => event.data.branch);
    expect(branches).toEqual(["ours"]);
    const snapshot = await client.request("session.metadata.snapshot", { sessionId });
    expect(snapshot.workspace.branch).toBe("ours");
  });

  test("clients' own metadata is patched as one, and is there after a resume", async () => {
    const sessionId = await create();
    const patch = (fields: object) =>
      client.request("session.metadata.updateClientMetadata", { sessionId, ...fields });
    expect(await patch({ set: { a: "1", b: "2", c: "3" } })).toEqual({ a: "1", b: "2", c: "3" });
    expect(await patch({ remove: ["a", "b", "none"], set: { b: "4" } })).toEqual({ b: "4", c: "3" });
    await comeBack(sessionId);
    expect(await client.request("session.metadata.getClientMetadata", { sessionId })).toEqual({
      b: "4",
      c: "3",
    });
    expect(await patch({ clear: true, set: { d: "5" } })).toEqual({ d: "5" });
  });

  test.each([
    ["a reserved key", { set: { "copilot/x": "1" } }],
    ["an empty key", { remove: [""] }],
    ["too long a key", { set: { ["k".repeat(257)]: "1" } }],
    ["too long a value", { set: { k: "v".repeat(16 * 1024 + 1) } }],
    ["too many entries", { set: Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, ""])) }],
    ["too much in all", { set: Object.fromEntries([1, 2, 3, 4, 5].map((n) => [n, "v".repeat(16_000)])) }],
  ])("clients' metadata with %s is refused, and nothing is kept", async (_title, patch) => {
    const sessionId = await create();
    await expect(
      client.request("session.metadata.updateClientMetadata", { sessionId, ...patch }),
    ).rejects.toMatchObject({ data: { reason: "invalid_params" } });
    expect(await client.request("session.metadata.getClientMetadata", { sessionId })).toEqual({});
  });
});

test("the sources of a session's custom instructions are listed, and none when it skips them", async () => {
  const workingDirectory = join(home.work, "instructed");
  await mkdir(workingDirectory);
  await writeFile(join(workingDirectory, "AGENTS.md"), "Be brief.");
  const sessionId = await create({ workingDirectory });
  const listed = await client.request("session.instructions.getSources", { sessionId });
  expect(listed.sources).toMatchObject([{ sourcePath: "AGENTS.md", content: "Be brief." }]);
  await client.request("session.options.update", { sessionId, skipCustomInstructions: true });
  expect(await client.request("session.instructions.getSources", { sessionId })).toEqual({ sources: [] });
});

test.each([
  [
    "set by itself",
    (sessionId: string) =>
      client.request("session.model.setReasoningEffort", { sessionId, reasoningEffort: "high" }),
  ],
  [
    "set with other options",
    (sessionId: string) => client.request("session.options.update", { sessionId, reasoningEffort: "high" }),
  ],
])("the reasoning effort, %s, is the session's after a resume", async (_title, set) => {
  const sessionId = await create({ reasoningEffort: "low" });
  await set(sessionId);
  expect((await client.event(sessionId, "session.model_change")).data).toMatchObject({
    previousModel: "m",
    newModel: "m",
    previousReasoningEffort: "low",
    reasoningEffort: "high",
  });
  await comeBack(sessionId);
  expect(await client.request("session.model.getCurrent", { sessionId })).toEqual({
    modelId: "m",
    reasoningEffort: "high",
  });
});

test("what a local session has none of is said so, and what has no effect is warned of", async () => {
  const sessionId = await create();
  const ask = (method: string, more: object = {}) => client.request(method, { sessionId, ...more });
  expect(await ask("session.completions.getTriggerCharacters")).toEqual({ triggerCharacters: [] });
  expect(await ask("session.completions.request", { text: "@", offset: 1 })).toEqual({ items: [] });
  expect(await ask("session.visibility.get")).toEqual({ synced: false });
  expect(await ask("session.visibility.set", { status: "repo" })).toEqual({ synced: false });
  expect(await ask("session.telemetry.getEngagementId")).toEqual({});
  expect(await ask("session.plugins.list")).toEqual({ plugins: [] });
  expect(await ask("session.telemetry.setFeatureOverrides", { features: { a: "b" } })).toBeNull();
  expect(await ask("session.lsp.initialize")).toBeNull();
  const warned = client.of(sessionId).filter((event) => event.type === "session.warning");
  expect(warned.map((event) => event.data.message)).toEqual([
    expect.stringContaining("setFeatureOverrides"),
    expect.stringContaining("lsp.initialize"),
  ]);
  await expect(client.request("session.visibility.get", { sessionId: "nobody" })).rejects.toMatchObject({
    data: { reason: "session_not_found" },
  });
});

test("a session's tools are checked with its model", async () => {
  const sessionId = await create();
  expect(await client.request("session.tools.initializeAndValidate", { sessionId })).toEqual({});
  expect((await client.event(sessionId, "session.tools_updated")).data).toEqual({ model: "m" });
});

describe("a name", () => {
  const nameOf = async (sessionId: string) => (await client.request("session.name.get", { sessionId })).name;
  const setAuto = async (sessionId: string, summary: string) =>
    (await client.request("session.name.setAuto", { sessionId, summary })).applied;

  test("that was found automatically gives way to one that a user gave, and not the other way round", async () => {
    const sessionId = await create();
    expect(await nameOf(sessionId)).toBeNull();
    expect(await setAuto(sessionId, "  found  ")).toBe(true);
    expect(await nameOf(sessionId)).toBe("found");
    await client.request("session.name.set", { sessionId, name: " given " });
    expect(await setAuto(sessionId, "found again")).toBe(false);
    expect(await nameOf(sessionId)).toBe("given");
    await comeBack(sessionId);
    expect(await nameOf(sessionId)).toBe("given");
    const titles = client.of(sessionId).filter((event) => event.type === "session.title_changed");
    expect(titles.map((event) => event.data.title)).toEqual(["found", "given"]);
  });

  test.each(["", "  \t\n"])("of nothing (%j) is refused, or ignored when it was found", async (name) => {
    const sessionId = await create();
    await expect(client.request("session.name.set", { sessionId, name })).rejects.toThrow(/empty/);
    expect(await setAuto(sessionId, name)).toBe(false);
    expect(await nameOf(sessionId)).toBeNull();
  });
});
