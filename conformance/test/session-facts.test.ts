/** What applications ask of a session, and change of it, between prompts. */
import type { Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { tempFolder } from "../src/temp-folder.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const enterWorld = shareRuntime();

const CALL = { toolCalls: [{ name: "slow", arguments: {} }] };
const slow = (handler: () => Promise<string>): Tool => ({
  name: "slow",
  parameters: { type: "object", properties: {} },
  skipPermission: true,
  handler,
});
const never = () => new Promise<never>(() => {});

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a session is renamed, switches its model, and tells what it used", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.sendAndWait({ prompt: "echo one" });
    await session.rpc.name.set({ name: "Of herons" });
    expect(await session.rpc.name.get()).toEqual({ name: "Of herons" });
    await session.rpc.model.switchTo({ modelId: "another" });
    expect(await session.rpc.model.getCurrent()).toMatchObject({ modelId: "another" });
    await session.sendAndWait({ prompt: "echo two" });
    expect(world.model.requests.map(({ body }) => body["model"])).toEqual(["scripted", "another"]);
    expect(seen.of("session.model_change").map(({ data }) => data.newModel)).toEqual(["another"]);
    const { modelMetrics, totalUserRequests } = await session.rpc.usage.getMetrics();
    expect(totalUserRequests).toBe(2);
    expect(Object.keys(modelMetrics)).toEqual(["scripted", "another"]);
  });

  test("the mode of a session is set, told, and kept", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.rpc.mode.set({ mode: "plan" });
    await seen.until("session.mode_changed");
    await world.restart("SIGKILL");
    const again = await world.connect(sdk);
    const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
    expect(await resumed.rpc.mode.get()).toBe("plan");
  });
});

describe(`SDK ${newestSdk.version}`, () => {
  test("a question beside the conversation is answered from it, and leaves it as it was", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.sendAndWait({ prompt: "echo the word is heron" });
    const before = (await session.getEvents()).length;
    world.model.use([{ words: ["It ", "is ", "heron."] }]);
    expect(await session.rpc.ui.ephemeralQuery({ question: "Which word?" })).toEqual({
      answer: "It is heron.",
    });
    expect(toldToModel(world.model.requests.at(-1))).toEqual([
      "user: echo the word is heron",
      "assistant: the word is heron",
      "user: Which word?",
    ]);
    expect(await session.getEvents()).toHaveLength(before);
    await session.sendAndWait({ prompt: "echo on" });
    expect(toldToModel(world.model.requests.at(-1)).join()).not.toContain("Which word?");
  });

  test("metadata of the application's own is kept over kill -9, beside what the session knows", async () => {
    await using world = await startWorld();
    await using folder = await tempFolder();
    const client = await world.connect(newestSdk);
    const session = await client.createSession(
      world.session(new SeenEvents(), { workingDirectory: folder.path, clientName: "the-app" }),
    );
    const { metadata } = session.rpc;
    await metadata.updateClientMetadata({ set: { ticket: "7", owner: "Ada" } });
    await metadata.updateClientMetadata({ remove: ["owner"] });
    await world.restart("SIGKILL");
    const again = await world.connect(newestSdk);
    const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
    expect(await resumed.rpc.metadata.getClientMetadata()).toEqual({ ticket: "7" });
    expect(await resumed.rpc.metadata.snapshot()).toMatchObject({
      sessionId: session.sessionId,
      workingDirectory: folder.path,
      selectedModel: "scripted",
      currentMode: "interactive",
    });
    expect(await resumed.rpc.metadata.activity()).toEqual({ abortable: false, hasActiveWork: false });
  });

  test("a session that is told to suspend ends its run, and takes the next prompt", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    world.model.use([CALL]);
    const session = await client.createSession(world.session(seen, { tools: [slow(never)] }));
    await session.send({ prompt: "Take your time." });
    await seen.until("external_tool.requested");
    await session.rpc.suspend();
    expect(await session.rpc.metadata.isProcessing()).toEqual({ processing: false });
    expect((await session.sendAndWait({ prompt: "echo on" }))?.data.content).toBe("on");
  });

  test("a run whose application is gone goes on with the next one that wants its pending work", async () => {
    await using world = await enterWorld();
    const first = await world.connect(newestSdk);
    const seen = new SeenEvents();
    world.model.use([CALL, { text: "Went on." }]);
    const session = await first.createSession(world.session(seen, { tools: [slow(never)] }));
    await session.send({ prompt: "Take your time." });
    await seen.until("external_tool.requested");
    await first.forceStop();
    const second = await world.connect(newestSdk);
    const again = new SeenEvents();
    const tools = [slow(async () => "done")];
    await second.resumeSession(session.sessionId, {
      ...world.session(again, { tools }),
      continuePendingWork: true,
    });
    await again.until("session.idle");
    expect(toldToModel(world.model.requests.at(-1)).at(-1)).toBe("tool: done");
  });
});
