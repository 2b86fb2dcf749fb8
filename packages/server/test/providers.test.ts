/** Sessions with models whose providers are strict or odd: what they must not cost the session. */

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
    sessionId: `providers-${next++}`,
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" },
    ...more,
  });
  return sessionId;
}

describe("half a surrogate pair", () => {
  test("in a prompt reaches neither the model, nor clients, nor the list of sessions", async () => {
    const sessionId = await create();
    model.use(({ body }) => ({ text: isWellFormed(body) ? "whole" : "broken" }));
    expect(await client.ask(sessionId, "cut \ud83d")).toBe("whole");
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(isWellFormed(events)).toBe(true);
    expect(isWellFormed(client.of(sessionId))).toBe(true);
    const { sessions } = await client.request("session.list");
    const own = sessions.find((session: { sessionId: string }) => session.sessionId === sessionId);
    expect(own.summary).toBe("cut \ufffd");
  });

  test("is not made by the title that a session gets from a long prompt", async () => {
    const sessionId = await create();
    await client.ask(sessionId, `${"x".repeat(58)}😀😀`);
    const { sessions } = await client.request("session.list");
    const own = sessions.find((session: { sessionId: string }) => session.sessionId === sessionId);
    expect(own.summary).toBe(`${"x".repeat(58)}…`);
  });
});

function isWellFormed(value: unknown): boolean {
  return !/\\ud[89a-f]/.test(JSON.stringify(value));
}
