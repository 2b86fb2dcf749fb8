/** A network where everything leaves through a proxy. */
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createCertificates, startScriptedModelServer } from "@rightseat/testing";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { JwtVerifier } from "../src/auth/jwt-verifier.ts";
import { createProxiedFetch } from "../src/models/guarded-fetch.ts";
import { createProxies } from "../src/network/proxies.ts";
import { guardedRequest } from "../src/tools/web/guarded-request.ts";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";

/** Knows every name: all of them are this machine. */
async function startProxy() {
  const seen: string[] = [];
  const server: Server = createServer((incoming, answer) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const { port, pathname, search } = new URL(incoming.url as string);
    const { method, headers } = incoming;
    const onward = request(
      { host: "127.0.0.1", port, path: pathname + search, method, headers },
      (answered) => {
        answer.writeHead(answered.statusCode ?? 0, answered.headers);
        answered.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming: IncomingMessage, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    const onward = connect(Number(incoming.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("a provider that only the proxy can reach is reached through it, and one of this machine without it", async () => {
  await using home = await tempHome();
  await using proxy = await startProxy();
  await using model = await startScriptedModelServer();
  model.use(() => ({ text: "through the proxy" }));
  // The built command: the library is loaded from a file of its own there.
  const server = await spawnServer(home.path, [], { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
  const client = await server.connect();
  const { port } = new URL(model.url);
  const ask = async (baseUrl: string) => {
    const { sessionId } = await client.request("session.create", {
      model: "m",
      provider: { type: "openai", baseUrl, apiKey: "key" },
    });
    return client.ask(sessionId, "hello");
  };
  expect(await ask(`http://model.corp.example:${port}/v1`)).toBe("through the proxy");
  expect(proxy.seen).toContain(`POST http://model.corp.example:${port}/v1/chat/completions`);
  proxy.seen.length = 0;
  expect(await ask(`http://localhost:${port}/v1`)).toBe("through the proxy");
  expect(proxy.seen).toEqual([]);
  const { sessionId } = await client.request("session.create", {
    model: "m",
    provider: { type: "openai", baseUrl: "https://model.corp.example:1/v1", apiKey: "key" },
  });
  await client.request("session.send", { sessionId, prompt: "hello" });
  await expect.poll(() => proxy.seen, { timeout: 10_000 }).toContain("CONNECT model.corp.example:1");
  await client.close();
  await server.kill("SIGKILL");
});

test("the server's own provider over https, and GitHub, are asked for through the proxy", async () => {
  await using home = await tempHome();
  await using proxy = await startProxy();
  await using server = await startServer(home.path, {
    env: {
      HTTPS_PROXY: proxy.url,
      COPILOT_PROVIDER_BASE_URL: "https://model.example:1/v1",
      COPILOT_MODEL: "m",
      COPILOT_DEBUG_GITHUB_API_URL: "https://github.example:1",
    },
  });
  const client = await server.connect();
  const { sessionId } = await client.request("session.create", { gitHubToken: "gho_0123456789" });
  await client.request("session.destroy", { sessionId });
  const own = await client.request("session.create", {});
  await client.request("session.send", { sessionId: own.sessionId, prompt: "hello" });
  await expect.poll(() => proxy.seen, { timeout: 10_000 }).toContain("CONNECT github.example:1");
  await expect.poll(() => proxy.seen, { timeout: 10_000 }).toContain("CONNECT model.example:1");
  await client.request("session.abort", { sessionId: own.sessionId });
  await client.close();
});

test("a GitHub account is known through the proxy, where there is one", async () => {
  await using home = await tempHome();
  await using proxy = await startProxy();
  const asked: (string | undefined)[] = [];
  const github = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.end(JSON.stringify({ login: "alice", copilot_plan: "business", long: "x".repeat(200_000) }));
  });
  await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
  const { port } = github.address() as AddressInfo;
  await using server = await startServer(home.path, {
    env: { HTTP_PROXY: proxy.url, COPILOT_DEBUG_GITHUB_API_URL: `http://github.example:${port}` },
  });
  const client = await server.connect();
  const { sessionId } = await client.request("session.create", { gitHubToken: "gho_0123456789" });
  expect(await client.request("session.gitHubAuth.getStatus", { sessionId })).toMatchObject({
    isAuthenticated: true,
    login: "alice",
    copilotPlan: "business",
  });
  expect(asked).toEqual(["Bearer gho_0123456789"]);
  expect(proxy.seen).toEqual([`GET http://github.example:${port}/copilot_internal/user`]);
  await client.close();
  github.close();
});

test("an issuer's keys are asked for through the proxy", async () => {
  await using home = await tempHome();
  await using proxy = await startProxy();
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  const keys = createServer((_, answer) => answer.end(JSON.stringify({ keys: [key] })));
  await new Promise<void>((resolve) => keys.listen(0, "127.0.0.1", resolve));
  const issuer = "https://issuer.example";
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "ES256", kid: "k1" })
    .setIssuer(issuer)
    .setAudience("rightseat")
    .setExpirationTime("5m")
    .sign(privateKey);
  const trusted = { issuer, audience: "rightseat", tenant: "acme" };
  const { port } = keys.address() as AddressInfo;
  const jwks = `http://keys.corp.example:${port}/jwks`;
  const fetch = createProxiedFetch(createProxies({ http: new URL(proxy.url), exempt: [] }));
  const rest = { role: "user", algorithms: ["ES256"], clockSkewSeconds: 0 } as const;
  const verifier = new JwtVerifier([{ ...trusted, ...rest, jwks }], fetch);
  expect(await verifier.verify(token)).toMatchObject({ tenant: "acme", role: "user" });
  expect(proxy.seen).toEqual([`GET ${jwks}`]);
  // The server has its issuers' keys from there, too. Nobody is at this address.
  const config = join(home.work, "rightseat.json");
  const away = { ...trusted, jwks: "https://keys.corp.example:1/jwks" };
  await writeFile(config, JSON.stringify({ auth: { jwt: [away] } }));
  await using server = await startServer(home.path, {
    flags: ["--config", config, "--demo"],
    env: { HTTPS_PROXY: proxy.url },
  });
  const client = await server.connect();
  await expect(client.request("connect", { token })).rejects.toThrow();
  expect(proxy.seen).toContain("CONNECT keys.corp.example:1");
  await client.close();
  keys.close();
});

test("a provider whose certificate nobody here knows fails at once, and the error names what to set", async () => {
  await using home = await tempHome();
  const { server: pair, ca } = await createCertificates();
  let handshakes = 0;
  const provider = createTlsServer({ cert: pair.cert, key: pair.key }, (_, answer) => {
    answer.writeHead(400, { "content-type": "application/json" });
    answer.end(JSON.stringify({ error: { message: "it was reached" } }));
  });
  provider.on("connection", () => (handshakes += 1));
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const baseUrl = `https://localhost:${(provider.address() as AddressInfo).port}/v1`;
  const authority = join(home.work, "authority.pem");
  await writeFile(authority, ca);
  const errorOf = async (env: Record<string, string>) => {
    const server = await spawnServer(home.path, [], env);
    const client = await server.connect();
    const { sessionId } = await client.request("session.create", {
      model: "m",
      provider: { type: "openai", baseUrl, apiKey: "key" },
    });
    await client.request("session.send", { sessionId, prompt: "hello" });
    const { data } = await client.event(sessionId, "session.error");
    expect(client.of(sessionId).some(({ type }) => type === "assistant.turn_retry")).toBe(false);
    await client.close();
    await server.kill("SIGKILL");
    return data.message as string;
  };
  const handshakesBefore = handshakes;
  expect(await errorOf({})).toContain("NODE_EXTRA_CA_CERTS");
  expect(handshakes - handshakesBefore).toBe(1);
  // With what it advises the provider is reached.
  expect(await errorOf({ NODE_EXTRA_CA_CERTS: authority })).toContain("it was reached");
  provider.close();
});

test("web_fetch goes through the proxy, and asks it for nothing that is not on the public internet", async () => {
  await using proxy = await startProxy();
  const page = createServer((_, answer) => answer.end("a page")).listen(0, "127.0.0.1");
  await new Promise((resolve) => page.once("listening", resolve));
  const { port } = page.address() as AddressInfo;
  const proxies = createProxies({ http: new URL(proxy.url), exempt: [] });
  const fetch = (url: string) =>
    guardedRequest(new URL(url), { privateHosts: [], signal: AbortSignal.timeout(30_000), proxies });
  const answer = await fetch(`http://page.example:${port}/a?b=c`);
  expect(answer.statusCode).toBe(200);
  answer.resume();
  expect(proxy.seen).toEqual([`GET http://page.example:${port}/a?b=c`]);
  for (const host of [
    "10.0.0.1",
    "169.254.169.254",
    "[::ffff:10.0.0.1]",
    "metadata.google.internal",
    "intranet",
  ])
    await expect(fetch(`http://${host}/`), host).rejects.toThrow(/not on the public internet/);
  expect(proxy.seen).toHaveLength(1);
  page.close();
});
