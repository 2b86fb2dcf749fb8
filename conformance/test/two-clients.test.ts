import type { Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk, oldestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";
import type { World } from "../src/world.ts";

const enterWorld = shareRuntime();

const pairs = [
  ...sdkVersions.map((sdk) => ({ first: sdk, second: sdk })),
  { first: oldestSdk, second: newestSdk },
].map((pair) => ({ ...pair, versions: `${pair.first.version} and ${pair.second.version}` }));

const ask = (handler: Tool["handler"]): Tool => ({
  name: "ask",
  parameters: { type: "object", properties: {} },
  handler,
});

const CALL = { toolCalls: [{ name: "ask", arguments: {} }] };

/** How often a client of the wire answered questions of this kind, and what became of it. */
function answersTo(world: World, method: string): unknown[] {
  const asked = world.wire.messages.filter(({ message }) => message.method === method);
  const results = asked.map(({ connection, message }) =>
    world.wire.messages.find(
      (other) =>
        other.connection === connection && other.from === "server" && other.message.id === message.id,
    ),
  );
  return results.map((answer) => (answer?.message.result as { success?: boolean } | undefined)?.success);
}

describe.each(pairs)("SDKs $versions on one session", ({ first, second }) => {
  test("both clients are told the same turn, event for event", async () => {
    await using world = await enterWorld();
    const [a, b] = [await world.connect(first), await world.connect(second)];
    const [seenByA, seenByB] = [new SeenEvents(), new SeenEvents()];
    const session = await a.createSession(world.session(seenByA));
    await b.resumeSession(session.sessionId, world.session(seenByB));
    await session.send({ prompt: "words 50" });
    await Promise.all([seenByA.until("session.idle"), seenByB.until("session.idle")]);
    const turn = (seen: SeenEvents) =>
      seen.all.slice(seen.all.findIndex(({ type }) => type === "user.message"));
    expect(turn(seenByB)).toEqual(turn(seenByA));
  });

  test("of two answers to a tool call the first counts, and the second is told that it did not", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "Thanks." }]);
    const [a, b] = [await world.connect(first), await world.connect(second)];
    const [askedB, answerB] = [createGate(), createGate()];
    const seen = new SeenEvents();
    const session = await a.createSession(
      world.session(seen, { tools: [ask(() => askedB.opened.then(() => "from the first"))] }),
    );
    const late = async () => {
      askedB.open();
      await answerB.opened;
      return "from the second";
    };
    await b.resumeSession(session.sessionId, world.session(new SeenEvents(), { tools: [ask(late)] }));
    await session.send({ prompt: "Ask." });
    await seen.until("session.idle");
    answerB.open();
    expect(toldToModel(world.model.requests[1]).at(-1)).toBe("tool: from the first");
    expect(seen.of("tool.execution_complete")).toHaveLength(1);
    // A newer SDK keeps an answer that comes too late to itself.
    const expected = second === oldestSdk ? [true, false] : [true];
    const answers = () => answersTo(world, "session.tools.handlePendingToolCall");
    await world.wire.until(
      () => answers().filter((success) => success !== undefined).length >= expected.length,
    );
    expect(answers()).toEqual(expected);
  });

  test("of two decisions on a permission the first counts", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "Thanks." }]);
    const [a, b] = [await world.connect(first), await world.connect(second)];
    const [askedB, answerB] = [createGate(), createGate()];
    const seen = new SeenEvents();
    const onPermissionRequest = async () => {
      await askedB.opened;
      return { kind: "approve-once" } as const;
    };
    const settings = { tools: [ask(() => "it ran")], onPermissionRequest };
    const session = await a.createSession(world.session(seen, settings));
    const late = async () => {
      askedB.open();
      await answerB.opened;
      return { kind: "reject" } as const;
    };
    await b.resumeSession(session.sessionId, world.session(new SeenEvents(), { onPermissionRequest: late }));
    await session.send({ prompt: "Ask." });
    await seen.until("session.idle");
    answerB.open();
    await world.wire.until(
      () =>
        answersTo(world, "session.permissions.handlePendingPermissionRequest").filter(
          (said) => said !== undefined,
        ).length === 2,
    );
    expect(answersTo(world, "session.permissions.handlePendingPermissionRequest")).toEqual([true, false]);
    expect(toldToModel(world.model.requests[1]).at(-1)).toBe("tool: it ran");
    expect(seen.of("permission.completed")).toHaveLength(1);
  });

  test("a session goes on when one of its clients leaves in the middle of a turn", async () => {
    await using world = await enterWorld();
    const release = createGate();
    world.model.use(async () => {
      await release.opened;
      return { text: "still here" };
    });
    const [a, b] = [await world.connect(first), await world.connect(second)];
    const seen = new SeenEvents();
    const session = await a.createSession(world.session(new SeenEvents()));
    await b.resumeSession(session.sessionId, world.session(seen));
    await session.send({ prompt: "Are you?" });
    await world.model.until(({ requests }) => requests.length === 1);
    await a.forceStop();
    release.open();
    await seen.until("session.idle");
    expect(seen.of("assistant.message").map(({ data }) => data.content)).toEqual(["still here"]);
  });
});
