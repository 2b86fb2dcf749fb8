/** What backend services do with an SDK: many users on one client, chats that go on, jobs, health, cleaning up. */
import { startScriptedModelServer } from "@rightseat/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, type CopilotSession, RuntimeConnection, type SessionConfig } from "../src/index.ts";

let home: TempHome;
let server: TestServer;
const clients: CopilotClient[] = [];
beforeEach(async () => {
  home = await tempHome();
  server = await startServer(home.path, { flags: ["--demo"] });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

/** As the official documentation writes it: an address, or a connection. */
function connect(how: "cliUrl" | "connection" = "connection"): CopilotClient {
  const address = `localhost:${server.port}`;
  const client = new CopilotClient(
    how === "cliUrl" ? { cliUrl: address } : { connection: RuntimeConnection.forUri(address), mode: "empty" },
  );
  clients.push(client);
  return client;
}

const CUSTOM_ONLY: SessionConfig = { availableTools: ["custom:*"] };
const textOf = async (session: CopilotSession, prompt: string) =>
  (await session.sendAndWait({ prompt }))?.data.content;

test("many users share a client, each in a session of their own", async () => {
  const client = connect();
  const users = Array.from({ length: 30 }, (_, index) => `user${index}`);
  const chat = async (user: string) => {
    const session = await client.createSession({ ...CUSTOM_ONLY, sessionId: `${user}-chat` });
    await textOf(session, `My name is ${user}.`);
    return textOf(session, "What is my name?");
  };
  expect(await Promise.all(users.map(chat))).toEqual(users.map((user) => `Your name is ${user}.`));
});

test("a chat is resumed where there is one, and made where there is none, by any process", async () => {
  const openChat = async (client: CopilotClient) => {
    try {
      return await client.resumeSession("ada-chat");
    } catch {
      return client.createSession({ ...CUSTOM_ONLY, sessionId: "ada-chat" });
    }
  };
  const first = await openChat(connect());
  await textOf(first, "My name is Ada.");
  await first.disconnect();
  expect(await textOf(await openChat(connect()), "What is my name?")).toBe("Your name is Ada.");
});

test("a client made for one request, by its address alone", async () => {
  await using client = connect("cliUrl");
  await using session = await client.createSession({ sessionId: "request" });
  expect(await textOf(session, "echo done")).toBe("done");
});

test("a job is carried out once, however often it is taken up", async () => {
  const carryOut = async (job: { id: string; prompt: string }) => {
    const client = connect();
    const config = { ...CUSTOM_ONLY, sessionId: `job-${job.id}` };
    await client.start();
    const known = await client.getSessionMetadata(config.sessionId);
    const session = known
      ? await client.resumeSession(config.sessionId, config)
      : await client.createSession(config);
    // A worker that was killed after it had sent the prompt left it with the server.
    await session.send({ prompt: job.prompt, messageId: job.id });
    return session;
  };
  const job = { id: "j1", prompt: "echo result" };
  const first = await carryOut(job);
  await first.sendAndWait("echo something else");
  const second = await carryOut(job);
  const prompts = (await second.getEvents()).flatMap((event) =>
    event.type === "user.message" ? [event.data.content] : [],
  );
  expect(prompts).toEqual(["echo result", "echo something else"]);
});

test("a health check tells a server that answers from one that does not", async () => {
  const client = connect();
  const isHealthy = async () => {
    try {
      return (await client.getStatus({ timeoutMs: 1000 })) !== undefined;
    } catch {
      return false;
    }
  };
  expect(await isHealthy()).toBe(false);
  await client.start();
  expect(await isHealthy()).toBe(true);
  await server.shutdown();
  expect(await isHealthy()).toBe(false);
});

test("old sessions are deleted by when they were created", async () => {
  const client = connect();
  for (const sessionId of ["a", "b", "c"]) await client.createSession({ ...CUSTOM_ONLY, sessionId });
  const deleteOlderThan = async (maxAgeMs: number) => {
    const deleted: string[] = [];
    for (const { sessionId, createdAt } of await client.listSessions()) {
      if (Date.now() - new Date(createdAt).getTime() < maxAgeMs) continue;
      await client.deleteSession(sessionId);
      deleted.push(sessionId);
    }
    return deleted.sort();
  };
  expect(await deleteOlderThan(60_000)).toEqual([]);
  expect(await deleteOlderThan(0)).toEqual(["a", "b", "c"]);
  expect(await client.listSessions()).toEqual([]);
  await expect(client.deleteSession("a")).rejects.toThrow(/^Failed to delete session a: /);
});

test("few sessions are kept open, the one used longest ago goes, and all of them go on", async () => {
  const client = connect();
  const open = new Map<string, CopilotSession>();
  const get = async (sessionId: string) => {
    const known = open.get(sessionId);
    if (known) return known;
    const [oldest] = open.keys();
    if (open.size >= 2 && oldest) {
      await open.get(oldest)?.disconnect();
      open.delete(oldest);
    }
    const exists = await client.getSessionMetadata(sessionId);
    const session = exists
      ? await client.resumeSession(sessionId, CUSTOM_ONLY)
      : await client.createSession({ ...CUSTOM_ONLY, sessionId });
    open.set(sessionId, session);
    return session;
  };
  await client.start();
  for (const name of ["Ada", "Bob", "Cleo"]) await textOf(await get(name), `My name is ${name}.`);
  for (const name of ["Ada", "Bob", "Cleo"])
    expect(await textOf(await get(name), "What is my name?")).toBe(`Your name is ${name}.`);
  expect(open.size).toBe(2);
});

test("a chat that was ended cannot be gone on with", async () => {
  const client = connect();
  const session = await client.createSession({ ...CUSTOM_ONLY, sessionId: "ended" });
  await client.deleteSession("ended");
  await expect(session.send("hello")).rejects.toThrow("the session ended was deleted");
  await expect(client.resumeSession("ended", CUSTOM_ONLY)).rejects.toThrow(/Session not found/);
});

test("news of sessions reach every client that asks for them", async () => {
  const watcher = connect();
  const news: string[] = [];
  watcher.onLifecycle((event) => news.push(`${event.type} ${event.sessionId}`));
  const deleted = new Promise((resolve) => watcher.onLifecycle("session.deleted", resolve));
  await watcher.start();
  const client = connect();
  await client.createSession({ ...CUSTOM_ONLY, sessionId: "news" });
  await client.deleteSession("news");
  await deleted;
  expect(news).toEqual(["session.created news", "session.deleted news"]);
});

test("a client for each user, and sessions that only their owner may go on with", async () => {
  const pool = new Map<string, CopilotClient>();
  const clientOf = (user: string) => {
    const known = pool.get(user) ?? connect("cliUrl");
    pool.set(user, known);
    return known;
  };
  const resumeAs = (user: string, sessionId: string) => {
    if (!sessionId.startsWith(`${user}-`)) throw new Error("the session is another user's");
    return clientOf(user).resumeSession(sessionId);
  };
  for (const user of ["ada", "bob"]) {
    const session = await clientOf(user).createSession({ sessionId: `${user}-${Date.now()}` });
    await textOf(session, `My name is ${user}.`);
    await session.disconnect();
    expect(await textOf(await resumeAs(user, session.sessionId), "What is my name?")).toBe(
      `Your name is ${user}.`,
    );
    expect(() => resumeAs("eve", session.sessionId)).toThrow("another user");
  }
  expect(clientOf("ada")).not.toBe(clientOf("bob"));
  await clientOf("ada").stop();
});

test("a session that several people share takes their messages one after the other", async () => {
  const client = connect("cliUrl");
  await (await client.createSession({ sessionId: "team" })).disconnect();
  let turn: Promise<unknown> = Promise.resolve();
  const say = (prompt: string) => {
    const answer = turn.then(async () => textOf(await client.resumeSession("team"), prompt));
    turn = answer;
    return answer;
  };
  const names = ["ada", "bob", "cleo"];
  expect(await Promise.all(names.map((name) => say(`echo ${name}`)))).toEqual(names);
  const events = await (await client.resumeSession("team")).getEvents();
  expect(events.flatMap(({ type, data }) => (type === "user.message" ? [data.content] : []))).toEqual(
    names.map((name) => `echo ${name}`),
  );
});

test("servers are taken in turn, and a user stays with one", async () => {
  await using otherHome = await tempHome();
  await using other = await startServer(otherHome.path, { flags: ["--demo"] });
  const addresses = [server.port, other.port].map((port) => `localhost:${port}`);
  const chatOf = async (user: number) => {
    const client = new CopilotClient({ cliUrl: addresses[user % addresses.length] });
    clients.push(client);
    const session = await client.createSession({ sessionId: `user-${user}`, model: "demo" });
    return [await textOf(session, `echo ${user}`), client.address];
  };
  expect(await Promise.all([0, 1, 2].map(chatOf))).toEqual([
    ["0", addresses[0]],
    ["1", addresses[1]],
    ["2", addresses[0]],
  ]);
});

test("a chat without an end is begun, gone on with and ended by requests that share nothing but its id", async () => {
  const client = connect("cliUrl");
  const { sessionId } = await client.createSession({
    infiniteSessions: { enabled: true, backgroundCompactionThreshold: 0.8 },
  });
  const say = async (prompt: string) => textOf(await client.resumeSession(sessionId), prompt);
  await say("My name is Ada.");
  expect(await say("What is my name?")).toBe("Your name is Ada.");
  await client.deleteSession(sessionId);
  await expect(say("Are you there?")).rejects.toThrow(/Session not found/);
});

test("each session brings a model provider of its own, with a key or a token that is got when it is needed", async () => {
  await using model = await startScriptedModelServer();
  const client = connect();
  const ask = async (provider: SessionConfig["provider"], name = "scripted") => {
    await using session = await client.createSession({ ...CUSTOM_ONLY, model: name, provider });
    return await textOf(session, "echo hello");
  };
  const baseUrl = `${model.url}/v1`;
  expect(await ask({ type: "openai", baseUrl, apiKey: "key", headers: { "x-team": "a" } })).toBe("hello");
  expect(await ask({ type: "openai", baseUrl, wireApi: "responses", bearerToken: "token" })).toBe("hello");
  expect(await ask({ type: "anthropic", baseUrl: model.url, apiKey: "key" })).toBe("hello");
  const azure = { apiVersion: "2024-10-21" };
  expect(await ask({ type: "azure", baseUrl: model.url, apiKey: "key", azure })).toBe("hello");
  expect(await ask({ type: "openai", baseUrl })).toBe("hello");
  const asked: unknown[] = [];
  const bearerTokenProvider = async (request: unknown) => {
    asked.push(request);
    return "fresh";
  };
  expect(await ask({ type: "openai", baseUrl, bearerTokenProvider })).toBe("hello");
  expect(asked).toEqual([{ providerName: "default", sessionId: expect.any(String) }]);
  const authorizations = model.requests.map(
    ({ headers }) => headers.authorization ?? headers["x-api-key"] ?? headers["api-key"],
  );
  expect(authorizations).toEqual(["Bearer key", "Bearer token", "key", "key", undefined, "Bearer fresh"]);
  expect(model.requests[3]?.url).toContain("api-version=2024-10-21");
  expect(model.requests[0]?.headers["x-team"]).toBe("a");
});

test("models are the application's own where it says so, and asked for once where it does not", async () => {
  const own = { id: "mine", name: "Mine", capabilities: { supports: {}, limits: {} } } as never;
  const client = new CopilotClient({ cliUrl: `localhost:${server.port}`, onListModels: () => [own] });
  clients.push(client);
  expect(await client.listModels()).toEqual([own]);
  const other = connect();
  await other.start();
  const [models, again] = [await other.listModels(), await other.listModels()];
  expect(models).toEqual(again);
  expect(models.map(({ id }) => id)).toContain("demo");
});
