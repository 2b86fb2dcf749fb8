/** What a node announces of its sessions, in the order in which it happens. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { AnnouncementKind, AnnouncementMap } from "../src/announcements/announcements.ts";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import { overriding } from "./support/overriding.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const KINDS = [
  "session-made",
  "session-opened",
  "session-ended",
  "session-deleted",
  "question-opened",
  "question-closed",
  "run-begun",
  "run-ended",
  "failure",
  "node-stopping",
] satisfies AnnouncementKind[];

const lookup = { name: "lookup", parameters: { type: "object" }, skipPermission: true };

/** Notes what is announced, with the fields that differ from run to run left out. */
function listen(server: TestServer) {
  const told: [AnnouncementKind, object][] = [];
  const watchers = new Set<() => void>();
  const note =
    <K extends AnnouncementKind>(kind: K) =>
    (announcement: AnnouncementMap[K]) => {
      const { key, messageId, requestId, durationMs, error, ...rest } = announcement as Record<
        string,
        unknown
      >;
      told.push([kind, key ? { of: (key as { sessionId: string }).sessionId, ...rest } : rest]);
      for (const watcher of watchers) watcher();
    };
  const end = server.announcements.subscribe(Object.fromEntries(KINDS.map((kind) => [kind, note(kind)])));
  return {
    told,
    end,
    until: (kind: AnnouncementKind) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!told.some(([known]) => known === kind)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
  };
}

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

function create(sessionId: string, through = client) {
  return through.request("session.create", {
    sessionId,
    model: "scripted",
    tools: [lookup],
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  });
}

test("a session is announced from its making to its deletion, with its runs and questions", async () => {
  const { told, end } = listen(server);
  await create("whole");
  model.use([{ toolCalls: [{ name: "lookup", arguments: "{}" }] }, { text: "done" }]);
  const answer = client.ask("whole", "look");
  const { requestId } = (await client.event("whole", "external_tool.requested")).data;
  const result = { textResultForLlm: "it", resultType: "success" };
  await client.request("session.tools.handlePendingToolCall", { sessionId: "whole", requestId, result });
  expect(await answer).toBe("done");
  await client.request("session.delete", { sessionId: "whole" });
  end();
  const of = "whole";
  expect(told).toEqual([
    ["session-opened", { of }],
    ["session-made", { of }],
    ["run-begun", { of }],
    ["question-opened", { of, kind: "external-tool" }],
    ["question-closed", { of, kind: "external-tool", outcome: "answered" }],
    ["run-ended", { of, outcome: "done" }],
    ["session-ended", { of, how: "deleted" }],
    ["session-deleted", { of }],
  ]);
});

test("a session that its last client leaves during a question ends with its question cancelled and its run suspended", async () => {
  await create("left");
  model.use([{ toolCalls: [{ name: "lookup", arguments: "{}" }] }]);
  const { told, until, end } = listen(server);
  await client.request("session.send", { sessionId: "left", prompt: "look" });
  await client.event("left", "external_tool.requested");
  await client.request("session.shutdown", { sessionId: "left" });
  await until("session-ended");
  end();
  const of = "left";
  expect(told).toEqual([
    ["run-begun", { of }],
    ["question-opened", { of, kind: "external-tool" }],
    ["question-closed", { of, kind: "external-tool", outcome: "cancelled" }],
    ["run-ended", { of, outcome: "suspended" }],
    ["session-ended", { of, how: "closed" }],
  ]);
});

test("a session that is resumed is opened, and made no more", async () => {
  await create("again");
  await client.request("session.shutdown", { sessionId: "again" });
  const { told, end } = listen(server);
  await client.request("session.resume", { sessionId: "again" });
  end();
  expect(told).toEqual([["session-opened", { of: "again" }]]);
});

test("a log that cannot be written is a failure of its session, and a node that ends says so first", async () => {
  const memory = createMemoryStore();
  let fails = false;
  const log = overriding(memory.log, {
    append: (...args) => {
      if (!fails) return memory.log.append(...args);
      fails = false;
      return Promise.reject(new Error("no space"));
    },
  });
  const failing = await startServer(home.path, { store: { ...memory, log } });
  const other = await failing.connect();
  await create("stuck", other);
  const { told } = listen(failing);
  fails = true;
  const refused = other.request("session.name.set", { sessionId: "stuck", name: "x" });
  await expect(refused).rejects.toThrow("no space");
  await failing.shutdown();
  expect(told).toEqual([
    ["failure", { of: "stuck", what: "store" }],
    ["node-stopping", {}],
    ["session-ended", { of: "stuck", how: "closed" }],
  ]);
});
