/** Conversations taken back, begun anew, and copied; and what is left of them after a crash. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type RecordedModelRequest,
  type ScriptedModelServer,
  startScriptedModelServer,
  withoutTime,
} from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import { directoryOf, type StoreKind } from "./support/stores.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

interface World extends AsyncDisposable {
  readonly home: TempHome;
  readonly model: ScriptedModelServer;
  readonly client: WireClient;
  readonly params: object;
  /** Ends the server and starts it again on the same home; sessions have to be resumed. */
  restart(): Promise<WireClient>;
}

async function world(storeKind?: StoreKind): Promise<World> {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  let server: TestServer = await startServer(home.path, { storeKind });
  let client = await server.connect();
  const params = {
    model: "scripted",
    availableTools: ["custom:*"],
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  };
  const stop = async () => {
    await client.close();
    await server.shutdown();
    expect(server.log.filter((line) => line.level === "error")).toEqual([]);
  };
  return {
    home,
    model,
    params,
    get client() {
      return client;
    },
    restart: async () => {
      await stop();
      server = await startServer(home.path, { storeKind });
      client = await server.connect();
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const history = async (client: WireClient, sessionId: string): Promise<WireEvent[]> =>
  (await client.request("session.getMessages", { sessionId })).events;
const said = (events: WireEvent[]) =>
  events
    .filter(({ type }) => type === "user.message" || type === "assistant.message")
    .map(({ data }) => data.content as string);
const prompt = (events: WireEvent[], content: string) =>
  events.find(({ type, data }) => type === "user.message" && data.content === content)?.id as string;
const told = (request: RecordedModelRequest | undefined) =>
  ((request?.body.messages ?? []) as { role: string; content: string }[])
    .filter(({ role }) => role !== "system")
    .map(({ content }) => withoutTime(content));
const isWholeChain = (events: WireEvent[]) =>
  events.every((event, index) => event.parentId === (events[index - 1]?.id ?? null));

async function conversation(
  client: WireClient,
  params: object,
  sessionId: string,
  words: string[],
): Promise<void> {
  await client.request("session.create", { ...params, sessionId });
  for (const word of words) await client.ask(sessionId, `echo ${word}`);
}

describe("session.history.truncate", () => {
  test("takes an event and all after it back: of the history, the model's context, and every later start", async () => {
    await using w = await world("files");
    await conversation(w.client, w.params, "s", ["one", "two", "three"]);
    const before = await history(w.client, "s");
    const eventId = prompt(before, "echo two");
    const { eventsRemoved } = await w.client.request("session.history.truncate", { sessionId: "s", eventId });
    expect(eventsRemoved).toBe(before.length - before.findIndex(({ id }) => id === eventId));
    const rewind = await w.client.event("s", "session.snapshot_rewind");
    expect(rewind).toMatchObject({ ephemeral: true, data: { upToEventId: eventId, eventsRemoved } });
    expect(said(await history(w.client, "s"))).toEqual(["echo one", "one"]);
    await w.client.ask("s", "echo four");
    expect(told(w.model.requests.at(-1))).toEqual(["echo one", "one", "echo four"]);
    // What the turns cost is spent, whether they are remembered or not.
    const usage = await w.client.request("session.usage.getMetrics", { sessionId: "s" });
    expect(usage.modelMetrics.scripted.requests.count).toBe(4);
    for (const checkpoint of ["with", "without"]) {
      const client = await w.restart();
      if (checkpoint === "without")
        await rm(join(w.home.path, "session-state/s/checkpoint.json"), { force: true });
      await client.request("session.resume", { ...w.params, sessionId: "s" });
      const events = await history(client, "s");
      expect(said(events).slice(0, 4)).toEqual(["echo one", "one", "echo four", "four"]);
      expect(isWholeChain(events)).toBe(true);
      await client.ask("s", `echo ${checkpoint}`);
      expect(told(w.model.requests.at(-1)).slice(0, 4)).toEqual(["echo one", "one", "echo four", "four"]);
    }
  });

  test("again and again, further back and less far, leaves what was never taken back", async () => {
    await using w = await world("files");
    await conversation(w.client, w.params, "s", ["a", "b", "c", "d"]);
    const back = async (content: string) =>
      w.client.request("session.history.truncate", {
        sessionId: "s",
        eventId: prompt(await history(w.client, "s"), content),
      });
    await back("echo d");
    await w.client.ask("s", "echo e");
    await w.client.ask("s", "echo f");
    await back("echo f");
    await w.client.ask("s", "echo g");
    await back("echo b");
    await w.client.ask("s", "echo h");
    const expected = ["echo a", "a", "echo h", "h"];
    expect(said(await history(w.client, "s"))).toEqual(expected);
    expect(told(w.model.requests.at(-1))).toEqual(expected.slice(0, 3));
    const client = await w.restart();
    await rm(join(w.home.path, "session-state/s/checkpoint.json"), { force: true });
    await client.request("session.resume", { ...w.params, sessionId: "s" });
    expect(said(await history(client, "s"))).toEqual(expected);
    // Page by page, forwards and backwards, the same events are there.
    const all = (await history(client, "s")).map(({ id }) => id);
    for (const direction of ["forward", "backward"]) {
      const ids: string[] = [];
      let cursor: string | undefined;
      for (;;) {
        const page = await client.request("session.eventLog.read", {
          sessionId: "s",
          direction,
          max: 3,
          cursor,
        });
        const events = page.events.map((event: WireEvent) => event.id);
        if (direction === "forward") ids.push(...events);
        else ids.unshift(...events);
        cursor = page.cursor;
        if (!page.hasMore) break;
      }
      expect(ids).toEqual(all);
    }
  });

  test("in the middle of a run ends the tool calls that this leaves open", async () => {
    await using w = await world();
    const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
    await w.client.request("session.create", { ...w.params, sessionId: "s", tools: [tool] });
    await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
    const { data } = await w.client.event("s", "external_tool.requested");
    const rewind = async (eventId: string) =>
      w.client.request("session.history.truncate", { sessionId: "s", eventId });
    await expect(rewind("x")).rejects.toMatchObject({ data: { reason: "session_busy" } });
    const answer = { sessionId: "s", requestId: data.requestId, result: "found" };
    await w.client.request("session.tools.handlePendingToolCall", answer);
    await w.client.event("s", "session.idle");
    const result = (await history(w.client, "s")).find(({ type }) => type === "tool.execution_complete");
    await rewind(result?.id as string);
    await w.client.ask("s", "echo after");
    expect(told(w.model.requests.at(-1))).toEqual([
      "tool lookup 1",
      null,
      expect.stringContaining("interrupted"),
      "echo after",
    ]);
  });

  test("keeps names and modes, and takes the files of compactions away that are gone", async () => {
    await using w = await world();
    await conversation(w.client, w.params, "s", ["one"]);
    await w.client.request("session.history.compact", { sessionId: "s" });
    await w.client.ask("s", "echo two");
    w.model.use([{ text: "<overview>x</overview><checkpoint_title>Second</checkpoint_title>" }]);
    await w.client.request("session.history.compact", { sessionId: "s" });
    await w.client.request("session.name.set", { sessionId: "s", name: "Kept" });
    const eventId = prompt(await history(w.client, "s"), "echo two");
    await w.client.request("session.history.truncate", { sessionId: "s", eventId });
    expect(await w.client.request("session.name.get", { sessionId: "s" })).toEqual({ name: "Kept" });
    const files = await readdir(join(directoryOf(w.home.path, "s"), "checkpoints"));
    expect(files.sort()).toEqual(["001-compaction.md", "index.md"]);
    await w.client.ask("s", "echo three");
    expect(told(w.model.requests.at(-1))).toEqual([expect.stringContaining("echo one"), "echo three"]);
  });

  test("of an event that is not there, or not any more, is refused", async () => {
    await using w = await world();
    await conversation(w.client, w.params, "s", ["one", "two"]);
    const eventId = prompt(await history(w.client, "s"), "echo two");
    const rewind = (id: string) =>
      w.client.request("session.history.truncate", { sessionId: "s", eventId: id });
    await expect(rewind("nowhere")).rejects.toMatchObject({
      data: { reason: "event_not_found" },
      message: "Event nowhere not found in session s",
    });
    await rewind(eventId);
    await expect(rewind(eventId)).rejects.toMatchObject({ data: { reason: "event_not_found" } });
    const both = await Promise.allSettled(
      [1, 2].map(async () => rewind((await history(w.client, "s"))[0]?.id as string)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("session.history.rewind", () => {
  const request = (client: WireClient, method: string, more: object = {}) =>
    client.request(`session.history.${method}`, { sessionId: "s", ...more });

  /** A session that has created and edited a file, each in a turn of its own. */
  async function changedFiles(w: World, more: object = {}): Promise<string> {
    const cwd = await realpath(await mkdtemp(join(w.home.work, "cwd-")));
    const file = join(cwd, "a.txt");
    w.model.use((asked) => {
      const last = ((asked.body.messages ?? []) as { role: string; content: string }[]).at(-1);
      if (last?.role === "tool") return { text: "done" };
      const call = (name: string, args: object) => ({
        toolCalls: [{ name, arguments: { path: file, ...args } }],
      });
      if (last?.content.endsWith("create it")) return call("create", { file_text: "one\ntwo\n" });
      if (last?.content.endsWith("edit it")) return call("edit", { old_str: "one", new_str: "1\n1b" });
      return undefined;
    });
    await w.client.request("session.create", {
      ...w.params,
      sessionId: "s",
      workingDirectory: cwd,
      availableTools: ["create", "edit"],
      ...more,
    });
    w.client
      .until(() => {
        for (const event of w.client.of("s")) {
          if (event.type !== "permission.requested" || seen.has(event.id)) continue;
          seen.add(event.id);
          const result = { kind: "approve-once" };
          const params = { sessionId: "s", requestId: event.data.requestId, result };
          w.client
            .request("session.permissions.handlePendingPermissionRequest", params)
            .catch(() => undefined);
        }
        return false;
      })
      .catch(() => undefined);
    for (const prompt of ["create it", "edit it", "echo nothing"]) await w.client.ask("s", prompt);
    return file;
  }
  const seen = new Set<string>();

  test("lists the prompts, tells what files would be, and puts both back", async () => {
    await using w = await world();
    const file = await changedFiles(w, { enableFileChangeTracking: true });
    const { points, ...rest } = await request(w.client, "listRewindPoints");
    expect(rest).toEqual({ fileChangeTrackingEnabled: true });
    const common = {
      eventId: expect.any(String),
      timestamp: expect.any(String),
      isAutopilotContinuation: false,
    };
    expect(points).toEqual([
      {
        ...common,
        userMessage: "create it",
        canRestoreFiles: true,
        fileCount: 1,
        turnChangedFiles: true,
        linesAdded: 2,
        linesRemoved: 0,
      },
      {
        ...common,
        userMessage: "edit it",
        canRestoreFiles: true,
        fileCount: 1,
        turnChangedFiles: true,
        linesAdded: 2,
        linesRemoved: 1,
      },
      {
        ...common,
        userMessage: "echo nothing",
        canRestoreFiles: false,
        fileCount: 0,
        turnChangedFiles: false,
        linesAdded: 0,
        linesRemoved: 0,
      },
    ]);
    const usage = await w.client.request("session.usage.getMetrics", { sessionId: "s" });
    expect(usage.codeChanges).toEqual({
      linesAdded: 4,
      linesRemoved: 1,
      filesModified: [file],
      filesModifiedCount: 1,
    });
    const edit = { eventId: points[1].eventId };
    expect(await request(w.client, "previewRewind", edit)).toEqual({
      available: true,
      fileCount: 1,
      files: [{ path: file, changeType: "modified", linesAdded: 2, linesRemoved: 1 }],
    });
    // It is the log that knows: also after a restart.
    const client = await w.restart();
    await client.request("session.resume", { ...w.params, sessionId: "s" });
    const result = await request(client, "rewind", { ...edit, mode: "conversation-and-files" });
    expect(result).toMatchObject({ outcome: "success", restoredFiles: [file], skippedFiles: [] });
    expect(result.eventsRemoved).toBeGreaterThan(5);
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
    expect(said(await history(client, "s"))).toEqual(["create it", "", "done"]);
    const create = { eventId: points[0].eventId, mode: "conversation-and-files" };
    expect(await request(client, "rewind", create)).toMatchObject({ restoredFiles: [file] });
    await expect(readFile(file)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await request(client, "listRewindPoints")).toEqual({
      fileChangeTrackingEnabled: true,
      points: [],
    });
  });

  test("of the conversation alone leaves files, which a later one still puts back", async () => {
    await using w = await world();
    const file = await changedFiles(w, { enableFileChangeTracking: true });
    const { points } = await request(w.client, "listRewindPoints");
    const alone = await request(w.client, "rewind", { eventId: points[1].eventId, mode: "conversation" });
    expect(alone).toMatchObject({ outcome: "success", restoredFiles: [], skippedFiles: [] });
    expect(await readFile(file, "utf8")).toBe("1\n1b\ntwo\n");
    const all = { eventId: points[0].eventId, mode: "conversation-and-files" };
    expect(await request(w.client, "rewind", all)).toMatchObject({
      outcome: "success",
      restoredFiles: [file],
    });
    await expect(readFile(file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("leaves files that somebody else changed, and says so", async () => {
    await using w = await world();
    const file = await changedFiles(w, { enableFileChangeTracking: true });
    await writeFile(file, "mine now");
    const { points } = await request(w.client, "listRewindPoints");
    const all = { eventId: points[0].eventId, mode: "conversation-and-files" };
    expect(await request(w.client, "rewind", all)).toMatchObject({
      outcome: "success",
      restoredFiles: [],
      skippedFiles: [{ path: file, reason: "user-modified" }],
    });
    expect(await readFile(file, "utf8")).toBe("mine now");
  });

  test("has only conversations to put back where files are not tracked, and nothing while a run goes on", async () => {
    await using w = await world();
    const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
    await changedFiles(w, { tools: [tool], availableTools: ["create", "edit", "custom:*"] });
    const { points, fileChangeTrackingEnabled } = await request(w.client, "listRewindPoints");
    expect(fileChangeTrackingEnabled).toBe(false);
    expect(points.map((point: { fileCount: number }) => point.fileCount)).toEqual([0, 0, 0]);
    const last = { eventId: points[2].eventId };
    const off = "file-change-tracking-disabled";
    expect(await request(w.client, "previewRewind", last)).toEqual({
      available: false,
      reason: off,
      fileCount: 0,
      files: [],
    });
    const rewind = (mode: string) => request(w.client, "rewind", { ...last, mode });
    expect(await rewind("conversation-and-files")).toMatchObject({ outcome: off });
    await expect(
      request(w.client, "rewind", { eventId: "nowhere", mode: "conversation" }),
    ).rejects.toMatchObject({
      data: { reason: "event_not_found" },
    });
    await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
    await w.client.event("s", "external_tool.requested");
    expect(await rewind("conversation")).toMatchObject({ outcome: "session-busy" });
    await w.client.request("session.abort", { sessionId: "s" });
    expect(await rewind("conversation")).toMatchObject({ outcome: "success" });
  });
});

test("session.history.clearContext begins the conversation anew from inside a tool", async () => {
  await using w = await world();
  const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
  await w.client.request("session.create", { ...w.params, sessionId: "s", tools: [tool] });
  const clear = () =>
    w.client.request("session.history.clearContext", { sessionId: "s", prompt: "echo anew" });
  await expect(clear()).rejects.toMatchObject({ data: { reason: "session_idle" } });
  await w.client.ask("s", "echo one");
  await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
  const { data } = await w.client.event("s", "external_tool.requested");
  expect(await clear()).toEqual({ messagesCleared: 4 });
  const before = w.client.of("s").length;
  const answer = { sessionId: "s", requestId: data.requestId, result: "found" };
  await w.client.request("session.tools.handlePendingToolCall", answer);
  await w.client.event("s", "session.idle", before);
  expect(told(w.model.requests.at(-1))).toEqual(["echo anew"]);
  expect(w.model.requests).toHaveLength(3);
});

describe("sessions.fork", () => {
  test("copies a conversation, up to an event where one is named; each goes on by itself", async () => {
    await using w = await world();
    await conversation(w.client, w.params, "s", ["one", "two", "three"]);
    await w.client.request("session.plan.update", { sessionId: "s", content: "# Plan" });
    const events = await history(w.client, "s");
    await w.client.request("session.history.truncate", {
      sessionId: "s",
      eventId: prompt(events, "echo three"),
    });
    const whole = await w.client.request("sessions.fork", { sessionId: "s", name: "Other" });
    const part = await w.client.request("sessions.fork", {
      sessionId: "s",
      toEventId: prompt(events, "echo two"),
    });
    expect(whole).toMatchObject({ name: "Other" });
    expect(part).toMatchObject({ name: "echo one (fork)" });
    const created = w.client.lifecycle.filter(({ type }) => type === "session.created");
    expect(created.map(({ sessionId }) => sessionId)).toEqual(["s", whole.sessionId, part.sessionId]);
    for (const { sessionId } of [whole, part])
      await w.client.request("session.resume", { ...w.params, sessionId });
    const copied = await history(w.client, whole.sessionId);
    expect(said(copied)).toEqual(["echo one", "one", "echo two", "two"]);
    expect(copied[0]?.data.sessionId).toBe(whole.sessionId);
    expect(isWholeChain(copied)).toBe(true);
    expect(said(await history(w.client, part.sessionId))).toEqual(["echo one", "one"]);
    await w.client.ask(whole.sessionId, "echo four");
    expect(told(w.model.requests.at(-1))).toEqual(["echo one", "one", "echo two", "two", "echo four"]);
    expect(said(await history(w.client, "s"))).toEqual(["echo one", "one", "echo two", "two"]);
    expect((await w.client.request("session.plan.read", { sessionId: whole.sessionId })).content).toBe(
      "# Plan",
    );
    const usage = await w.client.request("session.usage.getMetrics", { sessionId: part.sessionId });
    expect(usage.modelMetrics).toEqual({});
  });

  test("takes a session that nobody has open, and of one that is busy what there is so far", async () => {
    await using w = await world();
    const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
    await w.client.request("session.create", { ...w.params, sessionId: "s", tools: [tool] });
    await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
    await w.client.event("s", "external_tool.requested");
    await w.client.request("session.send", { sessionId: "s", prompt: "echo waits" });
    const busy = await w.client.request("sessions.fork", { sessionId: "s" });
    await w.client.request("session.resume", { ...w.params, sessionId: busy.sessionId, tools: [tool] });
    expect(
      (await w.client.request("session.queue.pendingItems", { sessionId: busy.sessionId })).items,
    ).toEqual([]);
    await w.client.ask(busy.sessionId, "echo fork");
    expect(told(w.model.requests.at(-1))).toEqual([
      "tool lookup 1",
      null,
      expect.stringContaining("interrupted"),
      "echo fork",
    ]);
    await w.client.request("session.detach", { sessionId: busy.sessionId });
    const closed = await w.client.request("sessions.fork", { sessionId: busy.sessionId });
    await w.client.request("session.resume", { ...w.params, sessionId: closed.sessionId });
    expect(said(await history(w.client, closed.sessionId)).at(-1)).toBe("fork");
  });

  test("copies files and links of the session; pipes in its folders are left out", async () => {
    await using w = await world();
    await conversation(w.client, w.params, "s", ["one"]);
    const { path } = await w.client.request("session.workspaces.getWorkspace", { sessionId: "s" });
    await w.client.request("session.workspaces.createFile", { sessionId: "s", path: "a.txt", content: "a" });
    execFileSync("mkfifo", [join(path, "files", "pipe"), join(path, "plan.md")]);
    const { sessionId } = await w.client.request("sessions.fork", { sessionId: "s" });
    await w.client.request("session.resume", { ...w.params, sessionId });
    const fork = await w.client.request("session.workspaces.getWorkspace", { sessionId });
    expect(await readdir(join(fork.path, "files"))).toEqual(["a.txt"]);
    expect(await w.client.request("session.plan.read", { sessionId })).toMatchObject({ exists: false });
  });

  test("of nothing, or up to an event that is not there, is refused and leaves nothing behind", async () => {
    await using w = await world();
    await conversation(w.client, w.params, "s", ["one"]);
    const fork = (params: object) => w.client.request("sessions.fork", params);
    await expect(fork({ sessionId: "nowhere" })).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
    await expect(fork({ sessionId: "s", toEventId: "nowhere" })).rejects.toMatchObject({
      data: { reason: "event_not_found" },
    });
    expect((await w.client.request("session.list")).sessions).toHaveLength(1);
  });
});

test("a rewind that was answered survives kill -9", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  const params = { model: "scripted", provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" } };
  const first = await spawnServer(home.path, ["--log-level", "error"]);
  const client = await first.connect();
  await conversation(client, params, "s", ["one", "two"]);
  // Without a checkpoint beside it the record in the log is all that there is.
  await writeFile(join(home.path, "session-state/s/checkpoint.json"), "{");
  const eventId = prompt(await history(client, "s"), "echo two");
  await client.request("session.history.truncate", { sessionId: "s", eventId });
  await first.kill("SIGKILL");
  await client.ended;
  await rm(join(home.path, "session-state/s/checkpoint.json"), { force: true });
  const second = await spawnServer(home.path, ["--log-level", "error"]);
  const again = await second.connect();
  await again.request("session.resume", { ...params, sessionId: "s" });
  expect(said(await history(again, "s"))).toEqual(["echo one", "one"]);
  await again.close();
  expect(await second.kill("SIGTERM")).toBe(0);
});
