/** A conversation as something that can be taken back, copied and read in pages. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { tempFolder } from "../src/temp-folder.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const enterWorld = shareRuntime();

/** The id of the event that holds a prompt. */
const promptIn = (history: readonly { id: string; type: string; data: object }[], content: string) =>
  history.find(({ type, data }) => type === "user.message" && "content" in data && data.content === content)
    ?.id ?? "";

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a conversation that was cut back goes on from there, also after kill -9", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    for (const word of ["one", "two", "three"]) await session.sendAndWait({ prompt: `echo ${word}` });
    const eventId = promptIn(await sdk.history(session), "echo two");
    const { eventsRemoved } = await session.rpc.history.truncate({ eventId });
    expect(eventsRemoved).toBeGreaterThan(2);
    await world.restart("SIGKILL");
    const again = await world.connect(sdk);
    const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
    await resumed.sendAndWait({ prompt: "echo four" });
    expect(toldToModel(world.model.requests.at(-1))).toEqual([
      "user: echo one",
      "assistant: one",
      "user: echo four",
    ]);
    const prompts = (await sdk.history(resumed)).filter(({ type }) => type === "user.message");
    expect(prompts.map(({ data }) => "content" in data && data.content)).toEqual(["echo one", "echo four"]);
  });
});

describe(`SDK ${newestSdk.version}`, () => {
  test("a rewind puts the files back that the model changed since", async () => {
    await using world = await enterWorld();
    await using folder = await tempFolder();
    const file = await folder.write("a.txt", "one\n");
    world.model.use([
      { text: "Hello." },
      { toolCalls: [{ name: "edit", arguments: { path: file, old_str: "one", new_str: "two" } }] },
      { text: "Changed." },
    ]);
    const client = await world.connect(newestSdk);
    const session = await client.createSession(
      world.session(new SeenEvents(), { workingDirectory: folder.path, enableFileChangeTracking: true }),
    );
    await session.sendAndWait({ prompt: "Hello?" });
    await session.sendAndWait({ prompt: "Change it." });
    expect(await readFile(file, "utf8")).toBe("two\n");
    const { points } = await session.rpc.history.listRewindPoints();
    expect(points.map(({ userMessage, turnChangedFiles }) => [userMessage, turnChangedFiles])).toEqual([
      ["Hello?", false],
      ["Change it.", true],
    ]);
    const { eventId = "" } = points[1] ?? {};
    expect(await session.rpc.history.previewRewind({ eventId })).toMatchObject({
      available: true,
      files: [{ path: file, changeType: "modified" }],
    });
    const rewound = await session.rpc.history.rewind({ eventId, mode: "conversation-and-files" });
    expect(rewound).toMatchObject({ outcome: "success", restoredFiles: [file] });
    expect(await readFile(file, "utf8")).toBe("one\n");
    await session.sendAndWait({ prompt: "echo on" });
    expect(toldToModel(world.model.requests.at(-1))).toEqual([
      "user: Hello?",
      "assistant: Hello.",
      "user: echo on",
    ]);
  });

  test("a fork goes its own way, and leaves the first session as it was", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newestSdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo one" });
    await session.sendAndWait({ prompt: "echo two" });
    const toEventId = promptIn(await session.getEvents(), "echo two");
    const fork = await client.rpc.sessions.fork({ sessionId: session.sessionId, toEventId, name: "Other" });
    expect(fork.name).toBe("Other");
    const other = await client.resumeSession(fork.sessionId, world.session(new SeenEvents()));
    await other.sendAndWait({ prompt: "echo else" });
    expect(toldToModel(world.model.requests.at(-1))).toEqual([
      "user: echo one",
      "assistant: one",
      "user: echo else",
    ]);
    await session.sendAndWait({ prompt: "echo three" });
    expect(toldToModel(world.model.requests.at(-1)).slice(-3)).toEqual([
      "user: echo two",
      "assistant: two",
      "user: echo three",
    ]);
  });

  test("the log is read in pages, from its beginning and from where one stopped", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newestSdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    await session.sendAndWait({ prompt: "echo one" });
    const read: string[] = [];
    let cursor: string | undefined;
    for (let more = true; more; ) {
      const page = await session.rpc.eventLog.read({ max: 2, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.events.length).toBeLessThanOrEqual(2);
      read.push(...page.events.map(({ id }) => id));
      ({ cursor, hasMore: more } = page);
    }
    expect(read).toEqual((await session.getEvents()).map(({ id }) => id));
    const waiting = session.rpc.eventLog.read({
      cursor: cursor ?? "",
      waitMs: 10_000,
      types: ["user.message"],
    });
    await session.sendAndWait({ prompt: "echo two" });
    expect((await waiting).events).toMatchObject([{ data: { content: "echo two" } }]);
  });
});
