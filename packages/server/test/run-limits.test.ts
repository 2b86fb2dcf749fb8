/** A run whose model would go on for ever is ended, its client told why, and the session goes on. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, type ScriptedReply, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
const config = () => join(home.path, "rightseat.json");
const limit = (limits: object) => writeFile(config(), JSON.stringify({ limits: { default: limits } }));

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  await limit({});
  server = await startServer(home.path, { flags: ["--config", config()] });
});
beforeEach(async () => {
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function create(): Promise<string> {
  const { sessionId } = await client.request("session.create", {
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  });
  await client.request("session.permissions.setApproveAll", { sessionId, enabled: true });
  return sessionId;
}

interface RunError {
  readonly message: string;
  readonly errorCode?: string;
}

/** Answers each request of the run by its number, from 0. */
async function run(
  script: (turn: number) => ScriptedReply,
): Promise<{ error: RunError | undefined; requests: number }> {
  const sessionId = await create();
  const before = model.requests.length;
  model.use((_, index) => script(index));
  await client.ask(sessionId, "go").catch(() => undefined);
  const error = client.of(sessionId).find((event) => event.type === "session.error")?.data as
    | RunError
    | undefined;
  const requests = model.requests.length - before;
  model.use(undefined);
  expect(await client.ask(sessionId, "echo again")).toBe("again");
  return { error, requests };
}

const call = (turn: number, name: string, args: unknown): ScriptedReply => ({
  toolCalls: [{ id: `c${turn}`, name, arguments: args }],
});
const missing = (turn: number) => call(turn, "view", { path: "nowhere" });
const other = (turn: number) => call(turn, "no_such_tool", {});
const working = (turn: number) => call(turn, "list_bash", {});

describe("a call that fails the same way again and again", () => {
  test("ends the run after as many as may be by default", async () => {
    const { error, requests } = await run(missing);
    expect(error).toMatchObject({ errorCode: "limit_exceeded" });
    expect(error?.message).toContain("called 'view' 20 times with the same arguments");
    expect(error?.message).toContain("identicalFailures");
    expect(requests).toBe(20);
  });

  test("is counted over others that fail, and once for each answer", async () => {
    const { error, requests } = await run((turn) => (turn % 2 ? missing(turn) : other(turn)));
    expect(error?.message).toContain("called 'no_such_tool' 20 times");
    expect(requests).toBe(39);
    const twice = await run((turn) => ({
      toolCalls: [1, 2].map((at) => ({ id: `${turn}-${at}`, name: "no_such_tool", arguments: {} })),
    }));
    expect(twice.requests).toBe(20);
  });

  test("is counted anew when another call succeeds in between", async () => {
    const { error, requests } = await run((turn) =>
      turn === 60 ? { text: "done" } : turn % 3 ? missing(turn) : working(turn),
    );
    expect(error).toBeUndefined();
    expect(requests).toBe(61);
  });

  test("is not counted when the arguments differ", async () => {
    const { error } = await run((turn) =>
      turn === 40 ? { text: "done" } : call(turn, "view", { path: `nowhere/${turn}` }),
    );
    expect(error).toBeUndefined();
  });
});

describe("limits that the operator sets", () => {
  test("end a run after so many turns, and so many failures; with the next prompt too", async () => {
    await limit({ turnsPerRun: 5, identicalFailures: 3 });
    server.reload();
    const turns = await run((turn) => call(turn, "view", { path: `nowhere/${turn}` }));
    expect(turns.error).toMatchObject({ errorCode: "limit_exceeded" });
    expect(turns.error?.message).toContain("ended after 5 turns, the most that one may have (turnsPerRun)");
    expect(turns.requests).toBe(5);
    expect((await run(missing)).error?.message).toContain("3 times");
  });

  test("end the work of a sub-agent, and the one that gave the task reads why", async () => {
    await limit({ turnsPerRun: 5, identicalFailures: 3 });
    server.reload();
    const sessionId = await create();
    let turns = 0;
    model.use(({ body }) => {
      const messages = body["messages"] as { role: string; content: string }[];
      const isMain = messages.some(
        ({ role, content }) => role === "user" && content.includes("delegate this"),
      );
      if (!isMain) return missing(turns++);
      if (messages.at(-1)?.role === "tool") return { text: "done" };
      return call(1000, "task", { agent_type: "explore", description: "x", prompt: "look", mode: "sync" });
    });
    expect(await client.ask(sessionId, "delegate this")).toBe("done");
    const complete = client
      .of(sessionId)
      .find((event) => event.type === "tool.execution_complete" && event.data.toolCallId === "c1000");
    expect(JSON.stringify(complete?.data)).toContain("identicalFailures");
    expect(turns).toBe(3);
  });
});
