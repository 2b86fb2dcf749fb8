/** Attachments from the wire to the model and into the log. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer, withoutTime } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let workingDirectory: string;
beforeAll(async () => {
  home = await tempHome();
  workingDirectory = join(home.path, "project");
  await mkdir(join(workingDirectory, "src"), { recursive: true });
  await writeFile(join(workingDirectory, "src/a.txt"), "one\ntwo\n");
  model = await startScriptedModelServer();
  server = await startServer(join(home.path, "home"));
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const create = async (more: object = {}): Promise<string> =>
  (
    await client.request("session.create", {
      model: "scripted",
      provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
      workingDirectory,
      ...more,
    })
  ).sessionId;

const userMessages = () =>
  ((model.requests.at(-1)?.body.messages ?? []) as { role: string; content: unknown }[]).filter(
    (message) => message.role === "user",
  );

test("a file, a directory, a selection and a GitHub issue reach the model and the log", async () => {
  const sessionId = await create();
  await client.ask(sessionId, "Well?", {
    attachments: [
      { type: "file", path: "src/a.txt", lineRange: { start: 1, end: 1 } },
      { type: "directory", path: "src" },
      {
        type: "selection",
        filePath: "src/a.txt",
        displayName: "a.txt",
        text: "two",
        selection: { start: { line: 1, character: 0 }, end: { line: 1, character: 3 } },
      },
      { type: "github_reference", referenceType: "issue", number: 7, title: "T", state: "open", url: "u" },
    ],
  });
  const [message] = userMessages();
  expect(message?.content).toContain(`* ${join(workingDirectory, "src/a.txt")} (line 1 of 2 lines)`);
  expect(message?.content).toContain(`* ${join(workingDirectory, "src")} (1 items)`);
  expect(message?.content).toContain("File: src/a.txt (line 2)\n```\ntwo\n```");
  expect(message?.content).toContain("<github_references>");
  const logged = client.of(sessionId).find((event) => event.type === "user.message");
  expect(logged?.data.content).toBe("Well?");
  expect(logged?.data.transformedContent).toBe(message?.content);
  expect(logged?.data.attachments.map((attachment: { type: string }) => attachment.type)).toEqual([
    "file",
    "directory",
    "selection",
    "github_reference",
  ]);
});

test("a file that was named before is named by the same line, as it was then", async () => {
  const sessionId = await create();
  const taggedFilesEntry = "* /was/there.txt (9 lines)";
  await client.ask(sessionId, "Well?", {
    attachments: [{ type: "file", path: "src/a.txt", taggedFilesEntry }],
  });
  expect(userMessages()[0]?.content).toContain(taggedFilesEntry);
});

test("a prompt that waits has its attachments when its turn comes", async () => {
  const sessionId = await create();
  model.use([{ text: "first", delayMs: 50 }, { text: "second" }]);
  await client.request("session.send", { sessionId, prompt: "one" });
  await client.request("session.send", {
    sessionId,
    prompt: "two",
    attachments: [{ type: "file", path: "src/a.txt" }],
  });
  await client.until(() => client.of(sessionId).some((event) => event.data.content === "second"));
  expect(userMessages().at(-1)?.content).toContain("src/a.txt (2 lines)");
});

test("a pasted text of a quarter megabyte reaches the model whole", async () => {
  const pasted = "All work and no play. ".repeat(12_000);
  const sessionId = await create();
  model.use([{ text: "long" }]);
  expect(await client.ask(sessionId, pasted)).toBe("long");
  // Compared as booleans: nobody wants to read the difference.
  expect(withoutTime(userMessages()[0]?.content) === pasted).toBe(true);
  const { events } = await client.request("session.getMessages", { sessionId });
  const message = events.find((event: { type: string }) => event.type === "user.message");
  expect(message.data.content === pasted).toBe(true);
});
