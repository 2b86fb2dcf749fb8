/** What tools must not do, over the wire: fill disks, leak, escape, stay behind. */
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";

/** A server, a model that calls what it is told, and a client that allows everything. */
async function enterWorld() {
  const home = await tempHome();
  const work = await tempHome();
  const model = await startScriptedModelServer();
  const server = await startServer(home.path);
  const client = await server.connect();
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  return {
    home: home.path,
    work: work.path,
    client,
    create: async (sessionId: string, more: object = {}) => {
      const settings = { sessionId, model: "scripted", provider, workingDirectory: work.path, ...more };
      await client.request("session.create", settings);
      await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    },
    /** The result of one call that the model makes. */
    call: async (sessionId: string, name: string, args: object) => {
      model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
      const before = client.of(sessionId).length;
      await client.ask(sessionId, "go");
      return (await client.event(sessionId, "tool.execution_complete", before)).data;
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
      await work[Symbol.asyncDispose]();
    },
  };
}

const fileIn = (text: string) => /Saved to: (\S+)/.exec(text)?.[1] ?? "";

describe("output that is too large", () => {
  test("is in the session's own folder, for its owner only, and goes with the session", async () => {
    await using world = await enterWorld();
    await world.create("s");
    const { result } = await world.call("s", "bash", { command: "yes | head -c 60000" });
    const path = fileIn(result.content);
    expect(dirname(path)).toBe(join(world.home, "session-state/s/temp"));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(result.contents).toMatchObject([{ type: "shell_exit", exitCode: 0, outputFilePath: path }]);
    await world.client.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
    await world.client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true });
    expect((await world.call("s", "grep", { pattern: "y", path, output_mode: "count" })).success).toBe(true);
    await world.client.request("session.delete", { sessionId: "s" });
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("goes where the application says, from the size that it says, or nowhere", async () => {
    await using world = await enterWorld();
    await world.create("s", { largeOutput: { maxSizeBytes: 100, outputDir: "out" } });
    const { result } = await world.call("s", "bash", { command: "yes | head -c 200" });
    const [name] = await readdir(join(world.work, "out"));
    expect(fileIn(result.content)).toBe(join(world.work, "out", name ?? ""));
    expect(await readFile(fileIn(result.content), "utf8")).toBe("y\n".repeat(100));
    await world.create("t", { largeOutput: { enabled: false } });
    const cut = await world.call("t", "bash", { command: "yes | head -c 60000" });
    expect(cut.result.content).toContain("Only its start and end are shown");
    expect(await readdir(join(world.home, "session-state/t"))).not.toContain("temp");
  });
});
