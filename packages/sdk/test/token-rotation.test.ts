/** Tokens that change: no client is locked out by how long a token, or a refusal, takes. */

import { startFaultProxy } from "@rightseat/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection } from "../src/index.ts";

let home: TempHome;
let server: TestServer;
const clients: CopilotClient[] = [];
beforeEach(async () => {
  home = await tempHome();
  server = await startServer(home.path, { flags: ["--demo"], env: { COPILOT_CONNECTION_TOKEN: "good" } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.forceStop()));
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

type Token = (context: { rejected: boolean }) => string | Promise<string>;
function connect(ports: readonly number[], connectionToken: string | Token, more = {}): CopilotClient {
  const client = new CopilotClient({
    connection: RuntimeConnection.forUris(
      ports.map((port) => `localhost:${port}`),
      { connectionToken },
    ),
    reconnect: { initialDelayMs: 1, maxDelayMs: 20 },
    ...more,
  });
  clients.push(client);
  return client;
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a token that takes longer to get than an address may be silent is waited for", async () => {
  const connectionToken = async () => {
    await pause(1000);
    return "good";
  };
  await connect([server.port, server.port], connectionToken).start();
});

test("a refusal that the server holds back is told to the token's function, with several addresses, too", async () => {
  const rotate: Token = ({ rejected }) => (rejected ? "good" : "old");
  const starting = Array.from({ length: 6 }, () => connect([server.port, server.port], rotate).start());
  await Promise.all(starting);
});

test("a new token that is refused while reconnecting is asked for again until it is the right one", async () => {
  const proxy = await startFaultProxy({ port: server.port, random: Math.random });
  let calls = 0;
  const client = connect([proxy.port], () => (++calls === 2 || calls === 3 ? "not yet" : "good"));
  const session = await client.createSession({});
  proxy.cutAll();
  expect((await session.sendAndWait("echo back"))?.data.content).toBe("back");
  expect(calls).toBeGreaterThanOrEqual(4);
  await client.stop();
  await proxy.close();
});

test("an address that refuses the token is no reason to give up on the one that is away", async () => {
  await using otherHome = await tempHome();
  const other = await startServer(otherHome.path, { env: { COPILOT_CONNECTION_TOKEN: "other" } });
  const proxy = await startFaultProxy({ port: server.port, random: Math.random });
  const client = connect([proxy.port, other.port], "good");
  const session = await client.createSession({});
  proxy.setRates({ refuse: 1 });
  const { accepted } = proxy;
  proxy.cutAll();
  const answered = session.sendAndWait("echo back");
  await proxy.until((now) => now.accepted > accepted + 1);
  proxy.setRates({});
  expect((await answered)?.data.content).toBe("back");
  await client.stop();
  await proxy.close();
  await other.shutdown();
});
