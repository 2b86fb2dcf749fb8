/** Sessions over their life: asleep and awake, restarted, handed over, listed, deleted, read. */
import { appendFile, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";

const eventsFile = (home: string, sessionId: string) =>
  join(home, "session-state", sessionId, "events.jsonl");

describe("hibernation", () => {
  test("is not noticed: a session that fell asleep answers as one that did not", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo", "--hibernate-after", "1"] });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "sleeper" });
    await client.ask("sleeper", "my name is Ada");
    await client.until(
      () => server.log.some((line) => line.message === "a session fell asleep") || pollLater(client),
    );
    expect(await client.ask("sleeper", "what is my name?")).toContain("Ada");
    const { events } = await client.request("session.getMessages", { sessionId: "sleeper" });
    expect(events.filter((event: { type: string }) => event.type === "user.message")).toHaveLength(2);
    expect(
      events.some(
        (event: { type: string }) => event.type === "session.resume" || event.type === "session.shutdown",
      ),
    ).toBe(false);
    await client.close();
  }, 30_000);

  test("--session-idle-timeout shuts unused sessions down, and they can be resumed", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo", "--session-idle-timeout", "1"] });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "idler" });
    await client.ask("idler", "echo hi");
    await client.event("idler", "session.shutdown");
    await expect(client.request("session.send", { sessionId: "idler", prompt: "x" })).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
    await client.request("session.resume", { sessionId: "idler" });
    expect(await client.ask("idler", "echo back")).toBe("back");
    await client.close();
  }, 30_000);
});

/** Makes `until` look again: nothing comes over the wire when a session falls asleep. */
function pollLater(client: { request(method: string): Promise<unknown> }): false {
  setTimeout(() => void client.request("ping").catch(() => undefined), 100);
  return false;
}

describe("a damaged log", () => {
  test.each([
    [
      "a torn last line",
      async (path: string) => appendFile(path, '{"type":"assistant.message","data":{"content":"half'),
    ],
    ["trailing NUL bytes", async (path: string) => truncate(path, (await readFile(path)).length + 4096)],
  ])(
    "with %s is repaired, with a line in the server's log that says what was repaired",
    async (_what, damage) => {
      await using home = await tempHome();
      {
        await using server = await startServer(home.path, { flags: ["--demo"], storeKind: "files" });
        const client = await server.connect();
        await client.request("session.create", { sessionId: "torn" });
        await client.ask("torn", "echo before");
        await client.close();
      }
      await damage(eventsFile(home.path, "torn"));
      await using server = await startServer(home.path, { flags: ["--demo"], storeKind: "files" });
      const client = await server.connect();
      await client.request("session.resume", { sessionId: "torn" });
      expect(await client.ask("torn", "echo after")).toBe("after");
      const repaired = server.log.find((line) => line.message.includes("was repaired"));
      expect(repaired?.fields).toMatchObject({ sessionId: "torn", droppedBytes: expect.any(Number) });
      const { events } = await client.request("session.getMessages", { sessionId: "torn" });
      const said = events.filter((event: { type: string }) => event.type === "assistant.message");
      expect(said.map((event: { data: { content: string } }) => event.data.content)).toEqual([
        "before",
        "after",
      ]);
      await client.close();
    },
  );
});

test("a session that the Copilot CLI wrote is listed, resumed and gone on with", async () => {
  await using home = await tempHome();
  const directory = join(home.path, "session-state", "from-the-cli");
  await mkdir(directory, { recursive: true });
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const id = (index: number) => `00000000-0000-4000-8000-00000000000${index}`;
  const lines = [
    {
      type: "session.start",
      data: {
        sessionId: "from-the-cli",
        version: 1,
        producer: "copilot-agent",
        copilotVersion: "1.0.81",
        startTime: at(0),
        selectedModel: "demo",
        context: { cwd: "/srv/app", branch: "main" },
      },
    },
    {
      type: "user.message",
      data: { content: "my name is Grace", transformedContent: "my name is Grace", attachments: [] },
    },
    { type: "assistant.turn_start", data: { turnId: "0" } },
    {
      type: "assistant.message",
      data: {
        messageId: "m1",
        content: "Hello Grace.",
        toolRequests: [{ toolCallId: "t1", name: "bash", arguments: { command: "ls" }, type: "function" }],
      },
    },
    { type: "some.future_event", data: { anything: [1, 2, 3] } },
    {
      type: "tool.execution_start",
      data: { toolCallId: "t1", toolName: "bash", arguments: { command: "ls" } },
    },
  ].map((event, index) =>
    JSON.stringify({
      ...event,
      id: id(index),
      timestamp: at(index),
      parentId: index === 0 ? null : id(index - 1),
    }),
  );
  await writeFile(join(directory, "events.jsonl"), `${lines.join("\n")}\n`);
  await using server = await startServer(home.path, { flags: ["--demo"], storeKind: "files" });
  const client = await server.connect();
  const { sessions } = await client.request("session.list", {});
  expect(sessions).toMatchObject([
    { sessionId: "from-the-cli", startTime: at(0), context: { cwd: "/srv/app", branch: "main" } },
  ]);
  await client.request("session.resume", { sessionId: "from-the-cli" });
  expect(await client.ask("from-the-cli", "what is my name?")).toContain("Grace");
  const { events } = await client.request("session.getMessages", { sessionId: "from-the-cli" });
  expect(events.map((event: { type: string }) => event.type).slice(0, 7)).toEqual([
    "session.start",
    "user.message",
    "assistant.turn_start",
    "assistant.message",
    "some.future_event",
    "tool.execution_start",
    "session.resume",
  ]);
  // The call that was cut off has a result now, so that no provider refuses the conversation.
  expect(
    events.find((event: { type: string }) => event.type === "tool.execution_complete").data,
  ).toMatchObject({ toolCallId: "t1", success: false });
  await client.close();
});

describe("two servers on one home", () => {
  test("an idle session goes to the one that asks, and the first one says that it is gone", async () => {
    await using home = await tempHome();
    await using first = await startServer(home.path, { flags: ["--demo"] });
    await using second = await startServer(home.path, { flags: ["--demo"] });
    const one = await first.connect();
    const two = await second.connect();
    await one.request("session.create", { sessionId: "shared" });
    await one.ask("shared", "my name is Ada");
    await two.request("session.resume", { sessionId: "shared" });
    expect(await two.ask("shared", "what is my name?")).toContain("Ada");
    await expect(one.request("session.send", { sessionId: "shared", prompt: "x" })).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
    await one.request("session.resume", { sessionId: "shared" });
    expect(await one.ask("shared", "what is my name?")).toContain("Ada");
    await one.close();
    await two.close();
  });

  test("a busy session stays, and the one that asks is told so", async () => {
    await using home = await tempHome();
    await using first = await startServer(home.path, { flags: ["--demo", "--shutdown-grace", "0"] });
    await using second = await startServer(home.path, { flags: ["--demo"] });
    const one = await first.connect();
    const two = await second.connect();
    const tool = {
      name: "wait_here",
      description: "waits",
      parameters: { type: "object", properties: {} },
      skipPermission: true,
    };
    await one.request("session.create", { sessionId: "busy", tools: [tool] });
    await one.request("session.send", { sessionId: "busy", prompt: "call wait_here" });
    await one.event("busy", "external_tool.requested");
    await expect(two.request("session.resume", { sessionId: "busy" })).rejects.toMatchObject({
      data: { reason: "session_in_use" },
    });
    await one.close();
    await two.close();
  });
});

describe("history", () => {
  test("larger than what is held in memory is streamed whole, while other requests are answered", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"] });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "long" });
    const text = "ü✓".repeat(100_000);
    for (let turn = 0; turn < 4; turn += 1)
      await client.request("session.log", { sessionId: "long", message: `${turn}${text}` });
    const [history, pong] = await Promise.all([
      client.request("session.getMessages", { sessionId: "long" }),
      client.request("ping", { message: "x" }),
    ]);
    expect(pong.message).toBe("pong: x");
    const said = history.events.filter((event: { type: string }) => event.type === "session.info");
    expect(said.map((event: { data: { message: string } }) => event.data.message)).toEqual(
      [0, 1, 2, 3].map((turn) => `${turn}${text}`),
    );
    await client.close();
  });

  test("holds nothing that is the server's own", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"], storeKind: "files" });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "own" });
    await client.ask("own", "echo hi");
    const { events } = await client.request("session.getMessages", { sessionId: "own" });
    expect(events.filter((event: { type: string }) => event.type.startsWith("rightseat."))).toEqual([]);
    expect(await readFile(eventsFile(home.path, "own"), "utf8")).toContain("rightseat.run_ended");
    const read = await client.request("session.eventLog.read", { sessionId: "own", max: 2 });
    expect(read.events.map((event: { id: string }) => event.id)).toEqual(
      events.slice(0, 2).map((event: { id: string }) => event.id),
    );
    const rest = await client.request("session.eventLog.read", { sessionId: "own", cursor: read.cursor });
    expect([...read.events, ...rest.events]).toEqual(events);
    await client.close();
  });

  test("is read in pages of at most 4 MB, forwards and backwards; a larger event is a page of its own", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"] });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "large" });
    const megabytes = [1, 1, 1, 1, 5, 1];
    for (const size of megabytes)
      await client.request("session.log", { sessionId: "large", message: "x".repeat(size * 1_000_000) });
    const { events } = await client.request("session.getMessages", { sessionId: "large" });
    const read = async (direction: "forward" | "backward") => {
      const pages: { id: string }[][] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await client.request("session.eventLog.read", { sessionId: "large", cursor, direction });
        pages.push(page.events);
        if (!page.hasMore) return pages;
        cursor = page.cursor;
      }
    };
    const forward = await read("forward");
    expect(forward.flat()).toEqual(events);
    expect(forward.map((page) => page.length)).toEqual([events.length - 2, 1, 1]);
    const backward = await read("backward");
    expect(backward.reverse().flat()).toEqual(events);
    expect(Math.max(...backward.slice(1).map((page) => page.length))).toBe(1);
    await client.close();
  });
});

describe("listing", () => {
  test("filters by where sessions work, newest first", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"] });
    const client = await server.connect();
    for (const [sessionId, workingDirectory] of [
      ["a", "/tmp"],
      ["b", "/"],
      ["c", "/tmp"],
    ] as const) {
      await client.request("session.create", { sessionId, workingDirectory });
      await client.ask(sessionId, `echo ${sessionId}`);
    }
    const list = async (filter?: object) =>
      (await client.request("session.list", { filter })).sessions.map(
        (session: { sessionId: string }) => session.sessionId,
      );
    expect(await list()).toEqual(["c", "b", "a"]);
    expect(await list({ cwd: "/tmp" })).toEqual(["c", "a"]);
    expect(await client.request("session.getLastId")).toEqual({ sessionId: "c" });
    expect(await client.request("session.delete", { sessionId: "c" })).toEqual({ success: true });
    expect(await list()).toEqual(["b", "a"]);
    expect(await client.request("session.delete", { sessionId: "c" })).toMatchObject({
      success: false,
      error: expect.stringContaining("c"),
    });
    await client.close();
  });

  test("deleted twice at once, deleted while it is left, resumed while it is deleted or made", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo"] });
    const [client, other] = [await server.connect(), await server.connect()];
    const remove = (sessionId: string) => client.request("session.delete", { sessionId });
    const notFound = { data: { reason: "session_not_found" } };

    for (const sessionId of ["open", "left"]) await client.request("session.create", { sessionId });
    const resumed = (sessionId: string) =>
      expect(other.request("session.resume", { sessionId })).rejects.toMatchObject(notFound);
    const twice = Promise.all([remove("open"), remove("open")]);
    await Promise.all([twice, resumed("open")]);
    expect(await twice).toMatchObject([{ success: true }, { success: false }]);

    void client.request("session.detach", { sessionId: "left" });
    const away = Promise.all([remove("left"), remove("left")]);
    await Promise.all([away, resumed("left")]);
    expect(await away).toMatchObject([{ success: true }, { success: false }]);

    const made = client.request("session.create", { sessionId: "new" });
    const foundOnce = async (): Promise<unknown> =>
      other.request("session.resume", { sessionId: "new" }).catch((error: { data: { reason: string } }) => {
        if (error.data.reason === "session_not_found") return foundOnce();
        throw error;
      });
    expect(await Promise.all([made, foundOnce()])).toMatchObject([
      { sessionId: "new" },
      { sessionId: "new" },
    ]);

    await client.request("session.create", { sessionId: "again" });
    const remade = [remove("again"), client.request("session.create", { sessionId: "again" })];
    expect(await Promise.all(remade)).toMatchObject([{ success: true }, { sessionId: "again" }]);
    await Promise.all([client.close(), other.close()]);
  });
});

describe("who may connect", () => {
  test("without the right token nothing but the refusal is answered", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, {
      flags: ["--demo"],
      env: { COPILOT_CONNECTION_TOKEN: "right" },
    });
    const client = await server.connect();
    for (const [method, params] of [
      ["session.list", {}],
      ["connect", {}],
      ["connect", { token: "wrong" }],
      ["ping", {}],
    ] as const) {
      await expect(client.request(method, params)).rejects.toMatchObject({
        data: { reason: "authentication_failed" },
      });
    }
    expect(JSON.stringify(server.log)).not.toContain('wrong"');
    expect(await client.request("connect", { token: "right" })).toMatchObject({ ok: true });
    expect(await client.request("session.list")).toEqual({ sessions: [] });
    await client.close();
  });
});

describe("clients that come and go", () => {
  test("one that vanishes while its session is made does not stay attached to it", async () => {
    await using home = await tempHome();
    await using github = await silentServer();
    await using server = await startServer(home.path, { env: { COPILOT_DEBUG_GITHUB_API_URL: github.url } });
    const hasty = await server.connect();
    hasty
      .request("session.create", { sessionId: "left", model: "m", gitHubToken: "t" })
      .catch(() => undefined);
    await github.asked;
    await hasty.close();
    const other = await server.connect();
    await other.until(() => other.lifecycle.some((event) => event.type === "session.created"));
    // It is told of before it is committed, and taken off after.
    const refusal = async (): Promise<unknown> =>
      other.request("session.name.get", { sessionId: "left" }).then(refusal, (error) => error);
    expect(await refusal()).toMatchObject({ data: { reason: "session_not_found" } });
    await other.close();
  }, 30_000);

  test("one that resumes for the history alone may set options without a way to a model", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path);
    const client = await server.connect();
    const provider = { type: "openai", baseUrl: "http://127.0.0.1:1/v1", apiKey: "k" };
    await client.request("session.create", { sessionId: "s", model: "gpt-5", provider });
    await client.request("session.detach", { sessionId: "s" });
    await client.request("session.resume", { sessionId: "s" });
    const updated = client.request("session.options.update", {
      sessionId: "s",
      skipCustomInstructions: true,
    });
    expect(await updated).toEqual({ success: true });
    await client.close();
  });

  test("an account that GitHub refuses ends a run as an authentication error, not as an internal one", async () => {
    await using home = await tempHome();
    await using github = await silentServer(401);
    await using server = await startServer(home.path, {
      env: { COPILOT_DEBUG_GITHUB_API_URL: github.url, COPILOT_GITHUB_TOKEN: "t" },
    });
    const client = await server.connect();
    await client.request("session.create", { sessionId: "s", model: "gpt-5" });
    await client.ask("s", "hi");
    expect((await client.event("s", "session.error")).data).toMatchObject({ errorType: "authentication" });
    expect(server.log.filter((line) => line.level === "error")).toEqual([]);
    await client.close();
  });
});

/** An HTTP server that answers with a status, or never. */
async function silentServer(status?: number) {
  let noticed: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    noticed = resolve;
  });
  const http = createHttpServer((_request, response) => {
    noticed();
    if (status !== undefined) response.writeHead(status).end("{}");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  const { port } = http.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
    },
  };
}
