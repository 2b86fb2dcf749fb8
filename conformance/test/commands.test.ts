import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";

const enterWorld = shareRuntime();

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a command that the application declared runs in it, with what was written behind its name", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const ran: unknown[] = [];
    const deploy = {
      name: "deploy",
      description: "Deploys",
      handler: async (call: unknown) => void ran.push(call),
    };
    const session = await client.createSession(world.session(seen, { commands: [deploy] }));
    const other = await world.connect(newestSdk);
    const attached = await other.resumeSession(session.sessionId, world.session(new SeenEvents()));
    expect(await attached.rpc.commands.execute({ commandName: "deploy", args: "to production" })).toEqual({});
    expect(ran).toEqual([
      {
        sessionId: session.sessionId,
        command: "/deploy to production",
        commandName: "deploy",
        args: "to production",
      },
    ]);
    await seen.until("command.completed");
  });

  test("a command whose handler throws ends with its message", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const fail = () => Promise.reject(new Error("the cluster is down"));
    const commands = [{ name: "deploy", description: "Deploys", handler: fail }];
    const session = await client.createSession(world.session(new SeenEvents(), { commands }));
    const other = await world.connect(newestSdk);
    const attached = await other.resumeSession(session.sessionId, world.session(new SeenEvents()));
    expect(await attached.rpc.commands.execute({ commandName: "deploy", args: "" })).toEqual({
      error: "the cluster is down",
    });
  });

  test("a command goes on with another application that declares it when the first one vanishes", async () => {
    await using world = await enterWorld();
    const [first, second, asker] = [
      await world.connect(sdk),
      await world.connect(sdk),
      await world.connect(newestSdk),
    ];
    const begun = createGate();
    const hang = () => {
      begun.open();
      return new Promise<void>(() => {});
    };
    const command = (handler: () => Promise<void>) => ({
      commands: [{ name: "deploy", description: "", handler }],
    });
    const session = await first.createSession(world.session(new SeenEvents(), command(hang)));
    const ran = createGate();
    await second.resumeSession(
      session.sessionId,
      world.session(
        new SeenEvents(),
        command(async () => ran.open()),
      ),
    );
    const attached = await asker.resumeSession(session.sessionId, world.session(new SeenEvents()));
    const executing = attached.rpc.commands.execute({ commandName: "deploy", args: "" });
    await begun.opened;
    await first.forceStop();
    await ran.opened;
    expect(await executing).toEqual({});
  });
});

test("an application that watches the queue decides on a command, and the others are told when commands change", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));
  await session.rpc.eventLog.registerInterest({ eventType: "command.queued" });
  expect(await session.rpc.commands.enqueue({ command: "/theme dark" })).toMatchObject({ queued: true });
  await seen.until("command.queued");
  const [queued] = seen.of("command.queued");
  expect(queued?.data.command).toBe("/theme dark");
  const answer = { requestId: queued?.data.requestId ?? "", result: { handled: true } } as const;
  expect(await session.rpc.commands.respondToQueuedCommand(answer)).toEqual({ success: true });
  await seen.until("session.idle");
  const other = await world.connect(newestSdk);
  const commands = [{ name: "deploy", description: "Deploys", handler: async () => {} }];
  await other.resumeSession(session.sessionId, world.session(new SeenEvents(), { commands }));
  await seen.until("commands.changed");
  expect(seen.of("commands.changed")[0]?.data.commands).toEqual([{ name: "deploy", description: "Deploys" }]);
});

test("the server's commands are listed and carried out", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const session = await client.createSession(world.session(new SeenEvents()));
  const { commands } = await session.rpc.commands.list({ includeClientCommands: false });
  expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(["help", "model", "rename"]));
  expect(await session.rpc.commands.invoke({ name: "rename", input: "A good name" })).toMatchObject({
    kind: "completed",
  });
  expect(await session.rpc.name.get()).toEqual({ name: "A good name" });
  await expect(session.rpc.commands.invoke({ name: "nope" })).rejects.toThrow("Unknown slash command: /nope");
});
