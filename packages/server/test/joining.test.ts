/** Clients that come to one session at the same time: none undoes what another brought. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { seeded } from "./support/random.ts";
import { startServer, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const ROUNDS = Number(process.env.RIGHTSEAT_JOIN_ROUNDS ?? 200);

/** All rounds of a machine that is busy with other tests. */
const TIMEOUT_MS = 60_000;

const POLICY = { permissions: { disableBypassPermissionsMode: "disable", deny: ["Write"] } };
const AGENT = { name: "reviewer", prompt: "Review." };
const PROVIDERS = {
  providers: [{ name: "own", type: "openai", baseUrl: "http://127.0.0.1:9/v1" }],
  models: [{ provider: "own", id: "m" }],
};

/** A session that nobody is attached to. */
async function leave(client: WireClient, sessionId: string) {
  await client.request("session.create", { sessionId, model: "demo" });
  await client.request("session.detach", { sessionId });
}

test("with allowAll a new session allows everything, but not one whose policy forbids it, nor an older one", async () => {
  await using home = await tempHome();
  const older = await startServer(home.path, { flags: ["--demo"] });
  const first = await older.connect();
  await leave(first, "older");
  await first.close();
  await older.shutdown();
  await using server = await startServer(home.path, { flags: ["--demo", "--yolo"] });
  const client = await server.connect();
  const modeOf = async (sessionId: string) =>
    (await client.request("session.permissions.getMode", { sessionId })).mode;
  await client.request("session.create", { sessionId: "new" });
  await client.request("session.create", { sessionId: "managed", managedSettings: POLICY });
  await client.request("session.resume", { sessionId: "older" });
  expect([await modeOf("new"), await modeOf("managed"), await modeOf("older")]).toEqual([
    "allow-all",
    "manual",
    "manual",
  ]);
  await client.close();
});

async function whatHolds(client: WireClient, sessionId: string) {
  const { agents } = await client.request("session.agent.list", { sessionId });
  const bypass = await client
    .request("session.permissions.setApproveAll", { sessionId, enabled: true })
    .catch((error) => error.data.reason);
  const again = await client
    .request("session.provider.add", { sessionId, ...PROVIDERS })
    .catch((error) => error.data.path);
  return { agents: agents.map(({ name }: { name: string }) => name), bypass, again };
}

async function withClients(run: (server: TestServer, clients: WireClient[]) => Promise<void>) {
  await using home = await tempHome();
  await using server = await startServer(home.path, { flags: ["--demo"] });
  const clients = [await server.connect(), await server.connect(), await server.connect()];
  await run(server, clients);
  await Promise.all(clients.map((client) => client.close()));
}

test("clients that resume a session at once all keep what they brought, and the strictest policy holds", {
  timeout: TIMEOUT_MS,
}, async () => {
  await withClients(async (_server, clients) => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = seeded(seed);
      const sessionId = `s${seed}`;
      const [first] = clients as [WireClient];
      await leave(first, sessionId);
      const brought = [
        { customAgents: [AGENT], managedSettings: POLICY },
        PROVIDERS,
        { managedSettings: {} },
      ];
      await Promise.all(
        clients.map(async (client, index) => {
          if (random() < 0.5) await sleep(Math.floor(random() * 3));
          const discovers = random() < 0.5 ? { enableConfigDiscovery: true } : {};
          await client.request("session.resume", {
            sessionId,
            model: "demo",
            ...discovers,
            ...brought[(index + seed) % brought.length],
          });
        }),
      );
      expect({ seed, ...(await whatHolds(first, sessionId)) }).toEqual({
        seed,
        agents: ["reviewer"],
        bypass: "denied_by_policy",
        again: "providers",
      });
      for (const client of clients) await client.request("session.detach", { sessionId });
    }
  });
});

test("a client that is refused takes nothing from those that come at the same time", async () => {
  await withClients(async (_server, clients) => {
    for (let seed = 1; seed <= ROUNDS / 4; seed++) {
      const random = seeded(seed);
      const sessionId = `s${seed}`;
      const [first, second] = clients as [WireClient, WireClient];
      await leave(first, sessionId);
      const refused = first.request("session.resume", { sessionId, model: "demo", agent: "nobody" });
      // It may be refused during the wait.
      refused.catch(() => undefined);
      if (random() < 0.5) await sleep(Math.floor(random() * 3));
      const resumed = second.request("session.resume", { sessionId, model: "demo", customAgents: [AGENT] });
      await expect(refused).rejects.toMatchObject({ data: { reason: "invalid_params" } });
      await resumed;
      const { agents } = await second.request("session.agent.list", { sessionId });
      expect(agents).toMatchObject([{ name: AGENT.name }]);
      await second.request("session.detach", { sessionId });
    }
  });
});

test("a create that is refused, since the session is there, takes it from nobody who resumes it", async () => {
  await withClients(async (_server, [one, two, three]) => {
    const [maker, ...others] = [one, two, three] as [WireClient, WireClient, WireClient];
    for (let round = 0; round < 40; round += 1) {
      const sessionId = `s${round}`;
      await leave(maker, sessionId);
      const making = maker.request("session.create", { sessionId, model: "demo" }).catch((error) => error);
      const coming: Promise<{ sessionId: string }>[] = [];
      for (const client of others) {
        await sleep(round % 4);
        coming.push(client.request("session.resume", { sessionId }));
      }
      expect((await Promise.all(coming)).map((joined) => joined.sessionId)).toEqual([sessionId, sessionId]);
      expect(await making).toMatchObject({ data: { reason: "session_exists" } });
    }
  });
});

test("a session that somebody looks for before it is there can be made, once", async () => {
  await withClients(async (_server, clients) => {
    const [first, second, third] = clients as [WireClient, WireClient, WireClient];
    for (let round = 0; round < 20; round++) {
      const sessionId = `new-${round}`;
      const looked = first.request("session.resume", { sessionId, model: "demo" }).catch(() => undefined);
      const made = await Promise.allSettled(
        [second, third].map((client) => client.request("session.create", { sessionId, model: "demo" })),
      );
      await looked;
      expect(made.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }
  });
});
