/** What tools must not do, over the wire: fill disks, leak, escape, stay behind. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test, vi } from "vitest";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";
import { directoryOf } from "./support/stores.ts";
import type { WireClient } from "./support/wire-client.ts";

/** A server, a model that calls what it is told, and a client that allows everything. */
async function enterWorld() {
  const home = await tempHome();
  const work = await tempHome();
  const model = await startScriptedModelServer();
  const server = await startServer(home.path);
  const client = await server.connect();
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const workPath = await realpath(work.path);
  const settings = (sessionId: string) => ({
    sessionId,
    model: "scripted",
    provider,
    workingDirectory: workPath,
  });
  return {
    home: await realpath(home.path),
    work: workPath,
    /** Where the session has not been allowed to go. */
    outside: await realpath(home.work),
    model,
    client,
    settings,
    create: async (sessionId: string, more: object = {}) => {
      await client.request("session.create", { ...settings(sessionId), ...more });
      await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    },
    /** The result of one call that the model makes. */
    call: async (sessionId: string, name: string, args: object) => {
      model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
      const before = client.of(sessionId).length;
      await client.ask(sessionId, "go");
      return (await client.event(sessionId, "tool.execution_complete", before)).data;
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
      await work[Symbol.asyncDispose]();
    },
  };
}

const fileIn = (text: string) => /Saved to: (\S+)/.exec(text)?.[1] ?? "";

describe("output that is too large", () => {
  test("is in the session's own folder, for its owner only, and goes with the session", async () => {
    await using world = await enterWorld();
    await world.create("s");
    const { result } = await world.call("s", "bash", { command: "yes | head -c 60000" });
    const path = fileIn(result.content);
    expect(dirname(path)).toBe(join(directoryOf(world.home, "s"), "temp"));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(result.contents).toMatchObject([{ type: "shell_exit", exitCode: 0, outputFilePath: path }]);
    await world.client.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
    await world.client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true });
    expect((await world.call("s", "grep", { pattern: "y", path, output_mode: "count" })).success).toBe(true);
    await world.client.request("session.delete", { sessionId: "s" });
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("of an application's own tool is kept as well, and read from there", async () => {
    await using world = await enterWorld();
    const tools = [{ name: "dump", description: "x", parameters: { type: "object" }, skipPermission: true }];
    await world.create("s", { tools });
    const dumped = "é\n".repeat(50_000);
    const dump = async () => {
      world.model.use([{ toolCalls: [{ name: "dump", arguments: {} }] }, { text: "done" }]);
      const before = world.client.of("s").length;
      await world.client.request("session.send", { sessionId: "s", prompt: "go" });
      const { data } = await world.client.event("s", "external_tool.requested", before);
      const answer = { sessionId: "s", requestId: data.requestId, result: dumped };
      await world.client.request("session.tools.handlePendingToolCall", answer);
      await world.client.event("s", "session.idle", before);
      const messages = (world.model.requests.at(-1)?.body.messages ?? []) as { content: string }[];
      const told = messages.at(-1)?.content ?? "";
      return { told, logged: (await world.client.event("s", "tool.execution_complete", before)).data };
    };
    const { told, logged } = await dump();
    expect(dirname(fileIn(told))).toBe(join(directoryOf(world.home, "s"), "temp"));
    expect(await readFile(fileIn(told), "utf8")).toBe(dumped);
    expect(logged).toMatchObject({ success: true, result: { content: told } });
    expect((await world.call("s", "view", { path: fileIn(told), view_range: [2, 2] })).result.content).toBe(
      "2. é",
    );
    await world.client.request("session.resume", {
      ...world.settings("s"),
      tools,
      largeOutput: { maxSizeBytes: 1_000_000 },
    });
    expect((await dump()).told).toBe(dumped);
    await world.client.request("session.resume", {
      ...world.settings("s"),
      tools,
      largeOutput: { enabled: false, maxSizeBytes: 10 },
    });
    expect((await dump()).told).toBe(dumped);
  });

  test("goes where the application says, from the size that it says, or nowhere", async () => {
    await using world = await enterWorld();
    await world.create("s", { largeOutput: { maxSizeBytes: 100, outputDir: "out" } });
    const { result } = await world.call("s", "bash", { command: "yes | head -c 200" });
    const [name] = await readdir(join(world.work, "out"));
    expect(fileIn(result.content)).toBe(join(world.work, "out", name ?? ""));
    expect(await readFile(fileIn(result.content), "utf8")).toBe("y\n".repeat(100));
    await world.create("t", { largeOutput: { enabled: false } });
    const cut = await world.call("t", "bash", { command: "yes | head -c 60000" });
    expect(cut.result.content).toContain("Only its start and end are shown");
    expect(await readdir(directoryOf(world.home, "t")).catch(() => [])).not.toContain("temp");
  });
});

/** Command lines of processes that hold the text. */
function processesWith(text: string): string[] {
  const lines = execFileSync("ps", ["-A", "-o", "command="], { encoding: "utf8", maxBuffer: 1 << 26 });
  return lines.split("\n").filter((line) => line.includes(text) && !line.startsWith("ps "));
}

/** A command that shows in the list of processes, ignores SIGTERM, and ends only when it is killed. */
const sleeper = (mark: string) => `bash -c 'trap "" TERM HUP; sleep 1000; true' ${mark}`;

describe("processes that a session started", () => {
  const SESSIONS = 40;
  const MANY = Number(process.env.RIGHTSEAT_CHILD_SESSIONS ?? 200);

  /** A server of its own with sessions that each left a process in the background. */
  async function withSleepers(home: string, mark: string) {
    const model = await startScriptedModelServer();
    const server = await spawnServer(home);
    const client = await server.connect();
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    model.use(({ body }) =>
      (body.messages as { role: string }[]).at(-1)?.role === "tool"
        ? { text: "done" }
        : {
            toolCalls: [
              { name: "bash", arguments: { command: sleeper(mark), description: "", mode: "async" } },
            ],
          },
    );
    const start = async (name: string) => {
      const ids = Array.from({ length: SESSIONS }, (_, index) => `${name}-${index}`);
      await Promise.all(
        ids.map(async (sessionId) => {
          await client.request("session.create", { sessionId, model: "scripted", provider });
          await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
          await client.ask(sessionId, "go");
        }),
      );
      return ids;
    };
    const ids = await start("s");
    await vi.waitFor(() => expect(processesWith(`true ${mark}`)).toHaveLength(SESSIONS), { timeout: 10_000 });
    return { model, server, client, ids, start };
  }

  const areGone = (mark: string) =>
    vi.waitFor(() => expect(processesWith(mark)).toEqual([]), { timeout: 10_000, interval: 100 });

  test.each<[string, (world: Awaited<ReturnType<typeof withSleepers>>) => Promise<unknown>]>([
    [
      "the sessions were left",
      ({ client, ids }) =>
        Promise.all(ids.map((sessionId) => client.request("session.detach", { sessionId }))),
    ],
    [
      "the sessions were deleted",
      ({ client, ids }) =>
        Promise.all(ids.map((sessionId) => client.request("session.delete", { sessionId }))),
    ],
    ["the client was killed", ({ client }) => client.close()],
    ["the server was killed", ({ server }) => server.kill("SIGKILL")],
    ["the server was told to end", ({ server }) => server.kill("SIGTERM")],
  ])(
    "are gone within ten seconds when %s",
    async (_how, end) => {
      await using home = await tempHome();
      const mark = join(home.work, "mark");
      const world = await withSleepers(home.path, mark);
      await end(world);
      await areGone(mark);
      await world.client.close();
      await world.server.kill("SIGKILL");
      await world.model.close();
    },
    60_000,
  );

  test(`are gone within ten seconds after ${MANY} sessions, one after another`, async () => {
    await using home = await tempHome();
    const mark = join(home.work, "mark");
    const world = await withSleepers(home.path, mark);
    const detach = (ids: readonly string[]) =>
      Promise.all(ids.map((sessionId) => world.client.request("session.detach", { sessionId })));
    await detach(world.ids);
    for (let made = SESSIONS; made < MANY; made += SESSIONS) await detach(await world.start(`more-${made}`));
    await areGone(mark);
    await world.client.close();
    await world.server.kill("SIGTERM");
    await world.model.close();
  }, 300_000);

  test("are gone when the run that waits for one is aborted, and so is the request to the model", async () => {
    await using world = await enterWorld();
    await world.create("s");
    world.model.use([
      { toolCalls: [{ name: "bash", arguments: { command: sleeper(world.work) } }] },
      { hang: true },
    ]);
    await world.client.request("session.send", { sessionId: "s", prompt: "go" });
    await vi.waitFor(() => expect(processesWith(`true ${world.work}`)).toHaveLength(1), { timeout: 10_000 });
    await world.client.request("session.abort", { sessionId: "s" });
    expect(processesWith(`true ${world.work}`)).toEqual([]);
    await world.client.request("session.send", { sessionId: "s", prompt: "again" });
    await world.model.until(({ requests }) => requests.length === 2);
    await world.client.request("session.abort", { sessionId: "s" });
    await world.model.until(({ closedEarly }) => closedEarly === 1);
  });
});

describe("a tool that never returns", () => {
  test("is left when the run is aborted: a server that does not answer", async () => {
    await using world = await enterWorld();
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const asked = once(silent, "request");
    await using server = await startServer(world.home, {
      flags: ["--fetch-private-hosts", new URL(url).host],
    });
    const client = await server.connect();
    await client.request("session.create", { ...world.settings("t"), workingDirectory: world.work });
    await client.request("session.permissions.setMode", { sessionId: "t", mode: "allow-all" });
    world.model.use([{ toolCalls: [{ name: "web_fetch", arguments: { url } }] }]);
    await client.request("session.send", { sessionId: "t", prompt: "go" });
    const [request] = await asked;
    const gone = once(request.socket, "close");
    await client.request("session.abort", { sessionId: "t" });
    await gone;
    expect((await client.event("t", "session.idle")).data).toMatchObject({ aborted: true });
    await client.close();
    silent.close();
  });

  test("is left when the run is aborted: a client that does not answer", async () => {
    await using world = await enterWorld();
    const tools = [{ name: "forever", description: "x", parameters: { type: "object" } }];
    await world.create("s", { tools });
    world.model.use([{ toolCalls: [{ name: "forever", arguments: {} }] }]);
    await world.client.request("session.send", { sessionId: "s", prompt: "go" });
    await world.client.event("s", "external_tool.requested");
    await world.client.request("session.abort", { sessionId: "s" });
    expect((await world.client.event("s", "session.idle")).data).toMatchObject({ aborted: true });
    world.model.use([{ text: "fine" }]);
    expect(await world.client.ask("s", "again")).toBe("fine");
  });
});

describe("descriptors", () => {
  test.skipIf(process.platform !== "linux")(
    "are as many after ten thousand tool calls as before",
    async () => {
      await using home = await tempHome();
      await using work = await tempHome();
      await using model = await startScriptedModelServer();
      const server = await spawnServer(home.path);
      const client = await server.connect();
      const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
      const settings = { sessionId: "s", model: "scripted", provider, workingDirectory: work.path };
      await client.request("session.create", settings);
      await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
      await writeFile(join(work.path, "a.txt"), "x\n");
      const calls = (turn: number) => [
        ...Array.from({ length: 370 }, () => ({ name: "view", arguments: { path: "a.txt" } })),
        { name: "bash", arguments: { command: `echo ${turn}`, description: "" } },
        { name: "grep", arguments: { pattern: "x" } },
        { name: "glob", arguments: { pattern: "*.txt" } },
        { name: "create", arguments: { path: `b${turn}.txt`, file_text: "y" } },
        { name: "edit", arguments: { path: "a.txt", old_str: "none", new_str: "y" } },
        { name: "web_fetch", arguments: { url: "http://127.0.0.1:1/" } },
        { name: "nothing", arguments: {} },
      ];
      const open = () => readdirSync(`/proc/${server.child.pid}/fd`).length;
      const turn = async (number: number) => {
        model.use([{ toolCalls: calls(number) }, { text: "done" }]);
        await client.ask("s", "go");
        client.events.clear();
      };
      for (let number = 0; number < 3; number += 1) await turn(number);
      const before = open();
      for (let number = 3; number < 30; number += 1) await turn(number);
      // Connections to the model are kept for a while.
      await vi.waitFor(() => expect(open()).toBeLessThanOrEqual(before), { timeout: 30_000, interval: 200 });
      await client.close();
      await server.kill("SIGTERM");
    },
    120_000,
  );
});

/** Prints the environment of the command, and what /proc shows of that of the server. */
const EVERY_ENVIRONMENT = "env; tr '\\0' '\\n' < /proc/$PPID/environ";

describe.skipIf(process.platform !== "linux")("the environment of the server", () => {
  const SECRETS = {
    COPILOT_PROVIDER_HEADERS: '{"x-key":"hidden-1"}',
    MY_GH: "hidden-2",
    MYSQL_PWD: "hidden-3",
    SLACK_WEBHOOK_URL: "https://hooks.example/hidden-4",
    HTTPS_PROXY: "http://user:hidden-5@127.0.0.1:1",
  };

  test("is in no command and, once it has started, in no file of /proc", async () => {
    await using home = await tempHome();
    await using work = await tempHome();
    await using model = await startScriptedModelServer();
    const flags = ["--auth-token-env", "MY_GH", "--pass-environment", "NAMED"];
    const server = await spawnServer(home.path, flags, { ...SECRETS, NAMED: "named-0123" });
    const client = await server.connect();
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
    const settings = { sessionId: "s", model: "scripted", provider, workingDirectory: work.path };
    await client.request("session.create", settings);
    await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
    model.use([
      { toolCalls: [{ name: "bash", arguments: { command: EVERY_ENVIRONMENT, description: "" } }] },
      { text: "done" },
    ]);
    await client.ask("s", "go");
    const { data } = (await client.event("s", "tool.execution_complete")) as { data: unknown };
    const text = JSON.stringify(data);
    expect(text).toContain("NAMED=named-0123");
    expect(text).toContain("HTTPS_PROXY=http://127.0.0.1:1");
    expect(text).not.toContain("hidden-");
    const own = readFileSync(`/proc/${server.child.pid}/environ`, "utf8");
    expect(own).toContain("PATH=");
    expect(own).not.toContain("hidden-");
    await client.close();
    await server.kill("SIGTERM");
  });
});

describe("secrets", () => {
  const SECRETS = {
    OPENAI_API_KEY: "sk-environment-0123456789",
    COPILOT_CONNECTION_TOKEN: "connection-0123456789",
    COPILOT_GITHUB_TOKEN: "gho_environment0123456789",
    DATABASE_URL: "postgres://user:database-0123456789@db/x",
    MY_PASSWORD: "password-0123456789",
  };
  const OF_THE_SESSION = ["key-of-the-session-0123456789", "header-of-the-session-0123456789"];

  test("are in no shell, event, answer, log or file", async () => {
    await using home = await tempHome();
    await using work = await tempHome();
    const model = await startScriptedModelServer();
    const server = await spawnServer(home.path, ["--log-level", "all"], SECRETS);
    const client: WireClient = await server.connect();
    const heard: string[] = [];
    client.stream.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
    await client.request("connect", { token: SECRETS.COPILOT_CONNECTION_TOKEN });
    const [apiKey, header] = OF_THE_SESSION;
    const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey, headers: { "x-secret": header } };
    await client.request("session.create", {
      sessionId: "s",
      model: "scripted",
      provider,
      workingDirectory: work.path,
    });
    await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
    model.use([
      { toolCalls: [{ name: "bash", arguments: { command: "env; set; export -p", description: "" } }] },
      { text: "done" },
      { status: 401, body: { error: { message: `wrong key ${apiKey} and ${header}` } } },
    ]);
    await client.ask("s", "go");
    await client.ask("s", "fail");
    await client.event("s", "session.error");
    await client.request("session.getMessages", { sessionId: "s" });
    await client.request("session.detach", { sessionId: "s" });
    await client.close();
    await server.kill("SIGTERM");
    await model.close();
    const files = await readdir(home.path, { recursive: true, withFileTypes: true });
    const contents = await Promise.all(
      files
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")),
    );
    const places = { heard: heard.join(""), output: server.output(), files: contents.join("\n") };
    expect(places.heard).toContain("exited with exit code 0");
    expect(places.files).toContain("wrong key");
    for (const secret of [...Object.values(SECRETS), ...OF_THE_SESSION]) {
      for (const [place, text] of Object.entries(places))
        expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
  });
});

describe("what a model writes as arguments", () => {
  test("is never a command, an option or an expression", async () => {
    await using world = await enterWorld();
    await world.create("s");
    const evil = join(world.work, "evil.sh");
    await writeFile(evil, `#!/bin/sh\ntouch ${world.work}/run\n`, { mode: 0o755 });
    await writeFile(join(world.work, "-rf"), "x\n");
    const inject = [
      "$(touch run)",
      "`touch run`",
      "; touch run",
      "| touch run",
      "\n touch run",
      "' touch run '",
    ];
    const calls: [string, object][] = [
      ...inject.flatMap((text): [string, object][] => [
        ["view", { path: text }],
        ["create", { path: `new/${text.replaceAll("/", "")}`, file_text: text }],
        ["edit", { path: text, old_str: text, new_str: "x" }],
        ["grep", { pattern: text, path: "." }],
        ["grep", { pattern: "x", path: text }],
        ["grep", { pattern: "x", glob: text }],
        ["grep", { pattern: "x", type: text }],
        ["glob", { pattern: text }],
        ["bash", { command: "true", description: text, shellId: text }],
        ["read_bash", { shellId: text }],
        ["write_bash", { shellId: text, input: text }],
        ["web_fetch", { url: `http://localhost/${text}` }],
      ]),
      ["grep", { pattern: `--pre=${evil}` }],
      ["grep", { pattern: "x", path: `--pre=${evil}` }],
      ["grep", { pattern: "x", glob: `--pre=${evil}` }],
      ["grep", { pattern: "x", type: `--pre=${evil}` }],
      ["grep", { pattern: "x", path: "-rf" }],
      ["glob", { pattern: "-rf" }],
      ["view", { path: "-rf" }],
    ];
    world.model.use([
      { toolCalls: calls.map(([name, args]) => ({ name, arguments: args })) },
      { text: "done" },
    ]);
    await world.client.ask("s", "go");
    const ended = world.client.of("s").filter((event) => event.type === "tool.execution_complete");
    expect(ended).toHaveLength(calls.length);
    expect(await readdir(world.work)).not.toContain("run");
    expect(await readFile(join(world.work, "-rf"), "utf8")).toBe("x\n");
  });
});

describe("paths", () => {
  test("that lead elsewhere once they were allowed are not used", async () => {
    await using world = await enterWorld();
    await world.create("s");
    await world.client.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
    const [inside, outside] = [join(world.work, "in"), join(world.outside, "out")];
    await mkdir(inside);
    await mkdir(outside);
    await writeFile(join(inside, "a.txt"), "inside");
    await writeFile(join(outside, "a.txt"), "outside");
    /** Has the model call the tool, and puts a link in the way before it is allowed. */
    const race = async (name: string, args: object) => {
      await rm(inside, { recursive: true, force: true });
      await mkdir(inside);
      await writeFile(join(inside, "a.txt"), "inside");
      world.model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
      const before = world.client.of("s").length;
      await world.client.request("session.send", { sessionId: "s", prompt: "go" });
      const { data } = await world.client.event("s", "permission.requested", before);
      expect(data.promptRequest.kind).not.toBe("path");
      await rename(inside, `${inside}-moved`);
      await symlink(outside, inside);
      await world.client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId: "s",
        requestId: data.requestId,
        result: { kind: "approve-once" },
      });
      await world.client.event("s", "session.idle", before);
      await rm(`${inside}-moved`, { recursive: true });
      await rm(inside);
      return (await world.client.event("s", "tool.execution_complete", before)).data;
    };
    expect(await race("view", { path: "in/a.txt" })).toMatchObject({ success: false });
    expect(await race("edit", { path: "in/a.txt", old_str: "outside", new_str: "x" })).toMatchObject({
      success: false,
    });
    expect(await race("create", { path: "in/b.txt", file_text: "x" })).toMatchObject({ success: false });
    expect(await race("grep", { path: "in", pattern: "outside" })).toMatchObject({ success: false });
    expect(await readdir(outside)).toEqual(["a.txt"]);
    expect(await readFile(join(outside, "a.txt"), "utf8")).toBe("outside");
  });

  test("that links, dots and doubled slashes disguise are compared by where they lead", async () => {
    await using world = await enterWorld();
    await world.create("s");
    await world.client.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
    await world.client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true });
    await writeFile(join(world.outside, "secret.txt"), "secret");
    await symlink(world.outside, join(world.work, "link"));
    await symlink(join(world.outside, "secret.txt"), join(world.work, "file-link"));
    await mkdir(join(world.work, "sub"));
    const disguises = [
      join(world.outside, "secret.txt"),
      `${world.work}/sub/../../../${relative(dirname(dirname(world.work)), world.outside)}/secret.txt`,
      "link/secret.txt",
      "file-link",
      "sub/../link//secret.txt",
      "./link/./secret.txt",
    ];
    for (const path of disguises) {
      for (const [name, args] of [
        ["view", { path }],
        ["grep", { path, pattern: "s" }],
        ["edit", { path, old_str: "secret", new_str: "x" }],
        ["bash", { command: `cat ${path}`, description: "" }],
      ] as [string, object][]) {
        world.model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
        const before = world.client.of("s").length;
        await world.client.request("session.send", { sessionId: "s", prompt: "go" });
        const { data } = await world.client.event("s", "permission.requested", before);
        expect(data.promptRequest.kind, `${name} ${path}`).toBe("path");
        await world.client.request("session.abort", { sessionId: "s" });
      }
    }
  });

  test.skipIf(process.platform !== "linux")(
    "that differ from allowed ones in case alone are others",
    async () => {
      await using world = await enterWorld();
      await world.create("s");
      await world.client.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
      await world.client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true });
      const other = join(dirname(world.work), basename(world.work).toUpperCase());
      await mkdir(other);
      await writeFile(join(other, "a.txt"), "of somebody else");
      for (const [name, args] of [
        ["view", { path: join(other, "a.txt") }],
        ["create", { path: join(other, "b.txt"), file_text: "x" }],
        ["bash", { command: `cat ${other}/a.txt`, description: "" }],
      ] as [string, object][]) {
        world.model.use([{ toolCalls: [{ name, arguments: args }] }, { text: "done" }]);
        const before = world.client.of("s").length;
        await world.client.request("session.send", { sessionId: "s", prompt: "go" });
        const { data } = await world.client.event("s", "permission.requested", before);
        expect(data.promptRequest.kind, name).toBe("path");
        await world.client.request("session.abort", { sessionId: "s" });
      }
      expect(await readdir(other)).toEqual(["a.txt"]);
      await rm(other, { recursive: true });
    },
  );
});
