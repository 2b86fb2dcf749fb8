import type { Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import type { World } from "../src/world.ts";

const enterWorld = shareRuntime();

const tool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  description: `Does ${name}`,
  parameters: { type: "object", properties: {} },
  skipPermission: true,
  handler: () => `${name} ran`,
  ...more,
});

const offered = (world: World) =>
  ((world.model.requests.at(-1)?.body.tools ?? []) as { function: { name: string } }[]).map(
    (one) => one.function.name,
  );

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a session offers what is available and not excluded", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(
      world.session(new SeenEvents(), {
        tools: [tool("lookup"), tool("remove")],
        availableTools: ["builtin:view", "builtin:grep", "custom:*"],
        excludedTools: ["grep", "custom:remove"],
      }),
    );
    await session.sendAndWait({ prompt: "echo hi" });
    expect(offered(world)).toEqual(["view", "lookup"]);
  });

  test("a tool that would hide a built-in one is refused, and taken when it says so", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    await expect(client.createSession(world.session(seen, { tools: [tool("grep")] }))).rejects.toThrow(
      "overridesBuiltInTool",
    );
    world.model.use([{ toolCalls: [{ name: "grep", arguments: {} }] }, { text: "ok" }]);
    const tools = [tool("grep", { overridesBuiltInTool: true })];
    const session = await client.createSession(world.session(seen, { tools }));
    await session.sendAndWait({ prompt: "Search." });
    expect(seen.of("tool.execution_complete")[0]?.data.result?.content).toBe("grep ran");
  });
});

test("deferred tools reach the model once it has found them", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const tools = [tool("first"), tool("second"), tool("third", { defer: "never" })];
  const session = await client.createSession(
    world.session(seen, {
      tools,
      toolSearch: { enabled: true, deferThreshold: 2 },
      availableTools: ["custom:*"],
    }),
  );
  world.model.use([
    { toolCalls: [{ name: "tool_search_tool", arguments: { query: "second" } }] },
    { toolCalls: [{ name: "second", arguments: {} }] },
    { text: "Done." },
  ]);
  expect((await session.sendAndWait({ prompt: "Go." }))?.data.content).toBe("Done.");
  expect(offered(world)).toEqual(["second", "third", "tool_search_tool"]);
  expect(seen.of("tool.execution_complete").map(({ data }) => data.result?.content)[1]).toBe("second ran");
});

test("an application can ask for the server's own tools, and keep a session to some of them", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const { tools } = await client.rpc.tools.list({});
  const names = tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["bash", "view", "edit", "grep", "web_fetch", "task"]));
  for (const { description, parameters } of tools) {
    expect(description).not.toBe("");
    expect(parameters).toMatchObject({ type: "object" });
  }
  const session = await client.createSession(
    world.session(new SeenEvents(), { availableTools: names.slice(0, 2) }),
  );
  await session.sendAndWait({ prompt: "echo hi" });
  const offered = world.model.requests.at(-1)?.body["tools"] as { function: { name: string } }[];
  expect(offered.map((tool) => tool.function.name)).toEqual(names.slice(0, 2));
});
