import { describe, expect, test } from "vitest";
import { startOwnRuntime } from "../src/own-runtime.ts";
import { RawClient } from "../src/raw-client.ts";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const EXITS = { SIGTERM: { code: 0, signal: null }, SIGKILL: { code: null, signal: "SIGKILL" } } as const;
const cases = sdkVersions.flatMap((sdk) =>
  (["SIGTERM", "SIGKILL"] as const).map((signal) => ({ sdk, version: sdk.version, signal })),
);

describe.each(cases)("SDK $version, $signal", ({ sdk, signal }) => {
  test("a session is resumed after the server was started anew, with all it held", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo remember this" });
    const before = await sdk.history(session);

    expect(await world.restart(signal)).toEqual(EXITS[signal]);

    const again = await world.connect(sdk);
    expect((await again.listSessions()).map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
    const after = await sdk.history(resumed);
    expect(after.slice(0, before.length)).toEqual(before);
    expect((await resumed.sendAndWait({ prompt: "echo and this" }))?.data.content).toBe("and this");
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: echo remember this",
      "assistant: remember this",
      "user: echo and this",
    ]);
  });

  test("a prompt that was acknowledged is in the history after the server was started anew", async () => {
    await using world = await startWorld({ args: ["--shutdown-grace", "0"] });
    world.model.use([{ words: ["never ", "finished "], hang: true }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.send({ prompt: "Tell me everything." });
    await seen.until("assistant.message_delta", 2);

    expect(await world.restart(signal)).toEqual(EXITS[signal]);

    const again = await world.connect(sdk);
    const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
    const prompts = (await sdk.history(resumed)).filter((event) => event.type === "user.message");
    expect(prompts.map(({ data }) => data.content)).toEqual(["Tell me everything."]);
  });
});

describe("a runtime", () => {
  test("that is told to end as soon as it says its port ends in order", async () => {
    const runtime = await startOwnRuntime();
    expect(await runtime.end()).toEqual([]);
  });

  test("ends with code 0 when a client calls runtime.shutdown", async () => {
    const runtime = await startOwnRuntime();
    await using client = await RawClient.connect(runtime.process.port);
    expect((await client.request("runtime.shutdown")).result).toBeNull();
    expect(await runtime.process.exited).toEqual({ code: 0, signal: null });
    expect(await runtime.end()).toEqual([]);
  });
});
