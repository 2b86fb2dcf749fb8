/** What the model is told before the conversation: the application's words, and those of files. */
import type { RecordedModelRequest } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { tempFolder } from "../src/temp-folder.ts";

const enterWorld = shareRuntime();

/** The system message of a request. */
function systemOf(request: RecordedModelRequest | undefined): string {
  const messages = (request?.body["messages"] ?? []) as { role: string; content: string }[];
  return messages.find(({ role }) => role === "system")?.content ?? "";
}

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the application adds to it, or brings the whole of it", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const tell = async (systemMessage: { mode: "append" | "replace"; content: string }) => {
      const session = await client.createSession(world.session(new SeenEvents(), { systemMessage }));
      await session.sendAndWait({ prompt: "echo hi" });
      return systemOf(world.model.requests.at(-1));
    };
    expect(await tell({ mode: "append", content: "Speak of herons." })).toMatch(
      /\S\n[\s\S]*Speak of herons\./,
    );
    expect(await tell({ mode: "replace", content: "Only herons." })).toBe("Only herons.");
  });

  test("the application replaces, removes and rewrites its sections", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const given: string[] = [];
    const session = await client.createSession(
      world.session(new SeenEvents(), {
        systemMessage: {
          mode: "customize",
          content: "At the end.",
          sections: {
            tone: { action: "replace", content: "Sing." },
            environment_context: { action: "remove" },
            safety: { action: "append", content: "Feed no herons." },
            guidelines: {
              action: (current: string) => {
                given.push(current);
                return "Rewritten.";
              },
            },
          },
        },
      }),
    );
    await session.sendAndWait({ prompt: "echo hi" });
    await session.sendAndWait({ prompt: "echo again" });
    const told = systemOf(world.model.requests.at(-1));
    for (const words of ["Sing.", "Feed no herons.", "Rewritten.", "At the end."])
      expect(told).toContain(words);
    expect(told).not.toContain("Working directory");
    expect(given).toHaveLength(1);
    expect(given[0]).not.toBe("");
    expect(told).not.toContain(given[0]);
  });

  test("instructions of the project are in it, and the application is told where they come from", async () => {
    await using world = await enterWorld();
    await using folder = await tempFolder();
    await folder.write("AGENTS.md", "Count in herons.");
    await folder.write(".github/copilot-instructions.md", "Use tabs.");
    const client = await world.connect(sdk);
    const session = await client.createSession(
      world.session(new SeenEvents(), { workingDirectory: folder.path }),
    );
    await session.sendAndWait({ prompt: "echo hi" });
    expect(systemOf(world.model.requests.at(-1))).toMatch(/Use tabs\.[\s\S]*Count in herons\./);
    const { sources } = await session.rpc.instructions.getSources();
    expect(sources.map(({ sourcePath }) => sourcePath)).toEqual([
      ".github/copilot-instructions.md",
      "AGENTS.md",
    ]);
  });
});

test("an application leaves instructions out, names more, and asks for them without a session", async () => {
  await using world = await enterWorld();
  await using folder = await tempFolder();
  await folder.write("AGENTS.md", "Count in herons.");
  await folder.write("more/AGENTS.md", "Of another place.");
  const client = await world.connect(newestSdk);
  const tell = async (more: object) => {
    const session = await client.createSession(
      world.session(new SeenEvents(), { workingDirectory: folder.path, ...more }),
    );
    await session.sendAndWait({ prompt: "echo hi" });
    return systemOf(world.model.requests.at(-1));
  };
  expect(await tell({ skipCustomInstructions: true })).not.toContain("herons");
  expect(await tell({ instructionDirectories: ["more"] })).toMatch(/herons\.[\s\S]*Of another place\./);
  const { sources } = await client.rpc.instructions.discover({
    projectPaths: [folder.path],
    excludeHostInstructions: true,
  });
  expect(sources).toMatchObject([{ content: "Count in herons.", projectPath: folder.path }]);
});
