/** The GitHub account of a session, and the token with which its model is called. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const LOGINS: Record<string, string> = { "server-token": "server-user", "token-a": "a", "token-b": "b" };

const CHAT = { entitlement: 100, percent_remaining: 75 };

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let made = 0;

const github = createServer((request, response) => {
  const login = LOGINS[/^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? ""];
  if (login === undefined) response.writeHead(401).end("{}");
  else response.end(JSON.stringify({ login, copilot_plan: "business", quota_snapshots: { chat: CHAT } }));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
  home = await tempHome();
  model = await startScriptedModelServer({ models: [{ id: "gpt-5", name: "GPT", capabilities: {} }] });
  server = await startServer(home.path, {
    env: {
      COPILOT_DEBUG_GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
      COPILOT_API_URL: model.url,
      COPILOT_GITHUB_TOKEN: "server-token",
    },
  });
  client = await server.connect();
});

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  github.closeAllConnections();
  github.close();
  await home[Symbol.asyncDispose]();
});

async function create(fields: object = {}): Promise<string> {
  const sessionId = `s${made++}`;
  await client.request("session.create", { sessionId, model: "gpt-5", ...fields });
  return sessionId;
}

const install = (sessionId: string, credentials: object) =>
  client.request("session.gitHubAuth.setCredentials", { sessionId, credentials });
const status = (sessionId: string) => client.request("session.gitHubAuth.getStatus", { sessionId });
const identity = (sessionId: string) =>
  client.request("session.gitHubAuth.getCurrentAuthInfo", { sessionId });

/** The token that the model is called with. */
async function tokenOfCall(sessionId: string): Promise<string | undefined> {
  const before = model.requests.length;
  await client.ask(sessionId, "hi");
  return model.requests.slice(before).at(-1)?.headers.authorization?.replace("Bearer ", "");
}

test("account.getQuota tells the quotas of the token that is given, or of the server's", async () => {
  const quotaSnapshots = { chat: expect.objectContaining({ entitlementRequests: 100, usedRequests: 25 }) };
  expect(await client.request("account.getQuota", { gitHubToken: "token-a" })).toEqual({ quotaSnapshots });
  expect(await client.request("account.getQuota")).toEqual({ quotaSnapshots });
  const refused = await client
    .request("account.getQuota", { gitHubToken: "token-gone" })
    .catch((error) => error);
  expect(refused).toMatchObject({ data: { reason: "authentication_failed" } });
  expect(refused.message).not.toContain("token-gone");
});

describe("a server that GitHub does not take", () => {
  const starting = async (flags: string[], env: Record<string, string>) => {
    const folder = await tempHome();
    const started = await startServer(folder.path, {
      flags,
      env: {
        COPILOT_DEBUG_GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
        ...env,
      },
    });
    const by = await started.connect();
    const [listed, status] = await Promise.all([
      by.request("models.list").catch((error) => error.data),
      by.request("auth.getStatus"),
    ]);
    const ofToken = await by
      .request("models.list", { gitHubToken: "token-gone" })
      .catch((error) => error.data);
    await by.close();
    await started.shutdown();
    await folder[Symbol.asyncDispose]();
    return { listed, status, ofToken };
  };
  const refused = { reason: "authentication_failed", status: 401 };

  test("says so in a typed error when it has nothing besides", async () => {
    const { listed, status } = await starting([], { COPILOT_GITHUB_TOKEN: "gone" });
    expect(listed).toEqual(refused);
    expect(status).toMatchObject({ isAuthenticated: false });
  });

  test("lists the demo model beside, and is authenticated by it; a token of one's own that is refused is an error", async () => {
    const { listed, status, ofToken } = await starting(["--demo"], { COPILOT_GITHUB_TOKEN: "gone" });
    expect(listed.models).toMatchObject([{ id: "demo" }]);
    expect(status).toMatchObject({ isAuthenticated: true, authType: "api-key" });
    expect(status.statusMessage).toContain("GitHub rejected the token");
    expect(ofToken).toEqual(refused);
  });

  test("is authenticated by a provider of its own", async () => {
    const { status } = await starting([], { OPENAI_API_KEY: "k", OPENAI_BASE_URL: `${model.url}/v1` });
    expect(status).toEqual({
      isAuthenticated: true,
      authType: "api-key",
      statusMessage: "models are those of the server's own provider",
    });
  });
});

describe("credentials that a client installs", () => {
  test("are used for the next model call, and shown without the secret", async () => {
    const sessionId = await create();
    expect(await tokenOfCall(sessionId)).toBe("server-token");
    const credentials = { type: "token", host: "https://github.com", token: "token-a" };
    expect(await install(sessionId, credentials)).toEqual({ success: true, copilotUserResolved: true });
    expect(await tokenOfCall(sessionId)).toBe("token-a");
    expect(await status(sessionId)).toMatchObject({
      isAuthenticated: true,
      authType: "token",
      host: "https://github.com",
      login: "a",
      copilotPlan: "business",
    });
    expect(await identity(sessionId)).toEqual({
      type: "token",
      host: "https://github.com",
      login: "a",
      copilotUser: expect.objectContaining({ login: "a", copilot_plan: "business" }),
    });
    expect(await tokenOfCall(await create())).toBe("server-token");
  });

  test("that GitHub refuses stay, and the status says so", async () => {
    const sessionId = await create();
    const credentials = { type: "gh-cli", host: "https://github.com", login: "x", token: "token-gone" };
    expect(await install(sessionId, credentials)).toEqual({ success: true, copilotUserResolved: false });
    expect(await status(sessionId)).toMatchObject({ isAuthenticated: false, authType: "gh-cli" });
    expect(await identity(sessionId)).toBeNull();
    const errors = await client.request("session.gitHubAuth.lastAuthErrors", { sessionId });
    expect(errors).toEqual([{ message: expect.stringContaining("rejected") }]);
    expect(JSON.stringify(errors)).not.toContain("token-gone");
  });

  test("that name another user and bring no token take the server's token away", async () => {
    const sessionId = await create();
    const copilotUser = { login: "somebody", copilot_plan: "individual" };
    const credentials = { type: "user", host: "https://github.com", login: "somebody", copilotUser };
    expect(await install(sessionId, credentials)).toEqual({ success: true, copilotUserResolved: true });
    expect(await status(sessionId)).toMatchObject({
      isAuthenticated: true,
      authType: "user",
      login: "somebody",
    });
    expect(await tokenOfCall(sessionId)).toBeUndefined();
    const error = await client.event(sessionId, "session.error");
    expect(error.data).toMatchObject({ errorType: "authentication" });
    await install(sessionId, { type: "token", host: "https://github.com", token: "token-b" });
    expect(await tokenOfCall(sessionId)).toBe("token-b");
  });

  test("that name the server's own user use the server's token", async () => {
    const sessionId = await create();
    await install(sessionId, { type: "user", host: "https://github.com", login: "server-user" });
    expect(await tokenOfCall(sessionId)).toBe("server-token");
  });

  test("of none change nothing", async () => {
    const sessionId = await create({ gitHubToken: "token-a" });
    expect(await client.request("session.gitHubAuth.setCredentials", { sessionId })).toEqual({
      success: true,
    });
    expect(await tokenOfCall(sessionId)).toBe("token-a");
  });

  test.each([
    { type: "hmac", host: "https://github.com", hmac: "secret" },
    { type: "copilot-api-token", host: "https://github.com" },
    { type: "api-key", host: "https://example.com", apiKey: "secret" },
  ])("of the type $type are refused by name", async (credentials) => {
    const sessionId = await create();
    await expect(install(sessionId, credentials)).rejects.toMatchObject({
      message: expect.stringContaining(credentials.type),
      data: { reason: "not_supported" },
    });
    expect(await tokenOfCall(sessionId)).toBe("server-token");
  });

  test("are nowhere in the session's directory", async () => {
    const sessionId = await create();
    await install(sessionId, { type: "token", host: "https://github.com", token: "token-a" });
    await client.ask(sessionId, "hi");
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", { sessionId });
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(JSON.stringify(events)).not.toContain("token-a");
    expect(await tokenOfCall(sessionId)).toBe("server-token");
  });
});

describe("a client that gives tokens when it is asked", () => {
  const HOURS = 3600;

  test("is asked once, and again when little of the token's time is left", async () => {
    const asked: unknown[] = [];
    const lifetimes = [HOURS + 60, 3 * HOURS];
    client.answers.set("gitHubToken.getToken", (params) => {
      asked.push(params);
      const expiresIn = lifetimes.shift() as number;
      return { kind: "token", accessToken: asked.length === 1 ? "token-a" : "token-b", expiresIn };
    });
    const sessionId = await create({ gitHubTokenProviderRegistrationId: "r1" });
    expect(asked).toEqual([
      { registrationId: "r1", host: "https://github.com", sessionId, reason: "initial" },
    ]);
    expect(await tokenOfCall(sessionId)).toBe("token-a");
    expect(asked).toHaveLength(1);
    const later = Date.now() + 120_000;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => later);
    try {
      expect(await tokenOfCall(sessionId)).toBe("token-b");
      expect(await tokenOfCall(sessionId)).toBe("token-b");
    } finally {
      clock.mockRestore();
    }
    expect(asked.slice(1)).toMatchObject([{ registrationId: "r1", reason: "refresh" }]);
  });

  test.each([
    ["cancels", () => ({ kind: "cancelled" })],
    ["answers something else", () => ({ token: "token-a" })],
    [
      "fails",
      () => {
        throw new Error("no keyring");
      },
    ],
  ])("and %s gets no session", async (_title, answer) => {
    client.answers.set("gitHubToken.getToken", answer);
    await expect(create({ gitHubTokenProviderRegistrationId: "r" })).rejects.toMatchObject({
      data: { reason: "authentication_failed" },
    });
  });

  test("whose token is refused gets no session", async () => {
    client.answers.set("gitHubToken.getToken", () => ({
      kind: "token",
      accessToken: "token-gone",
      expiresIn: 2 * HOURS,
    }));
    await expect(create({ gitHubTokenProviderRegistrationId: "r" })).rejects.toMatchObject({
      data: { reason: "authentication_failed" },
    });
  });
});

describe("providers that a session gets while it is open", () => {
  const named = (name: string) => ({
    name,
    type: "openai",
    baseUrl: `${model.url}/v1`,
    apiKey: `key-${name}`,
  });
  const add = (sessionId: string, more: object) =>
    client.request("session.provider.add", { sessionId, ...more });

  test("serve their models, beside those that were there", async () => {
    const sessionId = await create({
      providers: [named("one")],
      models: [{ provider: "one", id: "m" }],
      model: "one/m",
    });
    const added = await add(sessionId, {
      providers: [named("two")],
      models: [
        { provider: "two", id: "n", name: "The other", wireModel: "wire-n", maxContextWindowTokens: 4096 },
      ],
    });
    expect(added.models).toMatchObject([
      { id: "two/n", name: "The other", capabilities: { limits: { max_context_window_tokens: 4096 } } },
    ]);
    const { list } = await client.request("session.model.list", { sessionId });
    expect(list.map((listed: { id: string }) => listed.id)).toEqual(
      expect.arrayContaining(["one/m", "two/n"]),
    );
    await client.request("session.model.switchTo", { sessionId, modelId: "two/n" });
    expect(await tokenOfCall(sessionId)).toBe("key-two");
    expect(model.requests.at(-1)?.body).toMatchObject({ model: "wire-n" });
    await client.request("session.model.switchTo", { sessionId, modelId: "one/m" });
    expect(await tokenOfCall(sessionId)).toBe("key-one");
    const switchTo = (modelId: string, providerId: string) =>
      client.request("session.model.switchTo", { sessionId, modelId, providerId });
    expect(await switchTo("n", "two")).toEqual({ modelId: "two/n" });
    expect(await tokenOfCall(sessionId)).toBe("key-two");
    for (const [modelId, providerId] of [
      ["m", "two"],
      ["m", "three"],
    ] as const)
      await expect(switchTo(modelId, providerId)).rejects.toMatchObject({
        data: { reason: "model_not_found" },
      });
  });

  test.each([
    ["a provider's name that is taken", { providers: [{ name: "one", baseUrl: "http://x" }] }],
    ["a model's id that is taken", { models: [{ provider: "one", id: "m" }] }],
    ["a model of an unknown provider", { models: [{ provider: "none", id: "n" }] }],
  ])("are refused with %s, and none is added", async (_title, more) => {
    const sessionId = await create({ providers: [named("one")], models: [{ provider: "one", id: "m" }] });
    await expect(add(sessionId, more)).rejects.toMatchObject({ data: { reason: "invalid_params" } });
    const { list } = await client.request("session.model.list", { sessionId });
    expect(list.filter((listed: { id: string }) => listed.id.includes("/"))).toHaveLength(1);
  });

  test("are refused to a session with a single provider of its own", async () => {
    const sessionId = await create({ provider: named("x") });
    await expect(add(sessionId, { providers: [named("two")] })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "providers" },
    });
  });
});
