/** Custom agents: a session answers as one, or hands one a task. */
import type { RecordedModelRequest } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { tempFolder } from "../src/temp-folder.ts";

const enterWorld = shareRuntime();

const READER = {
  name: "reader",
  displayName: "Reader",
  description: "Reads things",
  prompt: "You only read.",
  tools: ["look_up"],
};
const lookUp = {
  name: "look_up",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
  handler: () => "forty-two",
};
const other = { ...lookUp, name: "other" };

interface Body {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}
const bodyOf = (request: RecordedModelRequest | undefined) => request?.body as unknown as Body;
const systemOf = (request: RecordedModelRequest | undefined) => bodyOf(request).messages[0]?.content ?? "";
const toolsOf = (request: RecordedModelRequest | undefined) =>
  (bodyOf(request).tools ?? []).map((tool) => tool.function.name);

/** The session hands the reader a task, which looks something up and answers. */
const delegate = (mode: "sync" | "background", release?: Promise<void>) => {
  const args = { agent_type: "reader", name: "side", description: "Reads it", prompt: "READ IT", mode };
  return async (request: RecordedModelRequest) => {
    const { messages } = bodyOf(request);
    const last = messages.at(-1);
    if (systemOf(request).includes("You only read.")) {
      await release;
      return last?.role === "tool"
        ? { text: `Read: ${last.content}` }
        : { toolCalls: [{ name: "look_up", arguments: {} }] };
    }
    return last?.role === "tool" || last?.content.startsWith("<system_notification>")
      ? { text: `Heard: ${last.content}` }
      : { toolCalls: [{ name: "task", arguments: args }] };
  };
};

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a session answers as the agent that is selected, with its prompt and its tools", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(
      world.session(seen, { customAgents: [READER], tools: [lookUp, other] }),
    );
    expect((await session.rpc.agent.list()).agents.map(({ name }) => name)).toEqual(["reader"]);
    await session.sendAndWait({ prompt: "echo as myself" });
    expect(systemOf(world.model.requests.at(-1))).not.toContain("You only read.");
    await session.rpc.agent.select({ name: "reader" });
    await session.sendAndWait({ prompt: "echo as the reader" });
    expect(systemOf(world.model.requests.at(-1))).toContain("You only read.");
    expect(toolsOf(world.model.requests.at(-1))).toEqual(["look_up"]);
    await session.rpc.agent.deselect();
    await session.sendAndWait({ prompt: "echo as myself again" });
    expect(toolsOf(world.model.requests.at(-1))).toContain("other");
    expect(seen.of("subagent.selected").map(({ data }) => data.agentName)).toEqual(["reader"]);
    expect(seen.of("subagent.deselected")).toHaveLength(1);
  });

  test("the model hands an agent a task, which has a context of its own", async () => {
    await using world = await enterWorld();
    world.model.use(delegate("sync"));
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(
      world.session(seen, { customAgents: [READER], tools: [lookUp, other] }),
    );
    const answer = await session.sendAndWait({ prompt: "Find out about herons." });
    expect(answer?.data.content).toBe("Heard: Read: forty-two");
    const [first] = world.model.requests.filter((request) => systemOf(request).includes("You only read."));
    expect(JSON.stringify(first?.body)).not.toContain("herons");
    expect(toolsOf(first)).toEqual(["look_up"]);
    expect(seen.of("subagent.started").map(({ data }) => data.agentName)).toEqual(["reader"]);
    expect(seen.of("subagent.completed")).toHaveLength(1);
    // The application's own answers are those of the session.
    expect(seen.of("assistant.idle").length).toBeLessThanOrEqual(1);
  });
});

describe(`SDK ${newestSdk.version}`, () => {
  test("a task in the background outlives its turn, and its end reaches the model", async () => {
    await using world = await enterWorld();
    const release = createGate();
    world.model.use(delegate("background", release.opened));
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    const session = await client.createSession(
      world.session(seen, { customAgents: [READER], tools: [lookUp] }),
    );
    await session.send({ prompt: "Find out." });
    await seen.until("assistant.idle");
    const { tasks } = await session.rpc.tasks.list();
    expect(tasks).toMatchObject([{ type: "agent", agentType: "reader", status: "running" }]);
    expect(await session.rpc.metadata.isProcessing()).toEqual({ processing: true });
    release.open();
    await seen.until("session.idle");
    expect(seen.of("system.notification")[0]?.data.kind).toMatchObject({
      type: "agent_completed",
      status: "completed",
    });
    expect((await session.rpc.tasks.list()).tasks).toMatchObject([
      { status: "idle", latestResponse: "Read: forty-two" },
    ]);
  });

  test("a task that the application starts is cancelled by an abort", async () => {
    await using world = await enterWorld();
    world.model.use(() => ({ words: ["half "], hang: true }));
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen, { customAgents: [READER] }));
    const { agentId } = await session.rpc.tasks.startAgent({
      agentType: "reader",
      name: "side",
      prompt: "Read.",
    });
    await world.model.until(({ requests }) => requests.length === 1);
    await session.abort();
    await world.model.until(({ closedEarly }) => closedEarly === 1);
    await seen.until("session.idle");
    expect((await session.rpc.tasks.list()).tasks).toMatchObject([{ id: agentId, status: "cancelled" }]);
  });

  test("a fleet is begun with one prompt", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    expect(await session.rpc.fleet.start({ prompt: "Paint the fence." })).toMatchObject({ started: true });
    await seen.until("session.idle");
    expect(JSON.stringify(world.model.requests.at(-1)?.body)).toContain("Paint the fence.");
  });

  test("agents of files are found, in a session and without one", async () => {
    await using world = await enterWorld();
    await using folder = await tempFolder();
    await folder.write(".github/agents/painter.md", "---\ndescription: Paints\n---\nPaint it.\n");
    const client = await world.connect(newestSdk);
    const session = await client.createSession(
      world.session(new SeenEvents(), { workingDirectory: folder.path, enableConfigDiscovery: true }),
    );
    const expected = [{ id: "painter", description: "Paints", source: "project" }];
    expect((await session.rpc.agent.list()).agents).toMatchObject(expected);
    const projectPaths = [folder.path];
    expect(
      (await client.rpc.agents.discover({ projectPaths, excludeHostAgents: true })).agents,
    ).toMatchObject(expected);
  });
});
