/** What tenants, and the tools of their sessions, cannot reach: the server's home, each other, and its network. */
import { createHash } from "node:crypto";
import { readdir, realpath, stat, writeFile } from "node:fs/promises";
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

const TOKENS = { a: "token-of-a", b: "token-of-b" };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const AUTH = {
  principals: Object.entries(TOKENS).map(([tenant, token]) => ({
    name: `user-of-${tenant}`,
    tenant,
    tokens: [{ sha256: sha256(token) }],
  })),
};

/** A server of two tenants, a client of each, and a model on this machine. */
async function enterWorld(config: object = {}, env: Record<string, string> = {}) {
  const [home, settings, work] = [await tempHome(), await tempHome(), await tempHome()];
  const model = await startScriptedModelServer();
  const file = join(settings.path, "rightseat.json");
  await writeFile(file, JSON.stringify({ auth: AUTH, ...config }));
  const server = await startServer(home.path, { flags: ["--config", file], env });
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const connect = async (tenant: keyof typeof TOKENS) => {
    const client = await server.connect();
    await client.request("connect", { token: TOKENS[tenant] });
    const create = async (sessionId: string, more: object = {}) => {
      const params = { sessionId, model: "scripted", provider, workingDirectory: work.path, ...more };
      await client.request("session.create", params);
      await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    };
    /** What became of one call of a tool. */
    const call = async (sessionId: string, name: string, args: object) => {
      model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
      client.events.clear();
      await client.ask(sessionId, "go");
      const { data } = await client.event(sessionId, "tool.execution_complete");
      return data as { success: boolean; result: { content: string } };
    };
    return { client, create, call };
  };
  const real = async (path: string) => realpath(path);
  return {
    home: await real(home.path),
    work: await real(work.path),
    model,
    provider,
    a: await connect("a"),
    b: await connect("b"),
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      await model.close();
      for (const folder of [home, settings, work]) await folder[Symbol.asyncDispose]();
    },
  };
}

describe("a provider that a session brings", () => {
  const ways = (port: number) => {
    const at = (host: string, more: object = {}) => ({
      provider: { type: "openai", baseUrl: `http://${host}:${port}/v1`, apiKey: "k", ...more },
    });
    return {
      loopback: at("127.0.0.1"),
      "a name of it": at("localhost"),
      "another spelling": at("2130706433"),
      "a path and a query of its own": {
        provider: { type: "openai", baseUrl: `http://127.0.0.1:${port}/admin?x=`, apiKey: "k" },
      },
      "the Responses API": at("127.0.0.1", { wireApi: "responses" }),
      Anthropic: at("127.0.0.1", { type: "anthropic" }),
      Azure: at("127.0.0.1", { type: "azure" }),
      "one of several": {
        provider: undefined,
        providers: [{ ...at("127.0.0.1").provider, name: "own" }],
        models: [{ provider: "own", id: "m" }],
        model: "own/m",
      },
    };
  };

  test("is not reached where others cannot look, and the error says how it could be", async () => {
    await using world = await enterWorld();
    const { client, create } = world.a;
    const port = Number(new URL(world.model.url).port);
    for (const [way, settings] of Object.entries(ways(port))) {
      const sessionId = way.replaceAll(" ", "-");
      await create(sessionId, settings);
      await client.request("session.send", { sessionId, prompt: "go" });
      const { data } = await client.event(sessionId, "session.error");
      expect((data as { message: string }).message, way).toContain("--provider-private-hosts");
    }
    expect(world.model.requests).toEqual([]);
  });

  test("is reached where the operator allows it, whoever else there is", async () => {
    const named = { RIGHTSEAT_PROVIDER_PRIVATE_HOSTS: "ollama.example,127.0.0.1" };
    await using world = await enterWorld({}, named);
    world.model.use([{ text: "hello" }]);
    await world.a.create("s");
    await world.a.client.ask("s", "go");
    expect(world.model.requests).toHaveLength(1);
  });

  test("is reached when it is the operator's own", async () => {
    const env = { COPILOT_PROVIDER_API_KEY: "k" };
    await using model = await startScriptedModelServer();
    await using world = await enterWorld({}, { ...env, COPILOT_PROVIDER_BASE_URL: `${model.url}/v1` });
    model.use([{ text: "hello" }]);
    await world.a.create("s", { provider: undefined });
    await world.a.client.ask("s", "go");
    expect(model.requests).toHaveLength(1);
  });
});
