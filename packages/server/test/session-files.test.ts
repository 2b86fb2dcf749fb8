/** What a session keeps in files, on a store that has no directories of its own: nothing of it is lost there. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryStorage } from "../src/store/memory/memory-storage.ts";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import { startServer, type TempHome, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let model: ScriptedModelServer;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
});
afterAll(async () => {
  await model.close();
  await home[Symbol.asyncDispose]();
});

const settings = (sessionId: string) => ({
  sessionId,
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  workingDirectory: home.work,
  enableFileChangeTracking: true,
});
const key = (sessionId: string) => ({ tenant: "default", sessionId });

async function run(client: WireClient, sessionId: string, name: string, args: object): Promise<string> {
  model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
  client.events.clear();
  await client.ask(sessionId, "go");
  const { data } = await client.event(sessionId, "tool.execution_complete");
  expect(data.success).toBe(true);
  return data.result.content;
}

test("what a tool did to a session's files is kept before its result is told, whatever becomes of the server", async () => {
  const storage = new MemoryStorage();
  const other = createMemoryStore({ storage });
  await using server = await startServer(home.path, { store: createMemoryStore({ storage }) });
  const client = await server.connect();
  const { workspacePath } = await client.request("session.create", settings("kept"));
  await client.request("session.permissions.setMode", { sessionId: "kept", mode: "allow-all" });
  await run(client, "kept", "create", { path: join(workspacePath, "files/note.txt"), file_text: "x" });
  expect(await other.files.read(key("kept"), "files/note.txt", 10)).toEqual(Buffer.from("x"));
  await run(client, "kept", "sql", {
    query: "INSERT INTO todos (id, title) VALUES ('a', 'A')",
    description: "",
  });
  expect(await other.files.read(key("kept"), "session.db", 1_000_000)).toBeDefined();
  await client.close();
});

test("plans, files, summaries, todos, large outputs and what files held are there after a restart", async () => {
  const storage = new MemoryStorage();
  const copies = await mkdtemp(join(tmpdir(), "rightseat-copies-"));
  const store = () => createMemoryStore({ storage, workingCopies: copies });
  let large = "";
  {
    await using server = await startServer(home.path, { store: store() });
    const client = await server.connect();
    await client.request("session.create", settings("s"));
    await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
    await client.request("session.plan.update", { sessionId: "s", content: "the plan" });
    await client.request("session.workspaces.createFile", { sessionId: "s", path: "a/b.txt", content: "b" });
    await client.request("session.workspaces.addSummary", { sessionId: "s", title: "First", content: "x" });
    await run(client, "s", "sql", {
      query: "INSERT INTO todos (id, title) VALUES ('a', 'A')",
      description: "",
    });
    const told = await run(client, "s", "bash", { command: "yes | head -c 60000", description: "" });
    large = /Saved to: (\S+)/.exec(told)?.[1] ?? "";
    await run(client, "s", "create", { path: "made.txt", file_text: "made" });
    await client.close();
  }
  expect(await readdir(join(copies, "default"))).toEqual([]);
  {
    await using server = await startServer(home.path, { store: store() });
    const client = await server.connect();
    await client.request("session.resume", settings("s"));
    const ask = (method: string, more: object = {}) => client.request(method, { sessionId: "s", ...more });
    expect(await ask("session.plan.read")).toMatchObject({ exists: true, content: "the plan" });
    expect(await ask("session.workspaces.listFiles")).toEqual({ files: ["a/b.txt"] });
    expect((await ask("session.workspaces.listCheckpoints")).checkpoints).toMatchObject([{ title: "First" }]);
    expect((await ask("session.plan.readSqlTodos")).rows).toMatchObject([{ id: "a", title: "A" }]);
    expect(await run(client, "s", "view", { path: large, view_range: [1, 1] })).toBe("1. y");
    const { points } = await ask("session.history.listRewindPoints");
    const point = points.find(({ turnChangedFiles }: { turnChangedFiles: boolean }) => turnChangedFiles);
    const mode = "conversation-and-files";
    expect(await ask("session.history.rewind", { eventId: point.eventId, mode })).toMatchObject({
      outcome: "success",
      restoredFiles: [expect.stringContaining("made.txt")],
    });
    expect(await readdir(home.work)).not.toContain("made.txt");
    await client.close();
  }
  await rm(copies, { recursive: true });
});
