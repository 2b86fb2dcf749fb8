/** Access: who may connect, and what they may do: tokens, JSON Web Tokens, roles, tenants, TLS. */
import { randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { createCertificates } from "@rightseat/testing";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { createMethods } from "../src/methods/index.ts";
import { roleFor } from "../src/methods/roles.ts";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";
import { WireClient } from "./support/wire-client.ts";

const acmeUser = createToken();
const acmeObserver = createToken();
const globexUser = createToken();
const operator = createToken();
const expired = createToken();

function principals() {
  return [
    { name: "acme-api", tenant: "acme", role: "user", tokens: [{ sha256: acmeUser.sha256 }] },
    { name: "acme-board", tenant: "acme", role: "observer", tokens: [{ sha256: acmeObserver.sha256 }] },
    { name: "globex-api", tenant: "globex", tokens: [{ sha256: globexUser.sha256 }] },
    { name: "operator", tenant: "acme", role: "admin", tokens: [{ sha256: operator.sha256 }] },
    {
      name: "old",
      tenant: "acme",
      tokens: [{ sha256: expired.sha256, expires: "2020-01-01T00:00:00Z" }],
    },
  ];
}

/** How long failures wait, and how soon connections end, has tests of its own. */
const QUICK = { attemptDelays: { firstMs: 1, longestMs: 1 }, sweepMs: 50 };

async function serve(home: string, auth: unknown = { principals: principals() }) {
  const file = join(home, "rightseat.json");
  await writeFile(file, JSON.stringify({ auth }));
  const flags = ["--demo", "--durability", "os", "--config", file];
  const server = await startServer(home, { flags, pace: QUICK });
  const rewrite = async (changed: unknown) => {
    await writeFile(file, JSON.stringify({ auth: changed }));
    server.reload();
  };
  return { server, rewrite };
}

async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: { data?: { reason?: string } }) => error.data?.reason ?? String(error),
  );
}

describe("connection tokens", () => {
  test("each token brings its tenant and role; wrong, expired and missing ones are refused alike", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const client = await server.connect();
    const refusals = [];
    for (const token of [undefined, "wrong", expired.token]) {
      const other = await server.connect();
      refusals.push(await other.request("connect", { token }).catch((error) => error.message));
      expect(await reasonOf(other.request("session.list"))).toBe("authentication_failed");
      await other.close();
    }
    expect(new Set(refusals).size).toBe(1);
    expect(await client.request("connect", { token: acmeUser.token })).toMatchObject({ ok: true });
    const { sessionId } = await client.request("session.create", { model: "demo" });
    expect((await client.request("session.list")).sessions).toMatchObject([{ sessionId }]);
    const logged = JSON.stringify(server.log);
    for (const { token } of [acmeUser, expired]) expect(logged).not.toContain(token);
    expect(logged).toContain("a client was refused");
    await client.close();
  });

  test("a request sent right behind 'connect' waits for its answer", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const client = await server.connect();
    const [connected, listed] = await Promise.all([
      client.request("connect", { token: acmeUser.token }),
      client.request("session.list"),
    ]);
    expect(connected).toMatchObject({ ok: true });
    expect(listed).toEqual({ sessions: [] });
    await client.close();
  });

  test("a connection cannot go over to another tenant", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const client = await server.connect();
    await client.request("connect", { token: acmeUser.token });
    expect(await reasonOf(client.request("connect", { token: globexUser.token }))).toBe(
      "authentication_failed",
    );
    expect(await client.request("connect", { token: operator.token })).toMatchObject({ ok: true });
    await client.close();
  });

  test("the third wrong token ends the connection", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const client = await server.connect();
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await reasonOf(client.request("connect", { token: "guess" }))).toBe("authentication_failed");
    await client.ended;
  });

  test("before it says who it is, a client may send small messages only", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const client = await server.connect();
    await expect(client.request("ping", { message: "x".repeat(100_000) })).rejects.toMatchObject({
      data: { reason: "frame_too_large" },
    });
    await client.request("connect", { token: acmeUser.token });
    expect(await client.request("ping", { message: "x".repeat(100_000) })).toMatchObject({});
    await client.close();
  });

  test("on a reload a revoked token's connections end, all others stay; a token is replaced without a gap", async () => {
    await using home = await tempHome();
    const { server, rewrite } = await serve(home.path);
    await using _ = server;
    const [revoked, kept] = [await server.connect(), await server.connect()];
    await revoked.request("connect", { token: acmeUser.token });
    await kept.request("connect", { token: globexUser.token });
    const replacement = createToken();
    const changed = principals().map((entry) =>
      entry.name === "acme-api" ? { ...entry, tokens: [{ sha256: replacement.sha256 }] } : entry,
    );
    await rewrite({ principals: changed });
    await revoked.ended;
    expect(await kept.request("session.list")).toEqual({ sessions: [] });
    const again = await server.connect();
    expect(await reasonOf(again.request("connect", { token: acmeUser.token }))).toBe("authentication_failed");
    expect(await again.request("connect", { token: replacement.token })).toMatchObject({ ok: true });
    await Promise.all([kept.close(), again.close()]);
  });

  test("a token's connections end when it expires", async () => {
    await using home = await tempHome();
    const short = createToken();
    const expires = new Date(Date.now() + 300).toISOString();
    const { server } = await serve(home.path, {
      principals: [{ name: "short", tenant: "acme", tokens: [{ sha256: short.sha256, expires }] }],
    });
    await using _ = server;
    const client = await server.connect();
    await client.request("connect", { token: short.token });
    await client.ended;
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires));
  });
});

describe("tenants", () => {
  test("the same session id in two tenants is two sessions; neither learns of the other's", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const [acme, globex] = [await server.connect(), await server.connect()];
    await acme.request("connect", { token: acmeUser.token });
    await globex.request("connect", { token: globexUser.token });
    const sessionId = randomUUID();
    await acme.request("session.create", { sessionId, model: "demo" });
    for (const method of ["session.resume", "session.getMessages", "session.send"])
      expect(await reasonOf(globex.request(method, { sessionId, prompt: "hello" }))).toBe(
        "session_not_found",
      );
    expect(await globex.request("session.getMetadata", { sessionId })).toEqual({});
    expect(await globex.request("session.delete", { sessionId })).toMatchObject({ success: false });
    await globex.request("session.create", { sessionId, model: "demo" });
    await acme.ask(sessionId, "a word of acme");
    expect(JSON.stringify(globex.of(sessionId))).not.toContain("a word of acme");
    expect(globex.lifecycle.every((entry) => entry.type === "session.created")).toBe(true);
    expect(globex.lifecycle).toHaveLength(1);
    await globex.request("session.delete", { sessionId });
    const { events } = await acme.request("session.getMessages", { sessionId });
    expect(JSON.stringify(events)).toContain("a word of acme");
    await Promise.all([acme.close(), globex.close()]);
  });
});

describe("roles", () => {
  test("an observer sees a session and what happens in it, and changes nothing", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const [user, observer] = [await server.connect(), await server.connect()];
    await user.request("connect", { token: acmeUser.token });
    await observer.request("connect", { token: acmeObserver.token });
    const { sessionId } = await user.request("session.create", { model: "demo" });
    const before = (await user.request("session.getMessages", { sessionId })).events.length;
    // It may ask for whatever it likes: it brings no tools, answers nothing, sets nothing.
    await observer.request("session.resume", {
      sessionId,
      model: "another",
      requestPermission: true,
      tools: [{ name: "spy", description: "", parameters: { type: "object" } }],
    });
    expect((await user.request("session.getMessages", { sessionId })).events).toHaveLength(before);
    await user.ask(sessionId, "hello there");
    await observer.event(sessionId, "session.idle");
    expect(observer.of(sessionId).map((event) => event.type)).toContain("assistant.message");
    expect(await reasonOf(observer.request("session.send", { sessionId, prompt: "mine" }))).toBe("forbidden");
    await observer.request("session.detach", { sessionId });
    expect(await user.ask(sessionId, "still there?")).toBeDefined();
    await Promise.all([user.close(), observer.close()]);
  });

  test("an observer at a session does not keep a call from being answered 'nobody can be asked'", async () => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const [user, observer] = [await server.connect(), await server.connect()];
    await user.request("connect", { token: acmeUser.token });
    await observer.request("connect", { token: acmeObserver.token });
    const { sessionId } = await user.request("session.create", { model: "demo" });
    await observer.request("session.resume", { sessionId });
    await user.close();
    // The last client that could answer has gone: the session is let go when it is quiet, and can be resumed.
    const again = await server.connect();
    await again.request("connect", { token: acmeUser.token });
    await again.request("session.resume", { sessionId, model: "demo" });
    expect(await again.ask(sessionId, "hello")).toBeDefined();
    await Promise.all([again.close(), observer.close()]);
  });

  const methods = Object.keys(createMethods({ registry: {}, runs: {} } as never));
  const SHUTDOWN = "runtime.shutdown";
  const identities = [
    { who: "nobody", token: undefined, role: undefined },
    { who: "a wrong token", token: "wrong", role: undefined },
    { who: "an expired token", token: expired.token, role: undefined },
    { who: "another tenant", token: globexUser.token, role: "user", foreign: true },
    { who: "an observer", token: acmeObserver.token, role: "observer" },
    { who: "a user", token: acmeUser.token, role: "user" },
    { who: "an admin", token: operator.token, role: "admin" },
  ] as const;
  const rank = { observer: 0, user: 1, admin: 2 } as const;

  test.each(identities)("every method, called by $who", async (identity) => {
    await using home = await tempHome();
    const { server } = await serve(home.path);
    await using _ = server;
    const owner = await server.connect();
    await owner.request("connect", { token: acmeUser.token });
    const answers: string[] = [];
    // What ends the server comes last.
    let sessionId: string | undefined;
    for (const method of [...methods.filter((name) => name !== SHUTDOWN), SHUTDOWN]) {
      // One that was called to some effect is not used again.
      if (sessionId === undefined) {
        sessionId = randomUUID();
        await owner.request("session.create", { sessionId, model: "demo" });
      }
      const client = await server.connect();
      const { token, role } = identity;
      if (role !== undefined) await client.request("connect", { token });
      else if (token !== undefined)
        expect(await reasonOf(client.request("connect", { token }))).toBe("authentication_failed");
      const reason = await reasonOf(client.request(method, { sessionId }));
      const allowed = identity.role !== undefined && rank[identity.role] >= rank[roleFor(method)];
      if (identity.role === undefined) expect([method, reason]).toEqual([method, "authentication_failed"]);
      else if (!allowed) expect([method, reason]).toEqual([method, "forbidden"]);
      else if (method === SHUTDOWN) expect([method, reason]).toEqual([method, undefined]);
      else expect(["authentication_failed", "forbidden"]).not.toContain(reason);
      if (allowed && method === SHUTDOWN) break;
      const used = sessionId;
      if (allowed && (!("foreign" in identity) || reason === undefined)) sessionId = undefined;
      // Whatever the answer to others: the owner's session is as it was.
      if ("foreign" in identity || identity.role === undefined) {
        expect([
          method,
          (await owner.request("session.getMetadata", { sessionId: used })).session?.sessionId,
        ]).toEqual([method, used]);
      }
      if ("foreign" in identity && method.startsWith("session.") && reason !== undefined)
        answers.push(reason);
      await client.close();
    }
    // What is refused to another tenant is refused as if the session were not there, or as it is to all.
    for (const answer of answers)
      expect(["session_not_found", "invalid_params", "not_supported"]).toContain(answer);
    await owner.close();
  });
});

describe("the audit log", () => {
  test("tells who did what to which session and how it ended, and nothing of what was said", async () => {
    await using home = await tempHome();
    const file = join(home.path, "rightseat.json");
    const auditLog = join(home.path, "logs", "audit.jsonl");
    await writeFile(file, JSON.stringify({ auth: { principals: principals() } }));
    const server = await spawnServer(home.path, ["--demo", "--config", file, "--audit-log", auditLog]);
    const client = await server.connect();
    await client.request("connect", { token: "wrong-token" }).catch(() => undefined);
    await client.request("connect", { token: acmeUser.token });
    const { sessionId } = await client.request("session.create", { model: "demo" });
    await client.ask(sessionId, "a private matter");
    await client.request("session.list");
    await client.request("session.destroy", { sessionId });
    await client.request("session.resume", { sessionId });
    await client.request("session.send", { sessionId: "line\nbreak", prompt: "x" }).catch(() => undefined);
    await client.request("runtime.shutdown").catch(() => undefined);
    await client.close();
    expect(await server.kill("SIGTERM")).toBe(0);
    const text = await readFile(auditLog, "utf8");
    const entries = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.map(({ method, outcome, tenant }) => [method, outcome, tenant])).toEqual([
      ["connect", "authentication_failed", undefined],
      ["connect", "ok", "acme"],
      ["session.create", "ok", "acme"],
      ["session.send", "ok", "acme"],
      ["session.destroy", "ok", "acme"],
      ["session.resume", "ok", "acme"],
      ["session.send", "session_not_found", "acme"],
      ["runtime.shutdown", "forbidden", "acme"],
    ]);
    expect(entries[3]).toMatchObject({ principal: "acme-api", role: "user", sessionId });
    for (const secret of ["wrong-token", acmeUser.token, "private matter"])
      expect(text).not.toContain(secret);
    expect((await stat(auditLog)).mode & 0o077).toBe(0);
  });
});

describe("JSON Web Tokens", () => {
  const issuer = "https://issuer.example";
  const audience = "rightseat";

  async function issue() {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
    const sign = (claims: Record<string, unknown>, expires: string | number = "5m", key = privateKey) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid: "k1" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject("somebody")
        .setExpirationTime(expires)
        .sign(key);
    return { jwks, sign };
  }

  test("keys from an address; claims name tenant and role; what is wrong is refused", async () => {
    await using home = await tempHome();
    const { jwks, sign } = await issue();
    const keys = createHttpServer((_request, response) => response.end(JSON.stringify(jwks)));
    await new Promise<void>((resolve) => keys.listen(0, "127.0.0.1", resolve));
    const { port } = keys.address() as AddressInfo;
    const { server } = await serve(home.path, {
      jwt: [
        {
          issuer,
          audience,
          jwks: `http://127.0.0.1:${port}/jwks`,
          tenantClaim: "org",
          roleClaim: "role",
          clockSkewSeconds: 0,
        },
      ],
    });
    await using _ = server;
    const stranger = (await generateKeyPair("ES256")).privateKey;
    const refused = [
      await sign({ org: "acme" }, "5m", stranger),
      await sign({ org: "acme" }, Math.floor(Date.now() / 1000) - 10),
      await sign({}),
      await sign({ org: "../acme" }),
      await sign({ org: "acme", role: "emperor" }),
      // Unsigned, with the same claims.
      `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await sign({ org: "acme" })).split(".")[1]}.x`,
    ];
    for (const token of refused) {
      const client = await server.connect();
      expect(await reasonOf(client.request("connect", { token }))).toBe("authentication_failed");
      await client.close();
      expect(JSON.stringify(server.log)).not.toContain(token);
    }
    const client = await server.connect();
    await client.request("connect", { token: await sign({ org: "acme" }) });
    await client.request("session.create", { sessionId: "mine", model: "demo" });
    const observer = await server.connect();
    await observer.request("connect", { token: await sign({ org: "acme", role: "observer" }) });
    expect((await observer.request("session.list")).sessions).toMatchObject([{ sessionId: "mine" }]);
    expect(await reasonOf(observer.request("session.create", {}))).toBe("forbidden");
    await Promise.all([client.close(), observer.close()]);
    await new Promise((resolve) => keys.close(resolve));
  });

  test("keys from a file; a connection goes on with a fresh token, and ends with the last one", async () => {
    await using home = await tempHome();
    const { jwks, sign } = await issue();
    const file = join(home.path, "keys.json");
    await writeFile(file, JSON.stringify(jwks));
    const { server } = await serve(home.path, {
      jwt: [{ issuer, audience, jwks: file, tenant: "acme", clockSkewSeconds: 0 }],
    });
    await using _ = server;
    const client = await server.connect();
    const seconds = () => Date.now() / 1000;
    const first = seconds() + 0.3;
    await client.request("connect", { token: await sign({}, first) });
    const last = seconds() + 0.6;
    await client.request("connect", { token: await sign({}, last) });
    await client.ended;
    expect(Date.now()).toBeGreaterThanOrEqual(last * 1000);
  });
});

describe("a reload, for who came with a JSON Web Token", () => {
  const issuer = "https://issuer.example";
  const change = (changes: object) => ({
    issuer,
    audience: "rightseat",
    tenant: "acme",
    roleClaim: "role",
    role: "admin",
    clockSkewSeconds: 0,
    ...changes,
  });

  test.each([
    { what: "another role", changes: { role: "observer" } },
    { what: "another claim that names the role", changes: { roleClaim: "rank", role: "user" } },
    { what: "another tenant", changes: { tenant: "globex" } },
    { what: "another audience", changes: { audience: "elsewhere" } },
    { what: "other algorithms", changes: { algorithms: ["RS256"] } },
    { what: "nothing that concerns it", changes: { clockSkewSeconds: 1 }, stays: true },
  ])("$what", async ({ changes, stays }) => {
    await using home = await tempHome();
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwks = join(home.path, "keys.json");
    await writeFile(
      jwks,
      JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }] }),
    );
    const { server, rewrite } = await serve(home.path, { jwt: [change({ jwks })] });
    await using _ = server;
    const client = await server.connect();
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setIssuer(issuer)
      .setAudience("rightseat")
      .setExpirationTime("5m")
      .sign(privateKey);
    await client.request("connect", { token });
    await client.request("session.create", { model: "demo" });
    await rewrite({ jwt: [change({ jwks, ...changes })] });
    if (stays) expect(await client.request("ping")).toMatchObject({ message: "pong" });
    else await client.ended;
    await client.close();
  });
});

describe("TLS", () => {
  test("the port speaks TLS, asks for a client's certificate, and takes new certificates over", async () => {
    await using home = await tempHome();
    const files = {
      cert: join(home.path, "cert.pem"),
      key: join(home.path, "key.pem"),
      ca: join(home.path, "ca.pem"),
    };
    const first = await createCertificates();
    const write = async (certificates: typeof first) => {
      await writeFile(files.cert, certificates.server.cert);
      await writeFile(files.key, certificates.server.key);
      await writeFile(files.ca, certificates.ca);
    };
    await write(first);
    await using server = await startServer(home.path, {
      flags: ["--demo", "--tls-cert", files.cert, "--tls-key", files.key, "--tls-ca", files.ca],
    });
    const open = (ca: string, client?: { cert: string; key: string }) =>
      new Promise<WireClient>((resolve, reject) => {
        const socket = connectTls({ port: server.port, host: "localhost", ca, ...client });
        socket.once("error", reject);
        socket.once("secureConnect", () => resolve(new WireClient(socket)));
      });
    const client = await open(first.ca, first.client);
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    // TLS 1.3 refuses a client after its side of the handshake: the first read ends.
    const without = await open(first.ca).catch(() => undefined);
    if (without) await without.ended;
    const plain = await server.connect();
    void plain.request("ping").catch(() => undefined);
    await plain.ended;

    const second = await createCertificates();
    await write(second);
    server.reload();
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    await expect(open(first.ca, first.client)).rejects.toThrow();
    const renewed = await open(second.ca, second.client);
    expect(await renewed.request("ping")).toMatchObject({ message: "pong" });

    await writeFile(files.key, "not a key");
    expect(() => server.reload()).toThrow();
    const still = await open(second.ca, second.client);
    expect(await still.request("ping")).toMatchObject({ message: "pong" });
    await Promise.all([client.close(), renewed.close(), still.close()]);
  });
});
