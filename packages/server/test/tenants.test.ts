/**
 * Two tenants on one server, with the same session ids: whatever one does, with whatever it knows, the
 * other's sessions are not there for it, and nothing of them reaches it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { createMethods } from "../src/methods/index.ts";
import { pick, seeded } from "./support/random.ts";
import { startServer, tempHome } from "./support/servers.ts";
import { validParams } from "./support/valid-params.ts";
import type { WireClient } from "./support/wire-client.ts";

const SEED = Number(process.env.RIGHTSEAT_TENANTS_SEED ?? 11);
const OPERATIONS = Number(process.env.RIGHTSEAT_TENANTS_OPERATIONS ?? 250);

const METHODS = Object.keys(createMethods({ registry: {}, runs: {} } as never)).filter(
  (method) => method !== "runtime.shutdown",
);

interface Tenant {
  readonly name: string;
  /** In every text that it sends, and in no other's. */
  readonly mark: string;
  readonly directory: string;
  readonly connect: () => Promise<{ client: WireClient; received: () => string }>;
}

async function world(home: string) {
  const names = ["acme", "globex"];
  const tokens = names.map(() => createToken());
  const principals = names.map((name, n) => ({
    name,
    tenant: name,
    tokens: [{ sha256: tokens[n]?.sha256 }],
  }));
  const file = join(home, "rightseat.json");
  await writeFile(file, JSON.stringify({ auth: { principals } }));
  const server = await startServer(home, {
    flags: ["--demo", "--durability", "os", "--config", file],
    // GitHub is asked about tokens that come up, and nobody is there.
    env: {
      PATH: process.env.PATH ?? "",
      COPILOT_DEBUG_GITHUB_API_URL: "http://127.0.0.1:1",
      COPILOT_ALLOW_GET_PROVIDER_ENDPOINT: "true",
    },
  });
  const tenants: Tenant[] = [];
  for (const [n, name] of names.entries()) {
    const mark = `belongs-to-${name}`;
    const directory = join(home, "..", `work-${mark}`);
    await mkdir(directory);
    const connect = async () => {
      const client = await server.connect();
      const chunks: Buffer[] = [];
      client.stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      // Nobody is behind these clients; what they are asked is never answered.
      for (const method of ["userInput.request", "hooks.invoke", "systemMessage.transform"])
        client.answers.set(method, () => new Promise(() => undefined));
      await client.request("connect", { token: tokens[n]?.token });
      return { client, received: () => Buffer.concat(chunks).toString("utf8") };
    };
    tenants.push({ name, mark, directory, connect });
  }
  const [acme, globex] = tenants as [Tenant, Tenant];
  return { server, acme, globex, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Ids that anybody has seen: a stranger may have learnt of them somehow. */
class KnownIds {
  readonly #ids: string[] = ["0"];

  learn(value: unknown, key = ""): void {
    if (typeof value === "string") {
      if (/(id|handle)$/i.test(key) && value !== "" && this.#ids.length < 5_000) this.#ids.push(value);
    } else if (Array.isArray(value)) {
      for (const item of value) this.learn(item, key);
    } else if (value !== null && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) this.learn(inner, name);
    }
  }

  any(random: () => number): string {
    return pick(random, this.#ids);
  }
}

/** Calls that make sense of themselves: with texts of the tenant, and ids of anybody. */
function operationsOf(tenant: Tenant, random: () => number, known: KnownIds) {
  let count = 0;
  const text = () => `${tenant.mark}-${count++}`;
  const valueFor = (name: string): unknown => {
    if (/^(id|requestId|eventId|processId|toolCallId|handle|messageId|taskId)$/.test(name))
      return known.any(random);
    const values: Record<string, () => unknown> = {
      command: () => `echo ${text()}`,
      prompt: () => `echo ${text()}`,
      messages: () => [{ prompt: `echo ${text()}` }],
      workingDirectory: () => tenant.directory,
      modelId: () => "demo",
      path: () => `${text()}.txt`,
    };
    return values[name]?.();
  };
  const make = { random, text, valueFor };
  return {
    text,
    params: (method: string, sessionId: string) => {
      const more: Record<string, Record<string, unknown>> = {
        "session.create": { model: "demo", workingDirectory: tenant.directory, clientName: text() },
        "session.resume": { model: "demo", workingDirectory: tenant.directory },
        "session.metadata.updateClientMetadata": { metadata: { note: text() } },
        "session.eventLog.read": { waitMs: 0 },
        "session.list": {},
      };
      return validParams(method, { sessionId, ...more[method] }, make);
    },
  };
}

const answerOf = (promise: Promise<unknown>) =>
  promise.then(
    (result) => ({ result }),
    ({ code, message, data }) => ({ error: { code, message, data } }),
  );

/** Everything that its tenant can see of these sessions. */
async function everythingOf(client: WireClient, sessionIds: readonly string[]) {
  const sessions = await Promise.all(
    sessionIds.map(async (sessionId) => [
      await answerOf(client.request("session.getMetadata", { sessionId })),
      await answerOf(client.request("session.getMessages", { sessionId })),
      await answerOf(client.request("session.metadata.snapshot", { sessionId })),
      await answerOf(client.request("session.queue.pendingItems", { sessionId })),
      await answerOf(client.request("session.plan.read", { sessionId })),
      await answerOf(client.request("session.workspaces.listFiles", { sessionId })),
    ]),
  );
  return { list: await client.request("session.list"), sessions };
}

describe("a session of another tenant", () => {
  test("is answered about by every method as one that is nowhere, and is left as it was", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const [owner, stranger] = [await w.acme.connect(), await w.globex.connect()];
    const random = seeded(SEED);
    const known = new KnownIds();
    const [theirs, nowhere] = ["theirs-0000", "nowhere-000"];
    await owner.client.request("session.create", {
      sessionId: theirs,
      model: "demo",
      workingDirectory: w.acme.directory,
    });
    await owner.client.ask(theirs, `echo ${w.acme.mark}`);
    known.learn(owner.client.of(theirs));
    const before = await everythingOf(owner.client, [theirs]);
    const heard = owner.client.of(theirs).length;
    const operations = operationsOf(w.globex, random, known);
    const WITHOUT_REFUSAL = new Set([
      ...["session.delete", "session.destroy", "session.detach", "session.getMetadata"],
      ...["session.getForeground", "session.setForeground"],
    ]);
    // These make a session of their own under the id; and these do not look at any.
    const others = ["session.create", "session.list", "session.getLastId", "ping", "status.get"];
    for (const method of METHODS.filter((name) => !others.includes(name))) {
      const params = operations.params(method, theirs);
      const about = await answerOf(stranger.client.request(method, params));
      const none = await answerOf(
        stranger.client.request(method, JSON.parse(JSON.stringify(params).replaceAll(theirs, nowhere))),
      );
      const reason = "error" in about ? about.error.data?.reason : "none";
      if (method.startsWith("session.") && !WITHOUT_REFUSAL.has(method))
        expect([method, reason]).toEqual([method, "session_not_found"]);
      expect([method, JSON.parse(JSON.stringify(about).replaceAll(theirs, nowhere))]).toEqual([method, none]);
    }
    expect((await stranger.client.request("session.list")).sessions).toEqual([]);
    expect(await stranger.client.request("session.getLastId")).toEqual({});
    expect(stranger.received()).not.toContain(w.acme.mark);
    expect(stranger.client.events.size + stranger.client.lifecycle.length).toBe(0);
    expect(await everythingOf(owner.client, [theirs])).toEqual(before);
    expect(owner.client.of(theirs)).toHaveLength(heard);
    await Promise.all([owner.client.close(), stranger.client.close()]);
  });
});

describe("two tenants with the same session ids", () => {
  const SHARED = ["s-0", "s-1", "s-2", "s-3"];
  /** What a tenant mostly does; everything else comes up as well. */
  const USUAL = ["session.create", "session.resume", "session.send", "session.send", "session.getMessages"];

  async function act(
    tenant: Tenant,
    client: WireClient,
    { random, known, count }: { random: () => number; known: KnownIds; count: number },
  ): Promise<void> {
    const operations = operationsOf(tenant, random, known);
    for (let n = 0; n < count; n += 1) {
      const method = random() < 0.4 ? pick(random, USUAL) : pick(random, METHODS);
      const params = operations.params(method, pick(random, SHARED));
      const answered = answerOf(client.request(method, params)).then((answer) => known.learn(answer));
      // Some wait for somebody to answer a question, who never does.
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 20))]);
      known.learn(client.events.get(params.sessionId as string)?.slice(-5));
    }
  }

  test(`at the same time, over several connections: neither is sent a word of the other's (seed ${SEED})`, async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const known = new KnownIds();
    const busy = [w.acme, w.acme, w.acme, w.globex, w.globex, w.globex].map(async (tenant, n) => {
      const { client, received } = await tenant.connect();
      await act(tenant, client, { random: seeded(SEED * 100 + n), known, count: OPERATIONS });
      return { tenant, client, received };
    });
    const ends = await Promise.all(busy);
    for (const { tenant, client, received } of ends) {
      const all = received();
      const other = tenant === w.acme ? w.globex : w.acme;
      // What was seen is its own; of the other's nothing.
      expect(all).toContain(tenant.mark);
      expect(all).not.toContain(other.mark);
      await client.close();
    }
    expect(w.server.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  test(`in turn: what one does changes nothing of the other's (seed ${SEED})`, async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const known = new KnownIds();
    const random = seeded(SEED);
    for (const [quiet, busy] of [
      [w.acme, w.globex],
      [w.globex, w.acme],
    ] as const) {
      const watching = await quiet.connect();
      for (const sessionId of SHARED.slice(0, 3)) {
        await watching.client.request("session.delete", { sessionId });
        await watching.client.request("session.create", {
          sessionId,
          model: "demo",
          workingDirectory: quiet.directory,
        });
        await watching.client.ask(sessionId, `echo ${quiet.mark}`);
        known.learn(watching.client.of(sessionId));
      }
      const before = await everythingOf(watching.client, SHARED);
      const heard = watching.received().length;
      const acting = await busy.connect();
      await act(busy, acting.client, { random, known, count: OPERATIONS });
      await acting.client.close();
      await watching.client.request("ping");
      const notifications =
        watching
          .received()
          .slice(heard)
          .match(/"method"/g) ?? [];
      expect(notifications).toHaveLength(0);
      expect(await everythingOf(watching.client, SHARED)).toEqual(before);
      // What the other left open is closed before it is its turn to be quiet.
      await watching.client.close();
    }
  });
});
