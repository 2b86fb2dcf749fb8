/** What somebody without a token can do: take no place, guess nothing, fill no log and no memory. */
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { encodeFrame } from "@rightseat/protocol";
import { createCertificates } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { startServer, tempHome } from "./support/servers.ts";
import { WireClient } from "./support/wire-client.ts";

const acme = createToken();
const globex = createToken();
const QUICK = { attemptDelays: { firstMs: 1, longestMs: 1 } };

async function serve(home: string, more: { flags?: string[]; pace?: object; limits?: object } = {}) {
  const file = join(home, "rightseat.json");
  const principals = [
    { name: "acme", tenant: "acme", tokens: [{ sha256: acme.sha256 }] },
    { name: "globex", tenant: "globex", tokens: [{ sha256: globex.sha256 }] },
  ];
  await writeFile(file, JSON.stringify({ auth: { principals }, limits: more.limits }));
  const flags = ["--demo", "--durability", "os", "--config", file, ...(more.flags ?? [])];
  return startServer(home, { flags, pace: more.pace ?? QUICK });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

const call = (id: unknown, method: string, params: object = {}) =>
  encodeFrame(JSON.stringify({ jsonrpc: "2.0", id, method, params }));

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: { data?: Record<string, unknown> }) => error.data,
  );

describe("guesses", () => {
  test("a thousand in one write are three attempts, and the right one among the rest is not taken", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, {
      flags: ["--demo"],
      env: { COPILOT_CONNECTION_TOKEN: "guess-900" },
      pace: QUICK,
    });
    const socket = await open(server.port);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.write(
      Buffer.concat(Array.from({ length: 1_000 }, (_, id) => call(id, "connect", { token: `guess-${id}` }))),
    );
    await closed(socket);
    expect(text.match(/"id":\d+/g)).toEqual(['"id":0', '"id":1', '"id":2']);
    expect(text).not.toContain('"ok":true');
  });

  test("calls sent with 'connect' wait for it, and a second 'connect' behind the first is judged in its turn", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path);
    const client = await server.connect();
    const answers = await Promise.all([
      client.request("connect", { token: acme.token }),
      client.request("ping"),
      client.request("connect", { token: acme.token }),
      client.request("session.list"),
    ]);
    expect(answers).toMatchObject([{ ok: true }, { message: "pong" }, { ok: true }, { sessions: [] }]);
    await client.close();
  });

  test("while one waits to be judged, nothing more is read of its connection", async () => {
    await using home = await tempHome();
    const pace = { attemptDelays: { firstMs: 60_000, longestMs: 60_000 } };
    await using server = await serve(home.path, { pace });
    const other = await server.connect();
    await other.request("connect", { token: acme.token });
    const wrong = await server.connect();
    expect(await reasonOf(wrong.request("connect", { token: "wrong" }))).toMatchObject({
      reason: "authentication_failed",
    });
    const socket = await open(server.port);
    const attempt = call(1, "connect", { token: "t".repeat(60_000) });
    const sentBytes = 64 * 1024 * 1024;
    for (let bytes = 0; bytes < sentBytes; bytes += attempt.byteLength) socket.write(attempt);
    for (let n = 0; n < 50; n += 1) await other.request("ping");
    expect(socket.writableLength).toBeGreaterThan(sentBytes / 2);
    socket.destroy();
    await Promise.all([wrong.close(), other.close()]);
  });
});

describe("places", () => {
  test("those who say nothing give theirs to those who say who they are", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path, { flags: ["--max-connections", "20"] });
    const silent = await Promise.all(Array.from({ length: 60 }, () => open(server.port)));
    const client = await server.connect();
    await client.request("connect", { token: acme.token });
    const { sessionId } = await client.request("session.create", { model: "demo" });
    expect(await client.ask(sessionId, "hello")).toBeDefined();
    silent.push(...(await Promise.all(Array.from({ length: 60 }, () => open(server.port)))));
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    for (const socket of silent) socket.destroy();
    await client.close();
  });

  test("unfinished TLS handshakes give theirs to those who finish them", async () => {
    await using home = await tempHome();
    const { server: pair } = await createCertificates();
    const [cert, key] = [join(home.path, "cert.pem"), join(home.path, "key.pem")];
    await writeFile(cert, pair.cert);
    await writeFile(key, pair.key);
    await using server = await serve(home.path, {
      flags: ["--max-connections", "20", "--tls-cert", cert, "--tls-key", key],
    });
    const silent = await Promise.all(Array.from({ length: 100 }, () => open(server.port)));
    await expect.poll(() => silent.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(16);
    const socket = connectTls({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    const client = new WireClient(socket);
    await client.request("connect", { token: acme.token });
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    for (const each of silent) each.destroy();
    await client.close();
  });

  test("half-open requests do not keep /healthz away", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path, { flags: ["--http-port", "0"] });
    const half = await Promise.all(Array.from({ length: 300 }, () => open(server.httpPort as number)));
    for (const socket of half) socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n");
    expect((await fetch(`http://127.0.0.1:${server.httpPort}/healthz`)).status).toBe(200);
    for (const socket of half) socket.destroy();
  });
});

describe("what strangers send", () => {
  test("bad messages and refused calls end their connection, and are a line of the log for each reason", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path);
    for (let n = 0; n < 20; n += 1) {
      const [rubbish, calls] = await Promise.all([open(server.port), open(server.port)]);
      for (const socket of [rubbish, calls]) socket.resume();
      rubbish.write("x\r\n\r\n".repeat(4_000));
      calls.write(Buffer.concat(Array.from({ length: 1_000 }, (_, id) => call(id, "session.list"))));
      await Promise.all([closed(rubbish), closed(calls)]);
    }
    expect(server.log.filter(({ level }) => level !== "debug")).toMatchObject([
      { message: "a malformed message was refused", fields: { problem: "bad-header" } },
    ]);
  });

  const FLOODS = {
    "text that is not JSON": "rubbish",
    "something else than an object": "[]",
    "an object that is no message": "{}",
    "what is nested too deep": `${"[".repeat(1_000)}${"]".repeat(1_000)}`,
    notifications: '{"jsonrpc":"2.0","method":"x"}',
    "answers to nothing": '{"jsonrpc":"2.0","id":1,"result":{}}',
    calls: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    "guesses that are no text": '{"jsonrpc":"2.0","id":1,"method":"connect","params":{"token":1}}',
  };

  test.each(Object.entries(FLOODS))("%s: at most twenty are read", async (_what, body) => {
    await using home = await tempHome();
    await using server = await serve(home.path);
    const client = await server.connect();
    const frame = encodeFrame(body);
    client.stream.write(Buffer.concat(Array.from({ length: 2_000 }, () => frame)));
    // Nothing of what comes behind is read: not even the right token.
    client.stream.write(call("last", "connect", { token: acme.token }));
    await client.ended;
    expect(client.strayErrors.length).toBeLessThanOrEqual(20);
  });

  test.each(["rubbish", "[]", "{}"])(
    "%s in a row of a client that is known ends its connection",
    async (body) => {
      await using home = await tempHome();
      await using server = await serve(home.path);
      const client = await server.connect();
      await client.request("connect", { token: acme.token });
      const bad = Buffer.concat(Array.from({ length: 900 }, () => encodeFrame(body)));
      client.stream.write(bad);
      expect(await client.request("ping")).toMatchObject({ message: "pong" });
      client.stream.write(bad);
      expect(await client.request("ping")).toMatchObject({ message: "pong" });
      client.stream.write(Buffer.concat([bad, bad]));
      await client.ended;
      expect(client.strayErrors.length).toBeLessThanOrEqual(2_800);
    },
  );

  test("rubbish of a client that is known ends its connection as well", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path);
    const client = await server.connect();
    await client.request("connect", { token: acme.token });
    client.stream.write("x\r\n\r\n".repeat(4_000));
    await client.ended;
    expect(client.strayErrors.length).toBeLessThanOrEqual(1_000);
  });

  test("answers that they do not read end their connection before they take memory", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path);
    const socket = await open(server.port);
    socket.pause();
    // The answer bears the id.
    const ping = call("i".repeat(60_000), "connect", { token: 1 });
    for (let n = 0; n < 400; n += 1) socket.write(ping);
    await closed(socket);
    // Twenty at most, which is less than the system holds on the way.
    expect(server.log.filter(({ message }) => message === "a connection ended")).toMatchObject([
      { fields: { reason: "it sent too many messages before it said who it is" } },
    ]);
  });
});

describe("connections of tenants", () => {
  test("one too many of a tenant is refused by name, and other tenants go on", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path, { limits: { default: { connections: 2 } } });
    const mine = await Promise.all([server.connect(), server.connect(), server.connect()]);
    const [a, b, c] = mine;
    await a.request("connect", { token: acme.token });
    await b.request("connect", { token: acme.token });
    const refused = { reason: "limit_exceeded", limit: "connections", max: 2, retryAfterMs: 1_000 };
    expect(await reasonOf(c.request("connect", { token: acme.token }))).toMatchObject(refused);
    const other = await server.connect();
    await other.request("connect", { token: globex.token });
    await a.close();
    await expect.poll(() => reasonOf(c.request("connect", { token: acme.token }))).toBeUndefined();
    await Promise.all([b.close(), c.close(), other.close()]);
  });

  test("a tenant that has taken all gives its newest to one that has fewer", async () => {
    await using home = await tempHome();
    await using server = await serve(home.path, { flags: ["--max-connections", "10"] });
    const mine: WireClient[] = [];
    for (let n = 0; n < 10; n += 1) {
      const client = await server.connect();
      await client.request("connect", { token: acme.token });
      mine.push(client);
    }
    const more = await server.connect();
    expect(await reasonOf(more.request("connect", { token: acme.token }))).toMatchObject({
      reason: "limit_exceeded",
      limit: "maxConnections",
    });
    const other = await server.connect();
    expect(await other.request("connect", { token: globex.token })).toMatchObject({ ok: true });
    await mine.at(-1)?.ended;
    for (const client of mine.slice(0, -1)) expect(await client.request("ping")).toMatchObject({});
    await Promise.all([...mine, more, other].map((client) => client.close()));
  });
});
