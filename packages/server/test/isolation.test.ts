/** What tenants, and the tools of their sessions, cannot reach: the server's home, each other, and its network. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";

describe("files under the home", () => {
  test("are the server's user's alone, whatever made them", async () => {
    await using home = await tempHome();
    await using work = await tempHome();
    await using model = await startScriptedModelServer();
    const logs = join(home.path, "logs");
    await using server = await startServer(home.path, { flags: ["--log-dir", logs] });
    const client = await server.connect();
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    const sessionId = "s";
    const settings = { sessionId, model: "scripted", provider, workingDirectory: work.path };
    await client.request("session.create", { ...settings, enableFileCheckpointing: true, trackFiles: true });
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    const call = (name: string, args: object) => ({ name, arguments: args });
    model.use([
      {
        toolCalls: [
          call("create", { path: "a.txt", file_text: "x" }),
          call("bash", { command: "seq 1 100000", description: "" }),
          call("sql", { query: "CREATE TABLE t (a)", description: "" }),
        ],
      },
      { toolCalls: [call("edit", { path: "a.txt", old_str: "x", new_str: "y" })] },
      { text: "done" },
    ]);
    await client.ask(sessionId, "go");
    await client.request("session.plan.update", { sessionId, content: "plan" });
    await client.request("session.workspaces.createFile", { sessionId, path: "d/f.txt", content: "x" });
    await client.request("session.workspaces.createDirectory", { sessionId, path: "e" });
    await client.request("session.workspaces.saveLargePaste", { sessionId, content: "x" });
    await client.request("session.workspaces.addSummary", { sessionId, title: "t", content: "x" });
    await client.request("session.permissions.folderTrust.addTrusted", { path: work.path }).catch(() => 0);
    await client.close();
    await server.shutdown();
    const found = await readdir(home.path, { recursive: true, withFileTypes: true });
    const names = found.map(({ name }) => name);
    for (const name of ["events.jsonl", "session.db", "plan.md", "f.txt", "index.md", "checkpoint.json"])
      expect(names).toContain(name);
    expect(names.some((name) => name.includes("copilot-tool-output"))).toBe(true);
    const open = await Promise.all(
      found.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return ((await stat(path)).mode & 0o077) === 0 ? [] : [path];
      }),
    );
    expect(open.flat()).toEqual([]);
  });
});
