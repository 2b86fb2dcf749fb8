/** Custom agents over the wire: which there are, and what changes when the session answers as one. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let workingDirectory: string;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(join(home.path, "home"));
});
beforeEach(async () => {
  workingDirectory = join(home.path, `project-${next++}`);
  await mkdir(workingDirectory);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const reader = {
  name: "reader",
  displayName: "Reader",
  description: "Reads",
  prompt: "Only read.",
  tools: ["view", "secret"],
  model: "another",
};
const writer = { name: "writer", prompt: "Write." };
const tool = (name: string) => ({ name, description: "d", parameters: { type: "object", properties: {} } });

const params = (more: object = {}) => ({
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  workingDirectory,
  ...more,
});
const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", params({ customAgents: [reader, writer], ...more }))).sessionId;

interface Body {
  readonly model: string;
  readonly messages: { role: string; content: string }[];
  readonly tools: { function: { name: string } }[];
}
async function asked(sessionId: string): Promise<{ model: string; system: string; tools: string[] }> {
  await client.ask(sessionId, "echo hi");
  const body = model.requests.at(-1)?.body as unknown as Body;
  return {
    model: body.model,
    system: body.messages[0]?.content ?? "",
    tools: body.tools.map((one) => one.function.name),
  };
}

const of = (sessionId: string, type: string) =>
  client
    .of(sessionId)
    .filter((event) => event.type === type)
    .map((event) => event.data);

describe("customAgents", () => {
  test("are listed and told, the built-in ones when asked for", async () => {
    const sessionId = await create();
    const expected = {
      name: "reader",
      id: "reader",
      displayName: "Reader",
      description: "Reads",
      userInvocable: true,
      disableModelInvocation: false,
      tools: ["view", "secret"],
      model: "another",
    };
    const { agents } = await client.request("session.agent.list", { sessionId });
    expect(agents).toEqual([expected, expect.objectContaining({ name: "writer", displayName: "writer" })]);
    expect((await client.request("session.agent.reload", { sessionId })).agents).toEqual(agents);
    const all = await client.request("session.agent.list", {
      sessionId,
      includeBuiltInAgents: true,
      includePrompt: true,
    });
    expect(all.agents.map(({ name, source }: { name: string; source?: string }) => [name, source])).toEqual([
      ["reader", undefined],
      ["writer", undefined],
      ["explore", "builtin"],
      ["task", "builtin"],
      ["general-purpose", "builtin"],
      ["code-review", "builtin"],
    ]);
    expect(all.agents[0].prompt).toBe("Only read.");
    expect(of(sessionId, "session.custom_agents_updated")[0]).toMatchObject({
      agents: [
        { id: "reader", source: "user", tools: ["view", "secret"] },
        { id: "writer", tools: null },
      ],
      errors: [],
    });
  });

  test("leave out built-in agents by excludedBuiltinAgents, includedBuiltinAgents and their own names", async () => {
    const builtIn = async (sessionId: string) => {
      const list = await client.request("session.agent.list", { sessionId, includeBuiltInAgents: true });
      return list.agents
        .filter((agent: { source?: string }) => agent.source === "builtin")
        .map((agent: { name: string }) => agent.name);
    };
    const customAgents = [{ name: "task", prompt: "Mine." }];
    const sessionId = await create({ customAgents, excludedBuiltinAgents: ["explore"] });
    expect(await builtIn(sessionId)).toEqual(["general-purpose", "code-review"]);
    const update = (options: object) => client.request("session.options.update", { sessionId, ...options });
    await update({ includedBuiltinAgents: ["explore", "code-review"] });
    expect(await builtIn(sessionId)).toEqual(["code-review"]);
    await update({ includedBuiltinAgents: null, excludedBuiltinAgents: [] });
    expect(await builtIn(sessionId)).toEqual(["explore", "general-purpose", "code-review"]);
  });
});

describe("a selected agent", () => {
  test("gives the model its prompt and its tools, until it is deselected", async () => {
    const sessionId = await create({
      tools: [tool("secret"), tool("other")],
      defaultAgent: { excludedTools: ["secret"] },
    });
    const before = await asked(sessionId);
    expect(before.tools).not.toContain("secret");
    expect(before.tools).toContain("other");
    expect(await client.request("session.agent.getCurrent", { sessionId })).toEqual({ agent: null });
    const { agent } = await client.request("session.agent.select", { sessionId, name: "reader" });
    expect(agent).toMatchObject({ name: "reader", displayName: "Reader" });
    expect(await client.request("session.agent.getCurrent", { sessionId })).toEqual({ agent });
    const during = await asked(sessionId);
    expect(during.tools).toEqual(["view", "secret"]);
    expect(during.model).toBe("scripted");
    expect(during.system).toBe(
      `${before.system}\n\n<agent_instructions agent="Reader">\nOnly read.\n</agent_instructions>`,
    );
    await client.request("session.agent.deselect", { sessionId });
    expect(await asked(sessionId)).toEqual(before);
    expect(of(sessionId, "subagent.selected")).toEqual([
      { agentName: "reader", agentDisplayName: "Reader", tools: ["view", "secret"] },
    ]);
    expect(of(sessionId, "subagent.deselected")).toHaveLength(1);
  });

  test("may be named when the session is made, and answers again when it is resumed", async () => {
    const sessionId = await create({ agent: "writer" });
    expect((await asked(sessionId)).system).toContain("Write.");
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", params({ sessionId, customAgents: [reader, writer] }));
    expect((await asked(sessionId)).system).toContain("Write.");
    expect(of(sessionId, "subagent.selected")).toHaveLength(1);
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", params({ sessionId, customAgents: [reader], agent: "reader" }));
    const { agent } = await client.request("session.agent.getCurrent", { sessionId });
    expect(agent.name).toBe("reader");
  });

  test("goes with its definition: the session answers as itself", async () => {
    const sessionId = await create({ agent: "writer" });
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", params({ sessionId, customAgents: [] }));
    expect(await client.request("session.agent.getCurrent", { sessionId })).toEqual({ agent: null });
    expect((await asked(sessionId)).system).not.toContain("Write.");
  });

  test("whose name nobody knows is refused, and no session is made for it", async () => {
    const refusal = { data: { reason: "invalid_params", path: "agent" } };
    await expect(create({ sessionId: "never", agent: "nobody" })).rejects.toMatchObject({
      ...refusal,
      message: "agent: expected the name of one of the session's agents (reader, writer), got 'nobody'",
    });
    await expect(client.request("session.resume", params({ sessionId: "never" }))).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
    const sessionId = await create();
    await expect(client.request("session.agent.select", { sessionId, name: "nobody" })).rejects.toMatchObject(
      { data: { reason: "invalid_params" } },
    );
  });

  test("keeps its prompt to itself when the application says it", async () => {
    const sessionId = await create({ agent: "writer" });
    await client.request("session.options.update", { sessionId, suppressCustomAgentPrompt: true });
    expect((await asked(sessionId)).system).not.toContain("Write.");
  });

  test("may be given another prompt", async () => {
    const sessionId = await create({ agent: "writer" });
    const set = (id: string) =>
      client.request("session.agent.setPrompt", { sessionId, id, prompt: "Write in verse." });
    await set("writer");
    expect((await asked(sessionId)).system).toContain("Write in verse.");
    await expect(set("nobody")).rejects.toMatchObject({ data: { reason: "invalid_params", path: "id" } });
  });

  test("uses words of other tools' definitions for its tools", async () => {
    const customAgents = [
      { name: "a", prompt: "p", tools: ["Read", "search", "builtin:create", "custom:*"] },
    ];
    const sessionId = await create({ customAgents, agent: "a", tools: [tool("mine")] });
    expect((await asked(sessionId)).tools).toEqual(["view", "create", "grep", "glob", "mine"]);
  });
});

describe("agents of files", () => {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(workingDirectory, path)), { recursive: true });
    await writeFile(join(workingDirectory, path), text);
  };
  const file = (prompt: string) => `---\nname: Filed\ndescription: From a file\n---\n${prompt}\n`;

  test("count when enableConfigDiscovery asks for them, as they are now", async () => {
    await write(".github/agents/filed.md", file("One."));
    await write(".github/agents/broken.md", "nothing");
    const blind = await create({ customAgents: undefined });
    expect((await client.request("session.agent.list", { sessionId: blind })).agents).toEqual([]);
    const sessionId = await create({ enableConfigDiscovery: true, agent: "Filed" });
    expect((await asked(sessionId)).system).toContain("One.");
    const [updated] = of(sessionId, "session.custom_agents_updated");
    expect(updated.agents.map(({ id, source }: { id: string; source: string }) => [id, source])).toEqual([
      ["reader", "user"],
      ["writer", "user"],
      ["filed", "project"],
    ]);
    expect(updated.errors).toEqual([
      `${join(workingDirectory, ".github/agents/broken.md")}: expected front matter with a 'description'`,
    ]);
    await write(".github/agents/filed.md", file("Two, and more."));
    // A look at the files is trusted for a second.
    while (!(await asked(sessionId)).system.includes("Two, and more."));
    await rm(join(workingDirectory, ".github/agents/filed.md"));
    while ((await asked(sessionId)).system.includes("<agent_instructions"));
  });
});
