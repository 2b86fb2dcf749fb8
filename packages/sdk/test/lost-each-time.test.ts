/** Calls over connections that can be made, and are lost each time before the answer: they end after `giveUpAfterMs`. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CopilotClient, type CopilotSession, RuntimeConnection } from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
let client: CopilotClient;
let relay: Relay;
beforeEach(async () => {
  world = await startWorld();
  relay = await startRelay(world.proxy.port);
  const connection = RuntimeConnection.forUri(`127.0.0.1:${relay.port}`);
  const reconnect = { initialDelayMs: 1, maxDelayMs: 5, giveUpAfterMs: 100 };
  client = new CopilotClient({ connection, reconnect, onWarning: () => undefined });
});
afterEach(async () => {
  await client.forceStop();
  relay.close();
  await world[Symbol.asyncDispose]();
});

const config = (more = {}) => witness(world.model, more).config;

interface Relay {
  readonly port: number;
  /** Whoever sends this is cut off. */
  fatal: string | undefined;
  close(): void;
}

async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) sockets.add(socket.on("error", cut).on("close", cut));
    client.on("data", (chunk) => {
      if (relay.fatal !== undefined && chunk.includes(`"${relay.fatal}"`)) cut();
      else upstream.write(chunk);
    });
    upstream.pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay: Relay = {
    port: (server.address() as AddressInfo).port,
    fatal: undefined,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return relay;
}

type Act = (session: CopilotSession) => Promise<unknown>;
const ACTS: readonly [method: string, act: Act][] = [
  ["session.list", () => client.listSessions()],
  ["session.create", () => client.createSession(config())],
  ["session.create", () => client.createSession(config({ sessionId: "another" }))],
  ["session.resume", ({ sessionId }) => client.resumeSession(sessionId, config())],
  ["session.delete", ({ sessionId }) => client.deleteSession(sessionId)],
  ["session.send", (session) => session.send("echo sent")],
  ["session.send", (session) => session.sendAndWait("echo waited", Number.POSITIVE_INFINITY)],
  ["session.getMessages", (session) => session.getEvents()],
  ["session.abort", (session) => session.abort()],
];

test.each(ACTS)("%s rejects, and the next call is carried out", async (method, act) => {
  const session = await client.createSession(config());
  relay.fatal = method;
  await expect(act(session)).rejects.toMatchObject({ name: "ConnectionError", maybeDone: true });
  relay.fatal = undefined;
  expect((await client.listSessions()).map(({ sessionId }) => sessionId)).toContain(session.sessionId);
  expect((await session.sendAndWait("echo after"))?.data.content).toBe("after");
});

test("calls and waits reject when no address says anything any more, however long one may be silent", async () => {
  const session = await client.createSession(config());
  const waiting = session.sendAndWait("echo", Number.POSITIVE_INFINITY).catch((error: Error) => error);
  await waiting;
  world.proxy.freeze();
  relay.fatal = "session.list";
  const reading = session.events().next();
  await expect(client.listSessions()).rejects.toThrow(
    `Timeout after 100ms waiting for 127.0.0.1:${relay.port}`,
  );
  await expect(reading).rejects.toThrow(`Timeout after 100ms waiting for 127.0.0.1:${relay.port}`);
  world.proxy.thaw();
  relay.fatal = undefined;
  expect((await session.sendAndWait("echo after"))?.data.content).toBe("after");
});
