/**
 * Sessions that live longer than their credentials: a token is good for a few model calls, then it is refused.
 * Whichever way the next one comes, no turn fails.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const TURNS = 24;
/** Model calls that a token is good for: fewer than the calls of a long turn. */
const CALLS = 5;

/** Gives tokens, and takes each back after so many calls. */
class Issuer {
  #made = 0;
  #callsLeft = 0;
  given = 0;
  refused = 0;

  /** The token of the hour. A new one when the last is used up. */
  current(): string {
    if (this.#callsLeft <= 0) this.renew();
    this.given += 1;
    return `token-${this.#made}`;
  }

  /** From now on only another one is good. */
  renew(): string {
    this.#made += 1;
    this.#callsLeft = CALLS;
    return `token-${this.#made}`;
  }

  accepts(authorization: string | undefined): boolean {
    const good = authorization === `Bearer token-${this.#made}` && this.#callsLeft > 0;
    if (good) this.#callsLeft -= 1;
    else this.refused += 1;
    return good;
  }

  get callsLeft(): number {
    return this.#callsLeft;
  }
}

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let issuer: Issuer;
let made = 0;

/** Whoever has a token is somebody. */
const github = createServer((_request, response) =>
  response.end(JSON.stringify({ login: "somebody", copilot_plan: "business" })),
);

beforeAll(async () => {
  await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
  home = await tempHome();
  model = await startScriptedModelServer({ models: [{ id: "gpt-5", name: "GPT", capabilities: {} }] });
  server = await startServer(home.path, {
    env: {
      COPILOT_DEBUG_GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
      COPILOT_API_URL: model.url,
      PATH: process.env.PATH ?? "",
    },
  });
});

beforeEach(async () => {
  issuer = new Issuer();
  client = await server.connect();
  model.use((request) => {
    if (!issuer.accepts(request.headers.authorization))
      return { status: 401, body: { error: { message: "the token has expired", code: "expired" } } };
    // Every fourth turn is a long one: a call for each of seven tool calls, and one for the last word.
    const messages = request.body.messages as { role: string; content: string }[];
    const prompt = messages.findLastIndex(({ role }) => role === "user");
    const done = messages.slice(prompt).filter(({ role }) => role === "tool").length;
    return messages[prompt]?.content.includes("long") && done < 7
      ? { toolCalls: [{ name: "list_bash", arguments: {} }] }
      : { text: "done" };
  });
  return () => client.close();
});

afterAll(async () => {
  await server.shutdown();
  await model.close();
  github.closeAllConnections();
  github.close();
  await home[Symbol.asyncDispose]();
});

async function create(fields: object): Promise<string> {
  const sessionId = `s${made++}`;
  await client.request("session.create", { sessionId, workingDirectory: home.work, ...fields });
  await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
  return sessionId;
}

async function talk(sessionId: string, beforeTurn: () => unknown = () => undefined): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await beforeTurn();
    expect(await client.ask(sessionId, turn % 4 === 3 ? "a long one" : `turn ${turn}`)).toBe("done");
  }
  expect(client.of(sessionId).filter(({ type }) => type === "session.error")).toEqual([]);
}

describe("a token that is given when it is asked for", () => {
  const MINUTES = 60;

  test.each([
    // Good for five minutes: it is asked for again before it is used.
    ["tells that its time is short", 5 * MINUTES, 0],
    // It should have been good for hours, and is taken back: it is asked for again when it is refused.
    ["is taken back before its time", 300 * MINUTES, 1],
  ])("GitHub's, that %s: no turn fails", async (_what, expiresIn, leastRefused) => {
    client.answers.set("gitHubToken.getToken", () => ({
      kind: "token",
      accessToken: issuer.current(),
      expiresIn,
    }));
    const sessionId = await create({ model: "gpt-5", gitHubTokenProviderRegistrationId: "r" });
    await talk(sessionId);
    expect(issuer.given).toBeGreaterThan(TURNS / CALLS);
    expect(issuer.refused).toBeGreaterThanOrEqual(leastRefused);
  });

  test("a provider's, that its client has kept for too long: no turn fails", async () => {
    // As libraries for tokens do it: kept until it is refused, or seems old.
    let kept: string | undefined;
    let uses = 0;
    client.answers.set("providerToken.getToken", () => {
      uses += 1;
      if (kept === undefined || issuer.callsLeft === 0 || uses % 3 === 0) kept = issuer.current();
      return { token: kept };
    });
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, hasBearerTokenProvider: true };
    await talk(await create({ model: "m", provider }));
  });

  test("a provider's, that ran out between being given and being used: the call is made again", async () => {
    let asked = 0;
    client.answers.set("providerToken.getToken", () => {
      asked += 1;
      const token = issuer.current();
      if (asked % 7 === 3) issuer.renew();
      return { token };
    });
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, hasBearerTokenProvider: true };
    await talk(await create({ model: "m", provider }));
    expect(issuer.refused).toBeGreaterThan(3);
  });

  test("that is refused again is an error after two calls, and the next prompt asks anew", async () => {
    let isGood = false;
    client.answers.set("gitHubToken.getToken", () => ({
      kind: "token",
      accessToken: isGood ? issuer.current() : "never-good",
      expiresIn: 300 * MINUTES,
    }));
    const sessionId = await create({ model: "gpt-5", gitHubTokenProviderRegistrationId: "r" });
    const before = model.requests.length;
    await client.ask(sessionId, "hello");
    expect(model.requests.length - before).toBe(2);
    expect((await client.event(sessionId, "session.error")).data).toMatchObject({
      errorType: "authentication",
    });
    isGood = true;
    expect(await client.ask(sessionId, "hello")).toBe("done");
  });
});

describe("a token that its client replaces by itself", () => {
  test("GitHub's, with session.gitHubAuth.setCredentials, between turns", async () => {
    const sessionId = await create({ model: "gpt-5", gitHubToken: issuer.current() });
    const credentials = () => ({ type: "token", host: "https://github.com", token: issuer.renew() });
    for (let turn = 0; turn < TURNS; turn += 1) {
      if (issuer.callsLeft <= 1)
        await client.request("session.gitHubAuth.setCredentials", {
          sessionId,
          credentials: credentials(),
        });
      expect(await client.ask(sessionId, `turn ${turn}`)).toBe("done");
    }
    expect(issuer.refused).toBe(0);
  });

  test("a provider's, by resuming the open session with another one, between turns", async () => {
    const provider = (apiKey: string) => ({ type: "openai", baseUrl: `${model.url}/v1`, apiKey });
    const sessionId = await create({ model: "m", provider: provider(issuer.current()) });
    for (let turn = 0; turn < TURNS; turn += 1) {
      if (issuer.callsLeft <= 1)
        await client.request("session.resume", { sessionId, provider: provider(issuer.renew()) });
      expect(await client.ask(sessionId, `turn ${turn}`)).toBe("done");
    }
    expect(issuer.refused).toBe(0);
  });

  test("in the middle of a turn: its next call goes out with the new one", async () => {
    const sessionId = await create({
      model: "gpt-5",
      gitHubToken: issuer.current(),
      tools: [{ name: "renew", description: "", parameters: { type: "object" }, skipPermission: true }],
    });
    model.use(({ headers, body }) => {
      if (!issuer.accepts(headers.authorization)) return { status: 401, body: {} };
      const messages = body.messages as { role: string }[];
      return messages.at(-1)?.role === "tool"
        ? { text: "done" }
        : { toolCalls: [{ name: "renew", arguments: {} }] };
    });
    const asking = client.ask(sessionId, "replace it");
    const { data } = await client.event(sessionId, "external_tool.requested");
    await client.request("session.gitHubAuth.setCredentials", {
      sessionId,
      credentials: { type: "token", host: "https://github.com", token: issuer.renew() },
    });
    await client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: "renewed",
    });
    expect(await asking).toBe("done");
    expect(issuer.refused).toBe(0);
  });
});
