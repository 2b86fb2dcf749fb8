import type { Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";

const enterWorld = shareRuntime();

/** A tool that runs until the gate opens, and a gate that opens once it runs. */
function slowTool() {
  const started = createGate();
  const release = createGate();
  const tool: Tool = {
    name: "slow",
    parameters: { type: "object", properties: {} },
    skipPermission: true,
    handler: async () => {
      started.open();
      await release.opened;
      return "took a while";
    },
  };
  return { started: started.opened, release: release.open, tool };
}

const CALL = { toolCalls: [{ name: "slow", arguments: {} }] };

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("an abort while the model streams ends the turn, and the session takes the next prompt", async () => {
    await using world = await enterWorld();
    world.model.use([{ words: ["half ", "an "], hang: true }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.send({ prompt: "Tell me." });
    await seen.until("assistant.message_delta", 2);
    await session.abort();
    await seen.until("session.idle");
    expect(seen.of("abort").map(({ data }) => data.reason)).toEqual(["user_initiated"]);
    await world.model.until(({ closedEarly }) => closedEarly === 1);
    expect((await session.sendAndWait({ prompt: "echo onwards" }))?.data.content).toBe("onwards");
  });

  test("an abort while a tool runs ends the turn without waiting for the tool", async () => {
    await using world = await enterWorld();
    world.model.use([CALL]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { tool, started, release } = slowTool();
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    await session.send({ prompt: "Take your time." });
    await started;
    await session.abort();
    await seen.until("session.idle");
    release();
    expect((await session.sendAndWait({ prompt: "echo onwards" }))?.data.content).toBe("onwards");
    expect(world.model.requests).toHaveLength(2);
  });

  test("an abort drops what waits for the turn's end", async () => {
    await using world = await enterWorld();
    world.model.use([CALL]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { tool, started, release } = slowTool();
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    await session.send({ prompt: "Take your time." });
    await started;
    await session.send({ prompt: "echo later", mode: "enqueue" });
    await session.send({ prompt: "echo at once", mode: "immediate" });
    await session.abort();
    await seen.until("session.idle");
    release();
    expect((await session.sendAndWait({ prompt: "echo onwards" }))?.data.content).toBe("onwards");
    expect(seen.of("user.message").map(({ data }) => data.content)).toEqual([
      "Take your time.",
      "echo onwards",
    ]);
  });

  test("an abort when nothing runs changes nothing", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.abort();
    expect((await session.sendAndWait({ prompt: "echo fine" }))?.data.content).toBe("fine");
    expect(seen.of("abort")).toEqual([]);
  });

  test("a prompt sent to steer goes to the model in the turn that runs", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "In blue, then." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { tool, started, release } = slowTool();
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    await session.send({ prompt: "Paint it." });
    await started;
    await session.send({ prompt: "In blue.", mode: "immediate" });
    release();
    await seen.until("session.idle");
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: Paint it.",
      "assistant: 1 calls",
      "tool: took a while",
      "user: In blue.",
    ]);
    expect(seen.of("session.idle")).toHaveLength(1);
    expect(seen.of("user.message").map(({ data }) => data.content)).toEqual(["Paint it.", "In blue."]);
  });

  test("a prompt sent while a turn runs waits for its end, and is then answered by itself", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "Painted." }, { text: "Dried." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const { tool, started, release } = slowTool();
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    await session.send({ prompt: "Paint it." });
    await started;
    await session.send({ prompt: "Dry it.", mode: "enqueue" });
    await session.send({ prompt: "echo and hang it" });
    release();
    await seen.until("assistant.message", 4);
    expect(seen.of("assistant.message").map(({ data }) => data.content)).toEqual([
      "",
      "Painted.",
      "Dried.",
      "and hang it",
    ]);
    expect(toldToModel(world.model.requests[2]).slice(-2)).toEqual(["assistant: Painted.", "user: Dry it."]);
  });
});
