/** What goes with a prompt. */
import type { RecordedModelRequest } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { tempFolder } from "../src/temp-folder.ts";

const enterWorld = shareRuntime();

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The content of the last user message of a request. */
function prompted(request: RecordedModelRequest | undefined): unknown {
  const messages = (request?.body["messages"] ?? []) as { role: string; content: unknown }[];
  return messages.findLast(({ role }) => role === "user")?.content;
}

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("files, folders and selections are named to the model, and are in the history", async () => {
    await using world = await enterWorld();
    await using folder = await tempFolder();
    const file = await folder.write("src/a.txt", "one\ntwo\n");
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen, { workingDirectory: folder.path }));
    await session.sendAndWait({
      prompt: "echo seen",
      attachments: [
        { type: "file", path: file, displayName: "a.txt" },
        { type: "directory", path: folder.path, displayName: "project" },
        {
          type: "selection",
          filePath: file,
          displayName: "a.txt",
          text: "two",
          selection: { start: { line: 1, character: 0 }, end: { line: 1, character: 3 } },
        },
      ],
    });
    const content = prompted(world.model.requests.at(-1));
    expect(content).toContain(`* ${file} (2 lines)`);
    expect(content).toContain(`* ${folder.path} (1 items)`);
    expect(content).toMatch(/src\/a\.txt \(line 2\)\n```\ntwo\n```/);
    const logged = (await sdk.history(session)).find(({ type }) => type === "user.message");
    expect(logged?.data).toMatchObject({
      content: "echo seen",
      attachments: [{ type: "file" }, { type: "directory" }, { type: "selection" }],
    });
  });

  test("an image reaches a model that takes images, with its name, and stays in the conversation", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.rpc.model.switchTo({
      modelId: "scripted",
      modelCapabilities: { supports: { vision: true } },
    });
    await session.sendAndWait({
      prompt: "echo seen",
      attachments: [{ type: "blob", data: PIXEL, mimeType: "image/png", displayName: "dot.png" }],
    });
    const expected = [
      { type: "text", text: expect.stringContaining("echo seen") },
      { type: "text", text: "dot.png" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ];
    expect(prompted(world.model.requests.at(-1))).toEqual(expected);
    await session.sendAndWait({ prompt: "echo again" });
    const messages = (world.model.requests.at(-1)?.body["messages"] ?? []) as { content: unknown }[];
    expect(messages.map(({ content }) => content)).toContainEqual(expected);
  });
});
