import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { AccountError, createGitHubAccounts, hostOf } from "./github-accounts.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** GitHub with one account, and a list of what it was asked. */
async function startGitHub() {
  const asked: string[] = [];
  const apiUrl = await listen((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (!request.headers.authorization?.startsWith("Bearer good"))
      response.writeHead(401).end('{"message":"Bad credentials"}');
    else response.end(JSON.stringify(alice));
  });
  return { apiUrl, asked };
}

const alice = {
  login: "alice",
  copilot_plan: "individual_pro",
  endpoints: { api: "https://api.copilot.invalid" },
  analytics_tracking_id: "track-1",
  is_mcp_enabled: true,
};

const account = {
  login: "alice",
  plan: "individual_pro",
  copilotApiUrl: "https://api.copilot.invalid",
  host: "https://github.com",
  analyticsId: "track-1",
  raw: alice,
};

async function failureOf(promise: Promise<unknown>): Promise<AccountError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AccountError);
  return error as AccountError;
}

describe("createGitHubAccounts", () => {
  test("a token's account is asked once and then remembered until the time is up", async () => {
    const { apiUrl, asked } = await startGitHub();
    let now = 0;
    const accounts = createGitHubAccounts({ apiUrl: `${apiUrl}/`, cacheMs: 1000, now: () => now });
    expect(await accounts.resolve("good-1")).toEqual(account);
    now = 999;
    expect(await accounts.resolve("good-1")).toEqual(account);
    expect(asked).toEqual(["GET /copilot_internal/user Bearer good-1"]);
    now = 1000;
    await accounts.resolve("good-1");
    accounts.forget("good-1");
    await accounts.resolve("good-1");
    expect(asked).toHaveLength(3);
  });

  test("callers at the same time share one request", async () => {
    const { apiUrl, asked } = await startGitHub();
    const accounts = createGitHubAccounts({ apiUrl });
    await Promise.all([accounts.resolve("good-1"), accounts.resolve("good-1"), accounts.resolve("good-2")]);
    expect(asked).toHaveLength(2);
  });

  test("a refused token is a 'rejected' error that names the status and is remembered", async () => {
    const { apiUrl, asked } = await startGitHub();
    const accounts = createGitHubAccounts({ apiUrl });
    const error = await failureOf(accounts.resolve("bad-secret"));
    expect([error.kind, error.status]).toEqual(["rejected", 401]);
    expect(error.message).toContain("401 Unauthorized");
    await failureOf(accounts.resolve("bad-secret"));
    expect(asked).toHaveLength(1);
    expect(inspect([error, accounts], { depth: 10, showHidden: true })).not.toContain("bad-secret");
  });

  test("a 403 is a refusal, unless it is a rate limit", async () => {
    const limits: Record<string, string>[] = [{}, { "x-ratelimit-remaining": "0" }, { "retry-after": "5" }];
    const apiUrl = await listen((_, response) => response.writeHead(403, limits.shift()).end());
    const accounts = createGitHubAccounts({ apiUrl });
    const errors = [];
    for (const token of ["a", "b", "c"]) errors.push(await failureOf(accounts.resolve(token)));
    expect(errors.map((error) => error.kind)).toEqual(["rejected", "unavailable", "unavailable"]);
    expect(errors[0]?.message).toContain("403 Forbidden");
  });

  test("an account without a Copilot record is read from /user", async () => {
    const apiUrl = await listen((request, response) => {
      if (request.url === "/user") response.end('{"login":"bob","id":1}');
      else response.writeHead(404).end();
    });
    expect(await createGitHubAccounts({ apiUrl }).resolve("t")).toEqual({
      login: "bob",
      plan: undefined,
      copilotApiUrl: undefined,
      host: "https://github.com",
      analyticsId: undefined,
      raw: { login: "bob", id: 1 },
    });
  });

  test("trouble on the way is 'unavailable', is not remembered and never shows the token", async () => {
    const answers = [
      (response: import("node:http").ServerResponse) => response.writeHead(500).end(),
      (response: import("node:http").ServerResponse) => response.destroy(),
      (response: import("node:http").ServerResponse) => response.end("<html>"),
      (response: import("node:http").ServerResponse) => response.end("{}"),
      (response: import("node:http").ServerResponse) =>
        response.writeHead(302, { location: "https://elsewhere.invalid" }).end(),
    ];
    const apiUrl = await listen((_, response) => {
      const answer = answers.shift();
      if (answer) answer(response);
      else response.end(JSON.stringify(alice));
    });
    const accounts = createGitHubAccounts({ apiUrl });
    while (answers.length > 0) {
      const error = await failureOf(accounts.resolve("good-secret"));
      expect(error.kind).toBe("unavailable");
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("good-secret");
    }
    expect((await accounts.resolve("good-secret")).login).toBe("alice");
    // A token that is no header value makes `fetch` quote it.
    const broken = await failureOf(accounts.resolve("line\nbreak-secret"));
    expect([broken.kind, inspect(broken).includes("break-secret")]).toEqual(["unavailable", false]);
  });

  test("an abort ends one caller's wait; the last one's ends the request", async () => {
    let arrived = () => {};
    let dropped = () => {};
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    const wasDropped = new Promise<void>((resolve) => (dropped = resolve));
    const apiUrl = await listen((_, response) => {
      response.on("close", dropped);
      arrived();
    });
    const accounts = createGitHubAccounts({ apiUrl });
    const stops = [new AbortController(), new AbortController()];
    const calls = stops.map((stop) => accounts.resolve("t", stop.signal));
    await hasArrived;
    const reason = new Error("gone");
    stops[0]?.abort(reason);
    await expect(calls[0]).rejects.toBe(reason);
    stops[1]?.abort(reason);
    await expect(calls[1]).rejects.toBe(reason);
    await wasDropped;
  });

  test("the thousand tokens used last are remembered", async () => {
    let requests = 0;
    const accounts = createGitHubAccounts({
      apiUrl: "https://api.github.com",
      fetch: async () => {
        requests++;
        return Response.json(alice);
      },
    });
    for (let i = 0; i < 1000; i++) await accounts.resolve(`t${i}`);
    await accounts.resolve("t0");
    await accounts.resolve("one more");
    await accounts.resolve("t0");
    expect(requests).toBe(1001);
    await accounts.resolve("t1");
    expect(requests).toBe(1002);
  });
});

test("hostOf knows GitHub's own, its tenants' and the server edition's addresses", () => {
  expect(
    [
      "https://api.github.com",
      "https://api.acme.ghe.com/",
      "https://git.acme.test/api/v3",
      "http://127.0.0.1:8080",
    ].map(hostOf),
  ).toEqual(["https://github.com", "https://acme.ghe.com", "https://git.acme.test", "https://github.com"]);
});
