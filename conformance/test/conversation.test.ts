import type { SessionEvent } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";

const enterWorld = shareRuntime();

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a session is created with the id that the application chose", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession({
      ...world.session(new SeenEvents()),
      sessionId: `chosen-by-${sdk.version}`,
    });
    expect(session.sessionId).toBe(`chosen-by-${sdk.version}`);
  });

  test("a prompt is answered", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    const answer = await session.sendAndWait({ prompt: "echo forty-two" });
    expect(answer?.data.content).toBe("forty-two");
  });

  test("the second prompt goes to the model together with the first and its answer", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo first answer" });
    await session.sendAndWait({ prompt: "echo second answer" });
    expect(toldToModel(world.model.requests.at(-1))).toEqual([
      "user: echo first answer",
      "assistant: first answer",
      "user: echo second answer",
    ]);
  });

  test("each delta arrives once and in order, and together they are the message", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    const answer = await session.sendAndWait({ prompt: "words 500" });
    const deltas = seen.of("assistant.message_delta");
    expect(deltas.map(({ data }) => data.deltaContent).join("")).toBe(answer?.data.content);
    expect(answer?.data.content).toBe(Array.from({ length: 500 }, (_, index) => `w${index} `).join(""));
    expect(new Set(deltas.map(({ data }) => data.messageId))).toEqual(new Set([answer?.data.messageId]));
    expect(new Set(seen.all.map(({ id }) => id)).size).toBe(seen.all.length);
  });

  test("without streaming there are no deltas, and the message comes whole", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen, { streaming: false }));
    const answer = await session.sendAndWait({ prompt: "words 20" });
    expect(seen.of("assistant.message_delta")).toEqual([]);
    expect(answer?.data.content.split(" ")).toHaveLength(21);
  });

  test("a turn is told in this order: prompt, start, deltas, usage, message, end, idle", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.sendAndWait({ prompt: "words 3" });
    await seen.until("session.idle");
    const told = [
      "user.message",
      "assistant.turn_start",
      "assistant.message_start",
      "assistant.message_delta",
      "assistant.usage",
      "assistant.message",
      "assistant.turn_end",
      "session.idle",
    ];
    const types = seen.all.map(({ type }) => type as string).filter((type) => told.includes(type));
    expect(types.filter((type, index) => type !== types[index - 1])).toEqual(told);
    expect(types.filter((type) => type === "assistant.message_delta")).toHaveLength(3);
  });

  test("the message id that sending returns is the one of the user's message", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    const id = await session.send({ prompt: "echo hello" });
    await seen.until("session.idle");
    const messages = seen.of("user.message").map(({ data }) => (data as { messageId?: string }).messageId);
    expect(messages).toEqual([id]);
  });

  test("the history holds every durable event, chained by parent, and no ephemeral one", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.sendAndWait({ prompt: "echo hello" });
    await seen.until("session.idle");
    const history = await sdk.history(session);
    expect(history.map(({ id }) => id)).toEqual(seen.all.filter(isDurable).map(({ id }) => id));
    expect(history.map(({ parentId }) => parentId)).toEqual([
      null,
      ...history.slice(0, -1).map(({ id }) => id),
    ]);
    expect(history[0]?.type).toBe("session.start");
  });

  test("a model that refuses the request ends the turn with session.error, and the session goes on", async () => {
    await using world = await enterWorld();
    world.model.use([
      { status: 400, body: { error: { message: "no such thing", type: "invalid_request_error" } } },
    ]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(world.session(seen));
    await session.send({ prompt: "echo lost" });
    await seen.until("session.idle");
    expect(seen.of("session.error")).toHaveLength(1);
    const answer = await session.sendAndWait({ prompt: "echo found" });
    expect(answer?.data.content).toBe("found");
  });
});

function isDurable(event: SessionEvent): boolean {
  return event.ephemeral !== true;
}
