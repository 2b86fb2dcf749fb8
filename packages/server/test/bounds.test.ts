/** Whatever comes in has an end: a session that is sent too much says so by name, and goes on. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
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

async function create(more: object = {}): Promise<string> {
  const { sessionId } = await client.request("session.create", {
    sessionId: `bounds-${next++}`,
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" },
    ...more,
  });
  return sessionId;
}

const eventsOf = (sessionId: string, type: string) =>
  client.of(sessionId).filter((event) => event.type === type);

describe("arguments of a tool call that are nested too deep", () => {
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

  test.each([101, 2_000, 20_000])("are told to the model, and the session goes on (%i)", async (depth) => {
    const sessionId = await create();
    model.use([{ toolCalls: [{ id: "c", name: "view", arguments: deep(depth) }] }, { text: "done" }]);
    expect(await client.ask(sessionId, "go")).toBe("done");
    const [complete] = eventsOf(sessionId, "tool.execution_complete");
    expect(complete?.data).toMatchObject({ success: false, error: { code: "invalid_arguments" } });
    expect(complete?.data.error.message).toContain("nested more than 100 deep");
    model.use(undefined);
    expect(await client.ask(sessionId, "echo again")).toBe("again");
  });

  test("reach the tool while they are not", async () => {
    const sessionId = await create();
    model.use([{ toolCalls: [{ id: "c", name: "view", arguments: deep(100) }] }, { text: "done" }]);
    expect(await client.ask(sessionId, "go")).toBe("done");
    expect(eventsOf(sessionId, "tool.execution_complete")[0]?.data.error.message).not.toContain("nested");
  });
});

describe("a message of a client that is nested too deep", () => {
  test("is refused to the request that it is, and the connection goes on", async () => {
    let nested: unknown = 1;
    for (let depth = 0; depth < 128; depth += 1) nested = [nested];
    await expect(client.request("ping", { message: "m", nested })).rejects.toMatchObject({
      code: -32600,
      data: { reason: "invalid_request", limit: "depth", max: 128 },
    });
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
  });
});
