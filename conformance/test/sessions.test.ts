import { describe, expect, test } from "vitest";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the list holds every session, the one that changed last first, with dates", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const first = await client.createSession(world.session(new SeenEvents()));
    const second = await client.createSession(world.session(new SeenEvents()));
    await second.sendAndWait({ prompt: "echo second" });
    await first.sendAndWait({ prompt: "echo first" });
    const listed = await client.listSessions();
    expect(listed.map(({ sessionId }) => sessionId)).toEqual([first.sessionId, second.sessionId]);
    for (const { startTime, modifiedTime } of listed) {
      expect([startTime, modifiedTime].map((time) => Number.isNaN(time.getTime()))).toEqual([false, false]);
    }
  });

  test("the last session id is the one of the session that changed last, and nothing when there is none", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    expect(await client.getLastSessionId()).toBeUndefined();
    const first = await client.createSession(world.session(new SeenEvents()));
    const second = await client.createSession(world.session(new SeenEvents()));
    await second.sendAndWait({ prompt: "echo second" });
    await first.sendAndWait({ prompt: "echo first" });
    expect(await client.getLastSessionId()).toBe(first.sessionId);
  });

  test("the metadata of a session is what the list shows of it, and nothing for an unknown id", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo hello" });
    expect(await client.getSessionMetadata(session.sessionId)).toEqual((await client.listSessions())[0]);
    expect(await client.getSessionMetadata("nobody-made-this")).toBeUndefined();
  });

  test("a disconnected session is kept, and goes on where it was when it is resumed", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo before" });
    await session.disconnect();
    const seen = new SeenEvents();
    const resumed = await client.resumeSession(session.sessionId, world.session(seen));
    expect((await resumed.sendAndWait({ prompt: "echo after" }))?.data.content).toBe("after");
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: echo before",
      "assistant: before",
      "user: echo after",
    ]);
    expect(seen.of("session.resume")).toHaveLength(1);
  });

  test("a disconnected session sends its client no more events", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const other = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(new SeenEvents()));
    const shared = await other.resumeSession(session.sessionId, world.session(seen));
    await session.disconnect();
    const before = world.wire.messages.length;
    await shared.sendAndWait({ prompt: "echo alone" });
    await client.ping();
    const told = world.wire.messages
      .slice(before)
      .filter(({ message }) => message.method === "session.event");
    expect(new Set(told.map(({ connection }) => connection))).toEqual(new Set([2]));
  });

  test("a deleted session is gone from the list and cannot be resumed", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo hello" });
    await client.deleteSession(session.sessionId);
    expect(await client.listSessions()).toEqual([]);
    await expect(client.resumeSession(session.sessionId, world.session(new SeenEvents()))).rejects.toThrow(
      session.sessionId,
    );
  });

  test("deleting a session that there is not is an error that names it", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    await expect(client.deleteSession("nobody-made-this")).rejects.toThrow("nobody-made-this");
  });

  test("making, using and deleting a session is told to the client that has it open", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const told: string[] = [];
    sdk.onLifecycle(client, ({ type, sessionId }) => void told.push(`${type} ${sessionId}`));
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo hello" });
    await client.deleteSession(session.sessionId);
    await client.ping();
    expect(told.filter((entry, index) => entry !== told[index - 1])).toEqual([
      `session.created ${session.sessionId}`,
      `session.updated ${session.sessionId}`,
      `session.deleted ${session.sessionId}`,
    ]);
  });

  test("making and deleting a session is told to every client of the server", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const watcher = await world.connect(sdk);
    const told: string[] = [];
    sdk.onLifecycle(watcher, ({ type, sessionId }) => void told.push(`${type} ${sessionId}`));
    const session = await client.createSession(world.session(new SeenEvents()));
    await client.deleteSession(session.sessionId);
    await watcher.ping();
    expect(told.filter((entry) => !entry.startsWith("session.updated"))).toEqual([
      `session.created ${session.sessionId}`,
      `session.deleted ${session.sessionId}`,
    ]);
  });
});
