/** GitHub's list of models is down; its models are not. */
import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let model: ScriptedModelServer;
let front: Server;
let server: TestServer;
let client: WireClient;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  front = createServer((request, response) => {
    if (request.url?.endsWith("/models")) return response.writeHead(503).end("down");
    const { method, headers } = request;
    const onward = forward(`${model.url}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  server = await startServer(home.path, { env: { COPILOT_API_URL: url, COPILOT_GITHUB_TOKEN: "a-token" } });
  client = await server.connect();
});
afterAll(async () => {
  await client.close();
  await server.shutdown();
  front.closeAllConnections();
  front.close();
  await model.close();
  await home[Symbol.asyncDispose]();
});

/** Its own. */
const LIMITS = { promptTokenLimit: 0, outputTokenLimit: 0 };

test("a session with a model that it names holds its conversation, and tells its context", async () => {
  const { sessionId } = await client.request("session.create", { model: "gpt-5" });
  expect(await client.ask(sessionId, "echo hello")).toContain("hello");
  const { contextInfo } = await client.request("session.metadata.contextInfo", { sessionId, ...LIMITS });
  expect(contextInfo).toMatchObject({ modelName: "gpt-5", promptTokenLimit: expect.any(Number) });
});

test("a session that names none tells that there is nothing to tell of its context yet", async () => {
  const { sessionId } = await client.request("session.create", {});
  const ask = (what: string, more: object = {}) =>
    client.request(`session.metadata.${what}`, { sessionId, ...more });
  expect(await ask("contextInfo", LIMITS)).toEqual({ contextInfo: null });
  expect(await ask("getContextAttribution")).toEqual({ contextAttribution: null });
  expect(await ask("getContextHeaviestMessages")).toEqual({ totalTokens: 0, messages: [] });
});
