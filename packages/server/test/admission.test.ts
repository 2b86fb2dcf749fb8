/** Every way in is asked for its tenant's limits: a table of all methods and what each needs. */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { ADMISSION, type Need } from "../src/methods/admission.ts";
import { seeded } from "./support/random.ts";
import { startServer, tempHome } from "./support/servers.ts";
import { validParams } from "./support/valid-params.ts";

const acme = createToken();

async function world(home: string) {
  const model = await startScriptedModelServer();
  const file = join(home, "rightseat.json");
  const auth = { principals: [{ name: "acme", tenant: "acme", tokens: [{ sha256: acme.sha256 }] }] };
  const write = (limits: object) =>
    writeFile(file, JSON.stringify({ auth, limits: { tenants: { acme: limits } } }));
  await write({});
  const server = await startServer(home, {
    flags: ["--durability", "os", "--config", file],
    env: {
      COPILOT_PROVIDER_BASE_URL: `${model.url}/v1`,
      COPILOT_MODEL: "scripted",
      PATH: process.env.PATH ?? "",
      COPILOT_DEBUG_GITHUB_API_URL: "http://127.0.0.1:1",
    },
    pace: { storedBytesKeptMs: 1 },
  });
  const client = await server.connect();
  for (const method of ["userInput.request", "hooks.invoke", "systemMessage.transform"])
    client.answers.set(method, () => new Promise(() => undefined));
  await client.request("connect", { token: acme.token });
  return {
    server,
    model,
    client,
    limit: async (limits: object) => {
      await write(limits);
      server.reload();
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
    },
  };
}

const making = () => ({ random: seeded(5), text: () => "some text", valueFor: () => undefined });

function paramsOf(method: string, sessionId: string): Record<string, unknown> {
  const more: Record<string, object> = {
    "session.sendMessages": { messages: [{ prompt: "a" }, { prompt: "b" }] },
    "session.commands.invoke": { name: "compact" },
    "session.commands.enqueue": { command: "/plan it" },
    "session.tasks.startAgent": { agentType: "task", name: "a", prompt: "b" },
    "session.log": { message: "a word" },
    "session.create": { sessionId: undefined },
    "session.permissions.locations.addToolApproval": {
      locationKey: "/nowhere",
      approval: { kind: "commands", commandIdentifiers: ["echo"] },
    },
  };
  return validParams(method, { sessionId, ...more[method] }, making());
}

const METHODS = [...ADMISSION.keys()].filter((method) => method !== "runtime.shutdown");
const needsOf = (method: string): readonly Need[] => {
  const needs = ADMISSION.get(method);
  return typeof needs === "function" ? needs({ name: "compact" }) : (needs ?? []);
};

/** What a call was refused for; undefined for another answer. */
function refusedFor(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => undefined,
    ({ data }: { data?: { reason?: string; limit?: string } }) =>
      data?.reason === "limit_exceeded" ? data.limit : undefined,
  );
}

/** The same of one that may wait for somebody: undefined, too, when no answer comes soon. */
function limitOf(answer: Promise<unknown>): Promise<unknown> {
  return Promise.race([refusedFor(answer), new Promise((resolve) => setTimeout(resolve, 100))]);
}

describe("every method", () => {
  const asking = (needs: readonly Need[]) => (method: string) =>
    needsOf(method).some((need) => needs.includes(need));
  const LIMITS = [
    { limit: "turnsPerMinute", max: 1, asked: asking(["prompt", "model-call"]) },
    { limit: "turnsPerDay", max: 1, asked: asking(["prompt", "model-call"]) },
    { limit: "tokensPerMinute", max: 1, asked: asking(["prompt", "model-call"]) },
    { limit: "tokensPerDay", max: 1, asked: asking(["prompt", "model-call"]) },
    { limit: "storedBytes", max: 1, asked: asking(["prompt", "model-call", "store", "make"]) },
    { limit: "memoryBytes", max: 1, asked: (method: string) => needsOf(method).length > 0 },
    { limit: "openSessions", max: 1, asked: asking(["session"]) },
  ];

  test.each(LIMITS)("that needs it is refused over $limit, and no other", async ({ limit, max, asked }) => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { client } = w;
    const sessions = new Map<string, string>();
    for (const method of METHODS) {
      const { sessionId } = await client.request("session.create", { workingDirectory: home.work });
      sessions.set(method, sessionId);
    }
    // One that is not open, to be resumed.
    const closed = sessions.get("session.resume") as string;
    await client.request("session.detach", { sessionId: closed });
    await client.ask(sessions.get("session.send") as string, "hello");
    const before = w.model.requests.length;
    await w.limit({ [limit]: max });
    const refused: string[] = [];
    for (const method of METHODS) {
      const answer = client.request(method, paramsOf(method, sessions.get(method) as string));
      // A refusal is an answer, however long it takes.
      const seen = await (asked(method) ? refusedFor(answer) : limitOf(answer));
      if (seen === limit) refused.push(method);
    }
    expect(refused.sort()).toEqual(METHODS.filter(asked).sort());
    // Nothing has reached the model another way.
    if (limit !== "openSessions") expect(w.model.requests).toHaveLength(before);
  });
});

describe("several prompts in one call", () => {
  test("are all taken or none", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    await w.limit({ turnsPerMinute: 2 });
    const three = { sessionId, messages: [{ prompt: "a" }, { prompt: "b" }, { prompt: "c" }] };
    expect(await refusedFor(w.client.request("session.sendMessages", three))).toBe("turnsPerMinute");
    expect(w.model.requests).toHaveLength(0);
    await w.client.request("session.sendMessages", {
      sessionId,
      messages: [{ prompt: "a" }, { prompt: "b" }],
    });
    await expect.poll(() => w.model.requests.length).toBe(2);
  });
});

describe("a file that alone would be too much", () => {
  test("is not written, and what was let in counts before it is measured", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    await w.limit({ storedBytes: 1_000_000 });
    const write = (path: string, size: number) =>
      w.client.request("session.workspaces.createFile", { sessionId, path, content: "x".repeat(size) });
    expect(await refusedFor(write("large.txt", 1_000_000))).toBe("storedBytes");
    const seen = await Promise.all(
      Array.from({ length: 4 }, (_, n) => refusedFor(write(`${n}.txt`, 400_000))),
    );
    expect(seen.filter((limit) => limit === "storedBytes").length).toBeGreaterThanOrEqual(2);
    const { files } = await w.client.request("session.workspaces.listFiles", { sessionId });
    expect(files.length).toBeLessThanOrEqual(2);
  });
});

describe("what tools store", () => {
  test("is refused at the write when it would be too much", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    await w.client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    const { path } = await w.client.request("session.workspaces.getWorkspace", { sessionId });
    await w.limit({ storedBytes: 2_700_000 });
    const large = { path: join(path, "files", "large"), file_text: "x".repeat(1_000_000) };
    w.model.use([
      { toolCalls: [{ name: "bash", arguments: { command: "yes | head -c 5000000", description: "" } }] },
      { toolCalls: [{ name: "create", arguments: large }] },
      { text: "done" },
    ]);
    await w.client.ask(sessionId, "go");
    const results = w.client
      .of(sessionId)
      .filter(({ type }) => type === "tool.execution_complete")
      .map(({ data }) => data);
    expect(results.map(({ success }) => success)).toEqual([true, false]);
    expect(results[0].result.content).toMatch(/The file ends \d+ bytes short of the output/);
    expect(results[1].error).toMatchObject({ code: "limit_exceeded" });
    expect(results[1].error.message).toContain("storedBytes");
    const kept = await readdir(join(path, "temp"));
    expect(kept).toHaveLength(1);
    expect((await stat(join(path, "temp", kept[0] as string))).size).toBeLessThan(2_700_000);
    expect(await readdir(join(path, "files")).catch(() => [])).toEqual([]);
  });
});

describe("what else tools would store beyond what may be stored is refused, and nothing of it is there", () => {
  async function ended(
    w: Awaited<ReturnType<typeof world>>,
    sessionId: string,
    toolCall: { name: string; arguments: object },
  ) {
    w.model.use([{ toolCalls: [toolCall] }, { text: "done" }]);
    await w.client.ask(sessionId, "go").catch(() => undefined);
    return w.client.until(
      () => w.client.of(sessionId).find(({ type }) => type === "tool.execution_complete")?.data,
    );
  }
  const refused = {
    success: false,
    error: { code: "limit_exceeded", message: expect.stringContaining("storedBytes") },
  };

  test("what a file held before, where changes are kept: the file stays as it was", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", {
      workingDirectory: home.work,
      enableFileChangeTracking: true,
    });
    await w.client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    const path = join(home.work, "large.txt");
    await writeFile(path, `old ${"x".repeat(1_000_000)}`);
    await w.limit({ storedBytes: 1_000_000 });
    const edit = { path, old_str: "old", new_str: "new" };
    expect(await ended(w, sessionId, { name: "edit", arguments: edit })).toMatchObject(refused);
    expect((await readFile(path, "utf8")).slice(0, 3)).toBe("old");
  });

  test("a query of the session's database", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    const { path } = await w.client.request("session.workspaces.getWorkspace", { sessionId });
    await w.limit({ storedBytes: 150_000 });
    const query = `create table t as select '${"x".repeat(200_000)}' as a`;
    expect(await ended(w, sessionId, { name: "sql", arguments: { query, description: "" } })).toMatchObject(
      refused,
    );
    // On a store in memory there is no directory before there is a file.
    const names = await readdir(path).catch((): string[] => []);
    expect(names.filter((name) => /\.db|sqlite/.test(name))).toEqual([]);
  });
});

describe("calls of models that nobody sent a prompt for", () => {
  const used = { inputTokens: 900, outputTokens: 100 };

  test("the next turn of a run is refused when its tenant has no tokens left", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    await w.client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await w.limit({ tokensPerDay: 500 });
    w.model.use([
      { toolCalls: [{ name: "bash", arguments: { command: "true", description: "" } }], usage: used },
    ]);
    await w.client.ask(sessionId, "go");
    const { data } = await w.client.event(sessionId, "session.error");
    expect(data).toMatchObject({ errorType: "quota", errorCode: "limit_exceeded" });
    expect(data.message).toContain("tokensPerDay");
    expect(w.model.requests).toHaveLength(1);
  });

  test("so is a sub-agent's first", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    await w.client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await w.limit({ tokensPerDay: 500 });
    const task = { agent_type: "task", name: "dig", description: "dig", prompt: "dig" };
    w.model.use([{ toolCalls: [{ name: "task", arguments: task }], usage: used }]);
    await w.client.ask(sessionId, "go");
    expect((await w.client.event(sessionId, "subagent.failed")).data.error).toContain("tokensPerDay");
    expect(w.model.requests).toHaveLength(1);
  });
});

describe("memory that a tenant's clients take", () => {
  const tools = (n: number) => [
    {
      name: `t${n}`,
      description: "d".repeat(500_000),
      parameters: { type: "object", title: "p".repeat(500_000) },
    },
  ];

  test("is bounded: what is too much is refused by name, and there is room again when sessions go", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    await w.limit({ memoryBytes: 3_500_000 });
    const create = (n: number) =>
      w.client.request("session.create", {
        sessionId: `large-${n}`,
        workingDirectory: home.work,
        tools: tools(n),
      });
    for (let n = 0; n < 3; n += 1) await create(n);
    const refused = await create(3).catch(({ data }: { data: object }) => data);
    expect(refused).toMatchObject({ reason: "limit_exceeded", limit: "memoryBytes", max: 3_500_000 });
    expect(await w.client.request("session.getMessages", { sessionId: "large-0" })).toMatchObject({});
    await w.client.request("session.delete", { sessionId: "large-0" });
    await expect.poll(() => limitOf(create(3))).toBeUndefined();
  });

  test("small values count as what they become", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    await w.limit({ memoryBytes: 3_500_000 });
    const many = Array.from({ length: 60_000 }, () => ({}));
    const tool = { name: "t", description: "", parameters: { type: "object", examples: many } };
    const made = w.client.request("session.create", { workingDirectory: home.work, tools: [tool] });
    expect(await refusedFor(made)).toBe("memoryBytes");
  });

  test("counts prompts that wait, until they have run", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    await w.limit({ memoryBytes: 2_000_000 });
    const { sessionId } = await w.client.request("session.create", { workingDirectory: home.work });
    w.model.use([{ hang: true }]);
    await w.client.request("session.send", { sessionId, prompt: "hold on" });
    const send = () => w.client.request("session.send", { sessionId, prompt: "x".repeat(900_000) });
    await send();
    await send();
    expect(await refusedFor(send())).toBe("memoryBytes");
    await w.client.request("session.abort", { sessionId });
    w.model.use(undefined);
    await expect.poll(() => limitOf(send())).toBeUndefined();
  });
});
