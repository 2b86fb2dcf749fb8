/** Files of summaries and the log: those that nothing in the log names go, whatever the server died of. About files. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { startServer, type TempHome, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const summary = (title: string) => ({
  text: `<overview>x</overview><checkpoint_title>${title}</checkpoint_title>`,
});

const folderOf = (home: TempHome, sessionId = "s") => join(home.path, "session-state", sessionId);
const filesOf = async (home: TempHome, sessionId = "s") =>
  (await readdir(join(folderOf(home, sessionId), "checkpoints")))
    .filter((name) => name !== "index.md")
    .sort();
const settings = (model: ScriptedModelServer) => ({
  sessionId: "s",
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  availableTools: [],
});

async function compact(client: WireClient, model: ScriptedModelServer, title: string): Promise<void> {
  await client.ask("s", `echo before ${title}`);
  model.use([summary(title)]);
  await client.request("session.history.compact", { sessionId: "s" });
}

/** The log as a crash leaves it that comes before its first line with this text. */
async function crashBefore(home: TempHome, text: string): Promise<void> {
  const path = join(folderOf(home), "events.jsonl");
  const lines = (await readFile(path, "utf8")).split("\n");
  const at = lines.findLastIndex((line) => line.includes(text));
  expect(at).toBeGreaterThan(0);
  await writeFile(path, `${lines.slice(0, at).join("\n")}\n`);
  await rm(join(folderOf(home), "checkpoint.json"), { force: true });
}

/** @returns what is left after another server has resumed the session. */
async function resumed(home: TempHome, model: ScriptedModelServer): Promise<string[]> {
  await using server = await startServer(home.path, { storeKind: "files" });
  const client = await server.connect();
  await client.request("session.resume", settings(model));
  expect(server.log.filter(({ level }) => level === "warning")).toEqual([]);
  await client.close();
  return filesOf(home);
}

test("a crash between a compaction's file and its event leaves no file once the session is resumed; those of clients and of other programs stay", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  {
    await using server = await startServer(home.path, { storeKind: "files" });
    const client = await server.connect();
    await client.request("session.create", settings(model));
    await mkdir(join(folderOf(home), "checkpoints"));
    await writeFile(join(folderOf(home), "checkpoints/001-others.md"), "x");
    await compact(client, model, "First");
    await client.request("session.workspaces.addSummary", { sessionId: "s", title: "Mine", content: "x" });
    await compact(client, model, "Second");
    await client.close();
  }
  const kept = ["001-others.md", "002-first.md", "003-mine.md"];
  expect(await filesOf(home)).toEqual([...kept, "004-second.md"]);
  await crashBefore(home, "session.compaction_complete");
  expect(await resumed(home, model)).toEqual(kept);
  // Its number is free again, for whoever comes next.
  {
    await using server = await startServer(home.path, { storeKind: "files" });
    const client = await server.connect();
    await client.request("session.resume", settings(model));
    await client.request("session.workspaces.addSummary", { sessionId: "s", title: "Next", content: "x" });
    await client.close();
  }
  expect(await resumed(home, model)).toEqual([...kept, "004-next.md"]);
});

test("a crash between a rewind and its tidying leaves no file once the session is resumed", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  {
    await using server = await startServer(home.path, { storeKind: "files" });
    const client = await server.connect();
    await client.request("session.create", settings(model));
    await compact(client, model, "First");
    const before = client.of("s").length;
    await compact(client, model, "Second");
    const { id: eventId } = await client.event("s", "user.message", before);
    await client.request("session.history.truncate", { sessionId: "s", eventId });
    await client.close();
  }
  expect(await filesOf(home)).toEqual(["001-first.md"]);
  await writeFile(join(folderOf(home), "checkpoints/002-second.md"), "as the crash left it");
  expect(await resumed(home, model)).toEqual(["001-first.md"]);
});

test("a fork has the files of what it took over, and no others", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  await using server = await startServer(home.path, { storeKind: "files" });
  const client = await server.connect();
  await client.request("session.create", settings(model));
  await compact(client, model, "First");
  const before = client.of("s").length;
  await compact(client, model, "Second");
  const { id: toEventId } = await client.event("s", "user.message", before);
  const fork = await client.request("sessions.fork", { sessionId: "s", toEventId });
  expect(await filesOf(home, fork.sessionId)).toEqual(["001-first.md"]);
  expect(await filesOf(home)).toEqual(["001-first.md", "002-second.md"]);
  await client.close();
});
