/** What the model is told of the session: sections, instruction files, warnings, and when it is built anew. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
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

const params = (more: object = {}) => ({
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  workingDirectory,
  ...more,
});
const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", params(more))).sessionId;

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(workingDirectory, path)), { recursive: true });
  await writeFile(join(workingDirectory, path), text);
}

/** The system message that the model got with the last request. */
function told(): string {
  const [first] = (model.requests.at(-1)?.body.messages ?? []) as { role: string; content: string }[];
  return first?.role === "system" ? first.content : "";
}

const logged = (sessionId: string, type: string) =>
  client
    .of(sessionId)
    .filter((event) => event.type === type)
    .map((event) => event.data);
/** The id of the session's first prompt, which warnings of its system message name. */
const promptId = (sessionId: string) => logged(sessionId, "user.message")[0].messageId;

test("holds the instructions of the project and of the user's home", async () => {
  await write("AGENTS.md", "Use tabs.");
  await mkdir(join(home.path, "home"), { recursive: true });
  await writeFile(join(home.path, "home/copilot-instructions.md"), "Call me Ada.");
  const sessionId = await create();
  await client.ask(sessionId, "echo hi");
  expect(told()).toMatch(
    /<custom_instructions>[\s\S]*Call me Ada\.[\s\S]*Use tabs\.[\s\S]*<\/custom_instructions>/,
  );
});

test("is logged once while nothing changes, and again when an instruction file does", async () => {
  await write("AGENTS.md", "Use tabs.");
  const sessionId = await create();
  await client.ask(sessionId, "echo 1");
  await client.ask(sessionId, "echo 2");
  expect(logged(sessionId, "system.message")).toHaveLength(1);
  await write("AGENTS.md", "Use two spaces.");
  // A look at the files is trusted for a second.
  while (!told().includes("Use two spaces.")) await client.ask(sessionId, "echo again");
  expect(told()).not.toContain("Use tabs.");
  expect(logged(sessionId, "system.message")).toHaveLength(2);
});

test("asks the application to rewrite a section once, and again only for another content", async () => {
  const asked: unknown[] = [];
  client.answers.set("systemMessage.transform", (request) => {
    asked.push(request.sections);
    return { sections: { custom_instructions: { content: "REWRITTEN" }, tone: { content: "Sing." } } };
  });
  await write("AGENTS.md", "Use tabs.");
  const sections = { custom_instructions: { action: "transform" }, tone: { action: "transform" } };
  const sessionId = await create({ systemMessage: { mode: "customize", sections } });
  await client.ask(sessionId, "echo 1");
  await client.ask(sessionId, "echo 2");
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ custom_instructions: { content: expect.stringContaining("Use tabs.") } });
  expect(told()).toContain("<custom_instructions>\nREWRITTEN\n</custom_instructions>");
  expect(told()).toContain("Sing.");
  await client.request("session.options.update", { sessionId, organizationCustomInstructions: "Be brief." });
  await client.ask(sessionId, "echo 3");
  expect(asked).toHaveLength(2);
});

test("warns of sections that there are not, once, and keeps their content", async () => {
  const sessionId = await create({
    systemMessage: { mode: "customize", sections: { weather: { action: "append", content: "It rains." } } },
  });
  await client.ask(sessionId, "echo 1");
  await client.ask(sessionId, "echo 2");
  expect(logged(sessionId, "session.warning")).toEqual([
    {
      warningType: "system_prompt_customize",
      originatingMessageId: promptId(sessionId),
      message:
        "systemMessage.sections: there is no section 'weather'; its content was added as additional instructions.",
    },
  ]);
  expect(told()).toContain("<additional_instructions>\nIt rains.\n</additional_instructions>");
});

test("warns of instruction files that were left out", async () => {
  await write("AGENTS.md", "a\0b");
  const sessionId = await create();
  await client.ask(sessionId, "echo 1");
  expect(logged(sessionId, "session.warning")).toEqual([
    {
      warningType: "custom_instructions",
      originatingMessageId: promptId(sessionId),
      message: "The instructions in AGENTS.md were left out: it is not text.",
    },
  ]);
});

test("holds no instruction file when the session skips them, or brings the whole message", async () => {
  await write("AGENTS.md", "Use tabs.");
  const skipping = await create({
    skipCustomInstructions: true,
    organizationCustomInstructions: "Be brief.",
  });
  await client.ask(skipping, "echo 1");
  expect(told()).toContain("Be brief.");
  expect(told()).not.toContain("Use tabs.");
  await client.request("session.options.update", { sessionId: skipping, skipCustomInstructions: false });
  await client.ask(skipping, "echo 2");
  expect(told()).toContain("Use tabs.");
  const replacing = await create({ systemMessage: { mode: "replace", content: "Only this." } });
  await client.ask(replacing, "echo 1");
  expect(told()).toBe("Only this.");
});

test("leaves out the sources that were turned off by id", async () => {
  await write("AGENTS.md", "Use tabs.");
  await write("CLAUDE.md", "Use semicolons.");
  const sessionId = await create();
  await client.request("session.options.update", {
    sessionId,
    disabledInstructionSources: ["model-agents-md"],
  });
  await client.ask(sessionId, "echo 1");
  expect(told()).toContain("Use semicolons.");
  expect(told()).not.toContain("Use tabs.");
});

test("holds the instructions of directories that are named when a session is made or resumed", async () => {
  await write("more/.github/instructions/a.instructions.md", "Made.");
  await write("still/AGENTS.md", "Resumed.");
  const sessionId = await create({ instructionDirectories: ["more"] });
  await client.ask(sessionId, "echo 1");
  expect(told()).toContain("Made.");
  const instructionDirectories = [join(workingDirectory, "still")];
  await client.request("session.resume", params({ sessionId, instructionDirectories }));
  await client.ask(sessionId, "echo 2");
  expect(told()).toContain("Resumed.");
  expect(told()).not.toContain("Made.");
});

test("leaves instructions further down to the first view of a file there, for sessions that want that", async () => {
  await write(".git/HEAD", "ref: refs/heads/main\n");
  await write("AGENTS.md", "Of the root.");
  await write("a/AGENTS.md", "Of a.");
  await write("a/b/.github/copilot-instructions.md", "Of b.");
  await write("a/b/one.txt", "one\n");
  await write("a/b/two.txt", "two\n");
  await write("elsewhere/AGENTS.md", "Of elsewhere.");
  await writeFile(join(home.path, "outside.md"), "Of nobody.");
  await symlink(join(home.path, "outside.md"), join(workingDirectory, "a/CLAUDE.md"));
  /** What the model reads of files that it views at once. */
  const view = async (sessionId: string, ...paths: string[]): Promise<string[]> => {
    model.use([
      { toolCalls: paths.map((path) => ({ name: "view", arguments: { path } })) },
      { text: "done" },
    ]);
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await client.ask(sessionId, "look");
    const messages = (model.requests.at(-1)?.body.messages ?? []) as { role: string; content: string }[];
    return messages.filter(({ role }) => role === "tool").map(({ content }) => content);
  };
  const plain = await create();
  expect(await view(plain, "a/b/one.txt")).toEqual([expect.stringMatching(/^1\. one\n2\. $/)]);
  const sessionId = await create({ enableOnDemandInstructionDiscovery: true });
  const both = await view(sessionId, "a/b/one.txt", "a/b/two.txt");
  expect(both.join("")).toMatch(/^1\. one/);
  expect(both.filter((text) => /Of a\.[\s\S]*Of b\./.test(text))).toHaveLength(1);
  expect(both.join("")).not.toMatch(/Of the root|Of elsewhere|Of nobody/);
  const shown = logged(sessionId, "tool.execution_complete").map(({ result }) => result);
  // Logged as they end: of two that run at once either may be the first.
  expect(shown.map(({ detailedContent, content }) => detailedContent ?? content).toSorted()).toEqual([
    "1. one\n2. ",
    "1. two\n2. ",
  ]);
  // It is in the conversation: also after a restart of the session.
  await client.request("session.detach", { sessionId });
  await client.request("session.resume", params({ sessionId, enableOnDemandInstructionDiscovery: true }));
  expect((await view(sessionId, "a/b/two.txt")).at(-1)).toBe("1. two\n2. ");
  expect(
    (await view(sessionId, "elsewhere/AGENTS.md", "AGENTS.md", join(home.path, "outside.md"))).slice(-3),
  ).toEqual([expect.stringMatching(/^1\. Of elsewhere\.$/), "1. Of the root.", "1. Of nobody."]);
  await client.request("session.options.update", {
    sessionId,
    disabledInstructionSources: ["cwd-model-deep-agents-md"],
  });
  await write("deep/AGENTS.md", "Turned off.");
  await write("deep/a.txt", "deep\n");
  expect((await view(sessionId, "deep/a.txt")).at(-1)).toBe("1. deep\n2. ");
  await client.request("session.options.update", { sessionId, enableOnDemandInstructionDiscovery: false });
  await write("new/AGENTS.md", "Of the new one.");
  await write("new/a.txt", "new\n");
  expect((await view(sessionId, "new/a.txt")).at(-1)).toBe("1. new\n2. ");
});

test("says nothing of git to a session that wants no git operations", async () => {
  await write(".git/HEAD", "ref: refs/heads/topic\n");
  const knowing = await create();
  await client.ask(knowing, "echo 1");
  expect(told()).toContain("Git branch: topic");
  const blind = await create({ enableHostGitOperations: false });
  await client.ask(blind, "echo 1");
  expect(told()).not.toMatch(/Git (?:root|branch)/);
  expect(logged(blind, "session.start")[0].context).toEqual({ cwd: workingDirectory });
});
