/**
 * Credentials go to whom they are for, and nowhere else: not into the log at any level, the audit log, the
 * metrics, an event, an answer or error, or a file under the server's home.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { spawnServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

/** What must not be seen anywhere, by where it came from. None has the shape of a well-known key. */
const SECRETS = {
  serverKey: "server-key-Zq81hT",
  serverHeader: "server-header-Vw30kP",
  serverGitHub: "server-github-Bn55xL",
  sharedSecret: "shared-secret-Kd92mQ",
  wrongToken: "wrong-token-Rt17cY",
  misplacedToken: "misplaced-token-Gh64vS",
  apiKey: "session-key-Ma20jF",
  bearerToken: "session-bearer-Lp73dW",
  header: "session-header-Yx48nC",
  plainHeader: "session-plain-header-Oe09rU",
  requestHeader: "request-header-Jb36tZ",
  urlPassword: "url-password-Cf82yH",
  urlQuery: "url-query-Ws59gA",
  gitHubToken: "session-github-Di41qE",
  installedToken: "installed-github-Uk67bV",
  givenToken: "given-github-Np25sX",
  addedKey: "added-key-Tg93lR",
  providerToken: "provider-token-Hm14wJ",
  envSecret: "env-secret-Qc70fK",
} as const;

async function filesUnder(folder: string): Promise<{ path: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath ?? entry.path, entry.name);
        return { path, text: await readFile(path, "utf8") };
      }),
  );
}

test("a credential is nowhere but at the provider that it is for", async () => {
  await using home = await tempHome();
  const principal = createToken();
  // Providers that say back all that they were told, headers included, and refuse.
  const seen = new Set<string>();
  const echo = createServer((request, response) => {
    const told = JSON.stringify({ url: request.url, headers: request.headers });
    for (const secret of Object.values(SECRETS)) if (told.includes(secret)) seen.add(secret);
    const basic = /^Basic (.*)/.exec(request.headers.authorization ?? "")?.[1];
    if (basic && Buffer.from(basic, "base64").toString().includes(SECRETS.urlPassword))
      seen.add(SECRETS.urlPassword);
    const status = request.url?.includes("fail") ? 500 : 401;
    response.writeHead(status, { "content-type": "application/json", "x-request-id": "r-1" });
    response.end(JSON.stringify({ error: { message: `refused: ${told}`, type: "auth", code: "bad" }, told }));
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  await using model = await startScriptedModelServer();

  const config = join(home.path, "rightseat.json");
  const principals = [{ name: "api", tenant: "acme", role: "admin", tokens: [{ sha256: principal.sha256 }] }];
  await writeFile(config, JSON.stringify({ auth: { principals }, providerPrivateHosts: "127.0.0.1" }));
  const logs = join(home.path, "logs");
  const server = await spawnServer(
    home.path,
    [
      ...["--config", config, "--log-level", "all", "--log-dir", logs, "--http-port", "0"],
      ...["--audit-log", join(home.path, "audit.jsonl")],
    ],
    {
      COPILOT_CONNECTION_TOKEN: SECRETS.sharedSecret,
      COPILOT_PROVIDER_BASE_URL: `http://${address}/server`,
      COPILOT_PROVIDER_API_KEY: SECRETS.serverKey,
      COPILOT_PROVIDER_HEADERS: JSON.stringify({ "X-Api-Key-2": SECRETS.serverHeader }),
      COPILOT_MODEL: "m",
      COPILOT_DEBUG_GITHUB_API_URL: `http://${address}`,
      COPILOT_API_URL: `http://${address}`,
      COPILOT_GITHUB_TOKEN: SECRETS.serverGitHub,
      SOME_TOKEN: SECRETS.envSecret,
    },
  );
  const received: Buffer[] = [];
  const connect = async (token?: string): Promise<WireClient> => {
    const client = await server.connect();
    client.stream.on("data", (chunk: Buffer) => received.push(chunk));
    if (token !== undefined) await client.request("connect", { token }).catch(() => undefined);
    return client;
  };
  /** Whatever comes of it. */
  const attempt = (client: WireClient, method: string, params: unknown) =>
    client.request(method, params).catch(() => undefined);
  const ask = async (client: WireClient, params: { sessionId: string } & Record<string, unknown>) => {
    await attempt(client, "session.create", params);
    await client.ask(params.sessionId, "hello").catch(() => undefined);
  };
  try {
    for (const token of [SECRETS.wrongToken, { token: SECRETS.misplacedToken }, [SECRETS.misplacedToken]]) {
      const stranger = await connect();
      await attempt(stranger, "connect", { token });
      await attempt(stranger, "session.list", { token: SECRETS.misplacedToken });
      await stranger.close();
    }
    await (await connect(SECRETS.sharedSecret)).close();
    const client = await connect(principal.token);
    await attempt(client, "connect", { token: SECRETS.wrongToken });
    await attempt(client, "no.such.method", { token: SECRETS.misplacedToken });

    const headers = { "X-Auth-Token": SECRETS.header, "X-Plain": SECRETS.plainHeader };
    const urls = [
      `http://${address}/v1`,
      `http://${address}/fail/v1`,
      `http://user:${SECRETS.urlPassword}@${address}/v1?key=${SECRETS.urlQuery}`,
      // Nobody is there.
      `http://user:${SECRETS.urlPassword}@127.0.0.1:1/v1?key=${SECRETS.urlQuery}`,
    ];
    let made = 0;
    for (const [type, wireApi] of [
      ["openai", "completions"],
      ["openai", "responses"],
      ["azure", "completions"],
      ["anthropic", undefined],
    ]) {
      for (const baseUrl of urls) {
        for (const credential of [{ apiKey: SECRETS.apiKey }, { bearerToken: SECRETS.bearerToken }]) {
          const sessionId = `p-${made++}`;
          const provider = { type, ...(wireApi ? { wireApi } : {}), baseUrl, headers, ...credential };
          // A retry is as good as the first attempt here: what is told is told once.
          await attempt(client, "session.create", { sessionId, model: "m", provider });
          const sent = client.request("session.send", {
            sessionId,
            prompt: "hello",
            requestHeaders: { "X-Request-Secret": SECRETS.requestHeader },
          });
          await sent.catch(() => undefined);
          const told = (wanted: string) => client.of(sessionId).some(({ type: given }) => given === wanted);
          await client.until(
            () => told("session.error") || told("assistant.turn_retry") || told("session.idle"),
          );
          await attempt(client, "session.abort", { sessionId });
        }
      }
    }
    // The server's own provider and GitHub account; tokens of sessions; those that clients give.
    await ask(client, { sessionId: "own" });
    await ask(client, { sessionId: "gh", model: "gpt-5", gitHubToken: SECRETS.gitHubToken });
    await attempt(client, "session.create", { sessionId: "ok", model: "m", provider: okProvider() });
    await attempt(client, "session.gitHubAuth.setCredentials", {
      sessionId: "ok",
      credentials: { type: "token", host: "https://github.com", token: SECRETS.installedToken },
    });
    await attempt(client, "session.gitHubAuth.getStatus", { sessionId: "ok" });
    client.answers.set("gitHubToken.getToken", () => ({
      kind: "token",
      accessToken: SECRETS.givenToken,
      expiresIn: 10,
    }));
    client.answers.set("providerToken.getToken", () => ({ token: SECRETS.providerToken }));
    await ask(client, { sessionId: "given", model: "gpt-5", gitHubTokenProviderRegistrationId: "r" });
    await ask(client, {
      sessionId: "asked",
      model: "m",
      provider: { type: "openai", baseUrl: `http://${address}/v1`, hasBearerTokenProvider: true },
    });
    const named = { name: "two", type: "openai", baseUrl: `http://${address}/v1`, apiKey: SECRETS.addedKey };
    await attempt(client, "session.create", { sessionId: "named", model: "m" });
    await attempt(client, "session.provider.add", {
      sessionId: "named",
      providers: [named],
      models: [{ provider: "two", id: "n" }],
    });
    await attempt(client, "session.model.switchTo", { sessionId: "named", modelId: "two/n" });
    await client.ask("named", "hello").catch(() => undefined);
    // One that goes well, and goes through the whole life of a session.
    model.use([{ text: "slow", delayMs: 100 }]);
    await client.request("session.send", { sessionId: "ok", prompt: "echo first" });
    const waiting = client.request("session.send", {
      sessionId: "ok",
      prompt: "echo second",
      requestHeaders: { "X-Request-Secret": SECRETS.requestHeader },
    });
    await waiting;
    await client.until(() => model.requests.length === 2);
    expect(model.requests.map(({ headers: sent }) => sent["x-request-secret"])).toEqual([
      undefined,
      SECRETS.requestHeader,
    ]);
    await client.event("ok", "session.idle");
    await client.ask("ok", "echo fine", { requestHeaders: { "X-Request-Secret": SECRETS.requestHeader } });
    await client.request("session.detach", { sessionId: "ok" });
    await attempt(client, "session.resume", { sessionId: "ok", model: "m", provider: okProvider() });
    for (const method of ["session.metadata.snapshot", "session.getMessages", "session.model.list"])
      await attempt(client, method, { sessionId: "ok" });
    // Parameters that are wrong are told by their path, not by their content.
    await attempt(client, "session.create", {
      model: 5,
      provider: { type: SECRETS.apiKey, apiKey: [SECRETS.apiKey] },
    });
    await attempt(client, "session.create", {
      sessionId: SECRETS.apiKey.length,
      gitHubToken: { a: SECRETS.gitHubToken },
    });

    const [, httpPort] = /metrics on http:\/\/[^:]+:(\d+)/.exec(server.output()) ?? [];
    const pages = await Promise.all(
      ["metrics", "readyz", "version"].map(async (page) =>
        (await fetch(`http://127.0.0.1:${httpPort}/${page}`)).text(),
      ),
    );
    await client.close();
    expect(await server.kill("SIGTERM")).toBe(0);
    // The test is worth nothing unless the providers were told.
    for (const name of [
      "serverKey",
      "apiKey",
      "bearerToken",
      "header",
      "plainHeader",
      "requestHeader",
    ] as const)
      expect([name, seen.has(SECRETS[name])]).toEqual([name, true]);
    for (const name of ["gitHubToken", "installedToken", "givenToken", "addedKey", "providerToken"] as const)
      expect([name, seen.has(SECRETS[name])]).toEqual([name, true]);

    const places = [
      { path: "the wire", text: Buffer.concat(received).toString("utf8") },
      { path: "standard output and error", text: server.output() },
      { path: "the HTTP port", text: pages.join("\n") },
      ...(await filesUnder(home.path)),
    ];
    expect(places.length).toBeGreaterThan(30);
    const leaks = places.flatMap(({ path, text }) =>
      Object.entries({ ...SECRETS, principal: principal.token }).flatMap(([name, secret]) => {
        const at = [secret, Buffer.from(secret).toString("base64").replace(/=+$/, "")]
          .map((form) => text.indexOf(form))
          .find((index) => index >= 0);
        return at === undefined ? [] : [`${name} in ${path}: ${text.slice(Math.max(0, at - 300), at + 40)}`];
      }),
    );
    expect(leaks).toEqual([]);
  } finally {
    await server.kill("SIGKILL");
    echo.closeAllConnections();
    echo.close();
  }

  function okProvider() {
    return {
      type: "openai",
      baseUrl: `${model.url}/v1`,
      apiKey: SECRETS.apiKey,
      headers: { "X-Auth-Token": SECRETS.header },
    };
  }
}, 60_000);
