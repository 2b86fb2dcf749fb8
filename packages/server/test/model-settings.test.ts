/** What sessions say of their model and of themselves, as the model's provider sees it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
  await writeFile(join(home.work, "dot.png"), Buffer.from(PNG, "base64"));
  await writeFile(join(home.work, "paper.pdf"), Buffer.from(PDF, "base64"));
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

const provider = (more: object = {}) => ({
  type: "openai",
  baseUrl: `${model.url}/v1`,
  apiKey: "k",
  ...more,
});
const create = async (more: object = {}): Promise<string> =>
  (
    await client.request("session.create", {
      model: "scripted",
      provider: provider(),
      workingDirectory: home.work,
      ...more,
    })
  ).sessionId;

const lastBody = () => model.requests.at(-1)?.body as { messages: { content: unknown }[] };
const imagesSent = () => JSON.stringify(lastBody().messages).split('"image_url":{').length - 1;

describe("modelCapabilities", () => {
  const viewed = { text: "", toolCalls: [{ name: "view", arguments: { path: "dot.png" } }] };

  test("decide whether the model is shown images, from one turn to the next", async () => {
    const sessionId = await create({
      modelCapabilities: { supports: { vision: false } },
      availableTools: ["builtin:view"],
    });
    await client.request("session.permissions.setApproveAll", { sessionId, enabled: true });
    model.use([viewed, { text: "one" }, { text: "two" }, { text: "three" }]);
    await client.ask(sessionId, "Look");
    expect(imagesSent()).toBe(0);
    const vision = (is: boolean) => ({ modelCapabilities: { supports: { vision: is } } });
    await client.request("session.model.switchTo", { sessionId, modelId: "scripted", ...vision(true) });
    await client.ask(sessionId, "Again");
    expect(imagesSent()).toBe(1);
    const modelCapabilitiesOverrides = { supports: { vision: false } };
    await client.request("session.options.update", { sessionId, modelCapabilitiesOverrides });
    await client.ask(sessionId, "And again");
    expect(imagesSent()).toBe(0);
  });

  test("hold for the model that they were given for, and not for the next", async () => {
    const sessionId = await create({ modelCapabilities: { supports: { vision: true } } });
    const attachments = [{ type: "blob", mimeType: "image/png", data: PNG }];
    await client.ask(sessionId, "echo 1", { attachments });
    expect(imagesSent()).toBe(1);
    await client.request("session.model.switchTo", { sessionId, modelId: "scripted-2" });
    await client.ask(sessionId, "echo 2");
    expect(imagesSent()).toBe(0);
  });

  test("bound the images and the length of an answer, and keep an effort back", async () => {
    const sessionId = await create({
      reasoningEffort: "high",
      modelCapabilities: {
        supports: { vision: true, reasoningEffort: false },
        limits: { max_output_tokens: 77, vision: { max_prompt_images: 1 } },
      },
    });
    const image = { type: "blob", mimeType: "image/png", data: PNG };
    await client.ask(sessionId, "echo 1", { attachments: [image, image] });
    expect(imagesSent()).toBe(1);
    expect(lastBody()).toMatchObject({ max_tokens: 77 });
    expect(lastBody()).not.toHaveProperty("reasoning_effort");
  });

  test("of zero are limits that somebody did not know: nothing is bounded by them", async () => {
    const limits = { max_output_tokens: 0, max_prompt_tokens: 0, max_context_window_tokens: 0 };
    const sessionId = await create({
      modelCapabilities: { limits },
      provider: provider({ maxOutputTokens: 0, maxPromptTokens: 0, maxContextWindowTokens: 0 }),
      largeOutput: { maxSizeBytes: 0 },
    });
    expect(await client.ask(sessionId, "echo 1")).toContain("1");
    expect(lastBody()).not.toHaveProperty("max_tokens");
    expect(lastBody()).not.toHaveProperty("max_completion_tokens");
    const own = { promptTokenLimit: 0, outputTokenLimit: 0 };
    const { contextInfo } = await client.request("session.metadata.contextInfo", { sessionId, ...own });
    expect(contextInfo.promptTokenLimit).toBeGreaterThan(1_000);
  });

  test.each([
    { vision: { supported_media_types: ["image/jpeg"] } },
    { vision: { max_prompt_image_size: 10 } },
    { vision: { supported_media_types: ["image/png"], max_prompt_image_size: 10_000 }, sent: 1 },
  ])("keep images from a model that does not take them: $vision", async ({ vision, sent = 0 }) => {
    const modelCapabilities = { supports: { vision: true }, limits: { vision } };
    const sessionId = await create({ modelCapabilities });
    await client.ask(sessionId, "echo 1", {
      attachments: [{ type: "blob", mimeType: "image/png", data: PNG }],
    });
    expect(imagesSent()).toBe(sent);
  });
});

describe("the user agent", () => {
  const sent = () => model.requests.at(-1)?.headers["user-agent"];

  test("names the application, then this server", async () => {
    await client.ask(await create({ clientName: "my app\n2" }), "echo 1");
    expect(sent()).toBe("my app-2 rightseat/0.0.0-test");
    await client.ask(await create(), "echo 1");
    expect(sent()).toBe("rightseat/0.0.0-test");
  });

  test("is the provider's own where its headers hold one", async () => {
    const headers = { "user-agent": "corporate" };
    await client.ask(await create({ clientName: "app", provider: provider({ headers }) }), "echo 1");
    expect(sent()).toBe("corporate");
  });
});

describe("documents", () => {
  const anthropic = () => ({ type: "anthropic", baseUrl: model.url, apiKey: "k" });
  const documents = () =>
    (lastBody().messages as { content: { type: string }[] }[]).flatMap((message) =>
      message.content.filter((block) => block.type === "document"),
    );
  const attachments = [
    { type: "file", path: "paper.pdf" },
    { type: "blob", mimeType: "application/pdf", displayName: "sent.pdf", data: PDF },
  ];

  test("of files and blobs go to Anthropic as such, citable when the session asks for it", async () => {
    const sessionId = await create({ provider: anthropic(), enableCitations: true });
    await client.ask(sessionId, "echo 1", { attachments });
    const source = { type: "base64", media_type: "application/pdf", data: PDF };
    expect(documents()).toMatchObject([
      { source, title: "paper.pdf", citations: { enabled: true } },
      { source, title: "sent.pdf", citations: { enabled: true } },
    ]);
    const plain = await create({ provider: anthropic() });
    await client.ask(plain, "echo 1", { attachments });
    expect(documents()).toHaveLength(2);
    expect(documents()[0]).not.toHaveProperty("citations");
  });

  test("that an answer cites are told with its message", async () => {
    const citation = { cited_text: "x", document_index: 0, document_title: "paper.pdf" };
    const content = [{ type: "text", text: "Yes", citations: [citation] }];
    model.use([
      { body: { id: "1", type: "message", model: "m", content, stop_reason: "end_turn", usage: {} } },
    ]);
    const sessionId = await create({ provider: anthropic(), enableCitations: true });
    await client.ask(sessionId, "Well?", { attachments });
    const message = client.of(sessionId).find((event) => event.type === "assistant.message");
    expect(message?.data.citations).toEqual({
      sources: [{ id: "s0", provider: "anthropic", title: "paper.pdf" }],
      spans: [
        {
          startIndex: 0,
          endIndex: 3,
          references: [{ sourceId: "s0", citedText: "x", providerMetadata: { documentIndex: 0 } }],
        },
      ],
    });
  });
});
