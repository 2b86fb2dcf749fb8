import type { PermissionRequest, PermissionRequestResult, Tool } from "@github/copilot-sdk";
import { describe, expect, test, vi } from "vitest";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";

const enterWorld = shareRuntime();

/** A tool that notes its runs, and an application that gives one decision to all who ask. */
function deleteFiles(decision: PermissionRequestResult) {
  const runs: string[] = [];
  const asked: PermissionRequest[] = [];
  const tool: Tool<{ path: string }> = {
    name: "delete_file",
    description: "Deletes a file",
    parameters: { type: "object", properties: { path: { type: "string" } } },
    handler: ({ path }: { path: string }) => `deleted ${runs.push(path)}`,
  };
  const onPermissionRequest = (request: PermissionRequest) => {
    asked.push(request);
    return decision;
  };
  return { runs, asked, settings: { tools: [tool], onPermissionRequest } };
}

const CALL = { toolCalls: [{ name: "delete_file", arguments: { path: "a.txt" } }] };

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the application is asked before a custom tool runs, with the tool and its arguments", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "Gone." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { runs, asked, settings } = deleteFiles({ kind: "approve-once" });
    const session = await client.createSession(world.session(seen, settings));
    expect((await session.sendAndWait({ prompt: "Delete it." }))?.data.content).toBe("Gone.");
    expect(asked).toMatchObject([{ kind: "custom-tool", toolName: "delete_file", args: { path: "a.txt" } }]);
    expect(runs).toEqual(["a.txt"]);
    expect(seen.of("permission.completed").map(({ data }) => data.result.kind)).toEqual(["approved"]);
  });

  test("a rejected call does not run, and the model is told what the user said instead", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "I left it." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { runs, settings } = deleteFiles({ kind: "reject", feedback: "keep my files" });
    const session = await client.createSession(world.session(seen, settings));
    expect((await session.sendAndWait({ prompt: "Delete it." }))?.data.content).toBe("I left it.");
    expect(runs).toEqual([]);
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("keep my files");
    expect(seen.of("permission.completed").map(({ data }) => data.result.kind)).toEqual([
      "denied-interactively-by-user",
    ]);
    expect(seen.of("tool.execution_complete").map(({ data }) => data.success)).toEqual([false]);
  });

  test("a permission handler that throws counts as a refusal, and the session goes on", async () => {
    // The newer SDK tells of it there.
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    await using world = await enterWorld();
    world.model.use([CALL, { text: "I could not." }]);
    const client = await world.connect(sdk);
    const { runs, settings } = deleteFiles({ kind: "approve-once" });
    const onPermissionRequest = () => {
      throw new Error("the dialog crashed");
    };
    const session = await client.createSession(
      world.session(new SeenEvents(), { ...settings, onPermissionRequest }),
    );
    expect((await session.sendAndWait({ prompt: "Delete it." }))?.data.content).toBe("I could not.");
    expect(runs).toEqual([]);
  });

  test("an approval for the session is not asked for again", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, CALL, { text: "Both gone." }]);
    const client = await world.connect(sdk);
    const approval = { kind: "custom-tool", toolName: "delete_file" } as const;
    const { runs, asked, settings } = deleteFiles({ kind: "approve-for-session", approval });
    const session = await client.createSession(world.session(new SeenEvents(), settings));
    expect((await session.sendAndWait({ prompt: "Delete both." }))?.data.content).toBe("Both gone.");
    expect(runs).toEqual(["a.txt", "a.txt"]);
    expect(asked).toHaveLength(1);
  });

  test("a tool that says it needs no permission runs unasked", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "Gone." }]);
    const client = await world.connect(sdk);
    const { runs, asked, settings } = deleteFiles({ kind: "reject" });
    const tools = settings.tools.map((tool) => ({ ...tool, skipPermission: true }));
    const session = await client.createSession(world.session(new SeenEvents(), { ...settings, tools }));
    expect((await session.sendAndWait({ prompt: "Delete it." }))?.data.content).toBe("Gone.");
    expect([runs, asked]).toEqual([["a.txt"], []]);
  });
});
