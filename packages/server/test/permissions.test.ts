/** Permissions over the wire: what is asked, what an answer settles, and for how long. */
import { once } from "node:events";
import { mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScriptedReply, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { spawnServer, startServer, type TestServer, tempHome } from "./support/servers.ts";
import type { StoreKind } from "./support/stores.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

type Decision = object | ((request: Record<string, unknown>) => object);

/** A home, a working directory outside of it, a model and a server. */
async function enterWorld() {
  const folder = await tempHome();
  const root = await realpath(folder.path);
  const [home, work] = [join(root, "home"), join(root, "work")];
  await mkdir(work);
  await writeFile(join(work, "a.txt"), "inside\n");
  await writeFile(join(root, "outside.txt"), "outside\n");
  const model = await startScriptedModelServer();
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  const session = (sessionId: string, more: object = {}) => ({
    sessionId,
    model: "scripted",
    provider,
    workingDirectory: work,
    ...more,
  });
  let server: TestServer | undefined;
  return {
    root,
    home,
    work,
    model,
    session,
    async start(storeKind?: StoreKind) {
      server = await startServer(home, { storeKind });
      return server;
    },
    [Symbol.asyncDispose]: async () => {
      await server?.shutdown();
      await model.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Has the model call tools, answers every question alike; what was asked, and the results by tool. */
async function callTools(
  world: { model: { use(script: ScriptedReply[]): void } },
  client: WireClient,
  sessionId: string,
  calls: [name: string, args: object][],
  decision: Decision | undefined,
) {
  world.model.use([
    { toolCalls: calls.map(([name, args]) => ({ name, arguments: args })) },
    { text: "done" },
  ]);
  const before = client.of(sessionId).length;
  const events = () => client.of(sessionId).slice(before);
  const answered = new Set<string>();
  await client.request("session.send", { sessionId, prompt: "go" });
  await client.until(() => {
    for (const { type, data } of events()) {
      if (type !== "permission.requested" || !decision || answered.has(data.requestId)) continue;
      answered.add(data.requestId);
      const result = typeof decision === "function" ? decision(data.permissionRequest) : decision;
      void client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId,
        requestId: data.requestId,
        result,
      });
    }
    return events().some((event) => event.type === "session.idle");
  });
  const of = (type: string) => events().filter((event: WireEvent) => event.type === type);
  return {
    requests: of("permission.requested").map(({ data }) => data.permissionRequest),
    prompts: of("permission.requested").map(({ data }) => data.promptRequest),
    outcomes: of("permission.completed").map(({ data }) => data.result),
    results: of("tool.execution_complete").map(({ data }) =>
      data.success ? data.result.content : data.error,
    ),
  };
}

const ONCE = { kind: "approve-once" };
const REJECT = { kind: "reject", feedback: "no" };

describe("what is asked", () => {
  test("has the request for programs and the prompt for people", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const { requests, prompts } = await callTools(
      world,
      client,
      "s",
      [
        ["bash", { command: "echo hi", description: "Greets" }],
        ["view", { path: "a.txt" }],
        ["create", { path: "b.txt", file_text: "new\n" }],
      ],
      ONCE,
    );
    const of = (list: Record<string, unknown>[], kind: string) => list.find((entry) => entry.kind === kind);
    expect(of(requests, "shell")).toMatchObject({
      fullCommandText: "echo hi",
      commands: [{ identifier: "echo", readOnly: true }],
      possiblePaths: [],
      canOfferSessionApproval: true,
    });
    expect(of(prompts, "commands")).toEqual({
      kind: "commands",
      toolCallId: expect.any(String),
      fullCommandText: "echo hi",
      intention: "Greets: echo hi",
      commandIdentifiers: ["echo"],
      canOfferSessionApproval: true,
    });
    expect(of(prompts, "read")).toMatchObject({ path: join(world.work, "a.txt") });
    expect(of(prompts, "write")).toMatchObject({
      fileName: join(world.work, "b.txt"),
      newFileContents: "new\n",
      fileEdits: [{ after: { path: join(world.work, "b.txt"), content: "new\n" } }],
      canOfferSessionApproval: true,
    });
    const told = (type: string) => client.of("s").filter((event) => event.type === type);
    expect(told("tool.shell_output").map(({ data }) => data)).toEqual([
      { toolCallId: expect.any(String), sequence: 0, stream: "terminal", text: "hi\n" },
    ]);
    const edited = told("tool.execution_complete").flatMap(({ data }) => data.fileEdits ?? []);
    expect(edited).toEqual([{ kind: "create", path: join(world.work, "b.txt") }]);
    await client.close();
  });

  test("about a path outside of the allowed directories is a question of its own, links followed", async () => {
    await using world = await enterWorld();
    await symlink(world.root, join(world.work, "up"));
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const { prompts } = await callTools(
      world,
      client,
      "s",
      [
        ["view", { path: "../outside.txt" }],
        ["create", { path: "up/new.txt", file_text: "x" }],
      ],
      REJECT,
    );
    // When two are asked about at once, either may be the first.
    const byAccess = (one: { accessKind: string }, other: { accessKind: string }) =>
      one.accessKind < other.accessKind ? -1 : 1;
    expect(prompts.toSorted(byAccess)).toEqual([
      {
        kind: "path",
        toolCallId: expect.any(String),
        accessKind: "read",
        paths: [join(world.root, "outside.txt")],
      },
      {
        kind: "path",
        toolCallId: expect.any(String),
        accessKind: "write",
        paths: [join(world.work, "up/new.txt")],
      },
    ]);
    await client.request("session.create", world.session("t", { additionalDirectories: [".."] }));
    const more = await callTools(world, client, "t", [["view", { path: "../outside.txt" }]], ONCE);
    expect(more.prompts).toMatchObject([{ kind: "read" }]);
    await client.close();
  });

  test("of clients without a handler is told and waits for an answer by a call", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s", { requestPermission: false }));
    const call: [string, object] = ["bash", { command: "echo hi", description: "" }];
    const { requests, results } = await callTools(world, client, "s", [call], ONCE);
    expect(requests).toMatchObject([{ kind: "shell", intention: "Run echo hi" }]);
    expect(results).toEqual([expect.stringContaining("hi")]);
    await client.close();
  });
});

describe("an approval for the session", () => {
  const kinds: [string, [string, object], [string, object], object][] = [
    ["commands", ["bash", { command: "echo 1" }], ["bash", { command: "echo 2 && echo 3" }], {}],
    ["reads", ["view", { path: "a.txt" }], ["grep", { pattern: "x" }], {}],
    [
      "writes",
      ["create", { path: "1.txt", file_text: "" }],
      ["create", { path: "2.txt", file_text: "" }],
      { kind: "write" },
    ],
  ];
  test.each(kinds)("of %s covers the next of its kind", async (_name, first, second, approval) => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const decision = { kind: "approve-for-session", ...(approval && "kind" in approval ? { approval } : {}) };
    const one = await callTools(world, client, "s", [first], decision);
    expect(one.outcomes).toMatchObject([{ kind: "approved-for-session" }]);
    const two = await callTools(world, client, "s", [second], REJECT);
    expect(two.requests).toEqual([]);
    await client.request("session.permissions.resetSessionApprovals", { sessionId: "s" });
    const three = await callTools(world, client, "s", [second], REJECT);
    expect(three.requests).toHaveLength(1);
    await client.close();
  });

  test("of a command does not cover others hidden behind it, other paths, or addresses", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const approval = { kind: "commands", commandIdentifiers: ["cat", "echo"] };
    await callTools(world, client, "s", [["bash", { command: "cat a.txt" }]], {
      kind: "approve-for-session",
      approval,
    });
    const asked = async (command: string) => {
      const { prompts } = await callTools(world, client, "s", [["bash", { command }]], REJECT);
      return prompts.map((prompt: { kind: string }) => prompt.kind);
    };
    expect(await asked("cat a.txt | cat")).toEqual([]);
    expect(await asked("cat a.txt; touch b")).toEqual(["commands"]);
    expect(await asked('echo "$(touch b)"')).toEqual(["commands"]);
    expect(await asked("echo x > b")).toEqual(["commands"]);
    expect(await asked("cat ../outside.txt")).toEqual(["path"]);
    expect(await asked("echo https://example.com/")).toEqual(["commands"]);
    await client.close();
  });

  test("of names covers commands alone that are wholly understood, where their files really are", async () => {
    await using world = await enterWorld();
    await symlink(join(world.root, "outside.txt"), join(world.work, "link"));
    await mkdir(join(world.work, "sub"));
    await symlink("../../outside.txt", join(world.work, "sub/inner"));
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const approved = ["cat", "cd", "find", "sort", "printf", "git"].map((argument) => ({
      kind: "shell",
      argument,
    }));
    await client.request("session.permissions.configure", {
      sessionId: "s",
      rules: { approved, denied: [{ kind: "shell", argument: "git push" }] },
    });
    const asked = async (command: string) => {
      const { prompts } = await callTools(world, client, "s", [["bash", { command }]], REJECT);
      return prompts.map((prompt: { kind: string }) => prompt.kind);
    };
    expect(await asked("find . -name '*.txt' | sort")).toEqual([]);
    for (const command of ["find . -exec cat {} +", "sort -moout a.txt", "printf -v PATH .", "cat $x"])
      expect(await asked(command), command).toEqual(["commands"]);
    for (const command of ["cat l*k", "cd sub && cat inner", "cd sub; cat ../../outside.txt"])
      expect(await asked(command), command).toEqual(["path"]);
    for (const command of ["git $(echo push)", "$(echo git push)", "cat\u00a0a.txt"]) {
      const denied = await callTools(world, client, "s", [["bash", { command }]], ONCE);
      expect([denied.requests, denied.results], command).toMatchObject([[], [{ code: "denied" }]]);
    }
    await client.close();
  });

  test("of a path covers it from then on, and nothing beside it", async () => {
    await using world = await enterWorld();
    await writeFile(join(world.root, "other.txt"), "");
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const view = (path: string, decision: object) =>
      callTools(world, client, "s", [["view", { path }]], decision);
    expect((await view("../outside.txt", { kind: "approve-for-session" })).outcomes).toEqual([ONCE_RESULT]);
    expect((await view("../outside.txt", REJECT)).results).toEqual(["1. outside\n2. "]);
    expect((await view("../other.txt", REJECT)).prompts).toMatchObject([{ kind: "path" }]);
    await client.close();
  });

  test("holds after kill -9 and a resume", async () => {
    await using world = await enterWorld();
    const first = await spawnServer(world.home);
    const client = await first.connect();
    await client.request("session.create", world.session("s"));
    await callTools(world, client, "s", [["bash", { command: "echo 1" }]], { kind: "approve-for-session" });
    await client.request("session.permissions.modifyRules", {
      sessionId: "s",
      scope: "session",
      add: [{ kind: "read", argument: null }],
    });
    await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
    await first.kill("SIGKILL");
    await client.ended;
    const again = await (await world.start("files")).connect();
    await again.request("session.resume", world.session("s"));
    expect(await again.request("session.permissions.getMode", { sessionId: "s" })).toEqual({
      mode: "allow-all",
    });
    await again.request("session.permissions.setMode", { sessionId: "s", mode: "manual" });
    const { requests } = await callTools(
      world,
      again,
      "s",
      [
        ["bash", { command: "echo 2" }],
        ["view", { path: "a.txt" }],
        ["create", { path: "c.txt", file_text: "" }],
      ],
      REJECT,
    );
    expect(requests).toMatchObject([{ kind: "write" }]);
    await again.close();
  });
});

const ONCE_RESULT = { kind: "approved" };

describe("an address", () => {
  /** A page, and a server that may fetch it. */
  async function enterWeb() {
    const world = await enterWorld();
    const site = createServer((request, response) => {
      const there = request.url === "/away" ? { location: `http://localhost:${port}/` } : {};
      response.writeHead("location" in there ? 302 : 200, { "content-type": "text/html", ...there });
      response.end("<title>T</title><p>Hello <b>you</b></p>");
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    const { port } = site.address() as AddressInfo;
    const hosts = `127.0.0.1:${port},localhost:${port}`;
    const server = await spawnServer(world.home, ["--fetch-private-hosts", hosts]);
    const client = await server.connect();
    await client.request("session.create", world.session("s"));
    return {
      client,
      origin: `http://127.0.0.1:${port}`,
      fetch: (path: string, decision: object) =>
        callTools(world, client, "s", [["web_fetch", { url: `http://127.0.0.1:${port}${path}` }]], decision),
      [Symbol.asyncDispose]: async () => {
        await client.close();
        await server.kill("SIGTERM");
        site.closeAllConnections();
        site.close();
        await world[Symbol.asyncDispose]();
      },
    };
  }

  test("is asked for, and fetched by the server as it is installed", async () => {
    await using web = await enterWeb();
    const { prompts, results } = await web.fetch("/", ONCE);
    expect(prompts).toEqual([
      {
        kind: "url",
        toolCallId: expect.any(String),
        intention: `Fetch ${web.origin}/`,
        url: `${web.origin}/`,
      },
    ]);
    expect(results).toEqual(["# T\n\nHello **you**"]);
    expect((await web.fetch("/", REJECT)).outcomes).toMatchObject([{ kind: "denied-interactively-by-user" }]);
  });

  test("is approved with its site, for the session or for ever; a redirect elsewhere is asked for", async () => {
    await using web = await enterWeb();
    expect((await web.fetch("/", { kind: "approve-for-session" })).outcomes).toEqual([ONCE_RESULT]);
    expect((await web.fetch("/other", REJECT)).requests).toEqual([]);
    const away = await web.fetch("/away", REJECT);
    expect(away.requests).toMatchObject([{ kind: "url", redirectedFrom: `${web.origin}/away` }]);
    expect(away.results).toMatchObject([{ code: "denied" }]);
    await web.client.request("session.permissions.resetSessionApprovals", { sessionId: "s" });
    expect((await web.fetch("/", { kind: "approve-permanently", domain: web.origin })).outcomes).toEqual([
      ONCE_RESULT,
    ]);
    expect((await web.fetch("/other", REJECT)).requests).toEqual([]);
  });

  test("is allowed beforehand by pattern, or with all others", async () => {
    await using web = await enterWeb();
    const configure = (urls: object) =>
      web.client.request("session.permissions.configure", { sessionId: "s", urls });
    await configure({ initialAllowed: [`${web.origin}/docs`] });
    expect((await web.fetch("/docs/a", REJECT)).requests).toEqual([]);
    expect((await web.fetch("/other", REJECT)).requests).toHaveLength(1);
    await web.client.request("session.permissions.urls.setUnrestrictedMode", {
      sessionId: "s",
      enabled: true,
    });
    expect((await web.fetch("/other", REJECT)).requests).toEqual([]);
    await web.client.request("session.permissions.urls.setUnrestrictedMode", {
      sessionId: "s",
      enabled: false,
    });
    expect((await web.fetch("/docs/a", REJECT)).requests).toEqual([]);
    await expect(configure({ initialAllowed: ["a b"] })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "urls.initialAllowed" },
    });
  });
});

describe("an approval for longer", () => {
  test("for a location holds in other sessions there, on other servers of the home, and nowhere else", async () => {
    await using world = await enterWorld();
    const elsewhere = join(world.root, "elsewhere");
    await mkdir(elsewhere);
    const first = await startServer(world.home);
    const client = await first.connect();
    await client.request("session.create", world.session("s"));
    const create = (path: string): [string, object] => ["create", { path, file_text: "" }];
    const { outcomes } = await callTools(world, client, "s", [create("1.txt")], {
      kind: "approve-for-location",
      approval: { kind: "write" },
      locationKey: world.work,
    });
    expect(outcomes).toEqual([
      { kind: "approved-for-location", approval: { kind: "write" }, locationKey: world.work },
    ]);
    await client.close();
    await first.shutdown();
    const again = await (await world.start()).connect();
    await again.request("session.create", world.session("t"));
    expect((await callTools(world, again, "t", [create("2.txt")], REJECT)).requests).toEqual([]);
    await again.request("session.create", world.session("u", { workingDirectory: elsewhere }));
    expect((await callTools(world, again, "u", [create("3.txt")], REJECT)).requests).toHaveLength(1);
    await again.close();
  });

  test("for a location is told, applied and set aside", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const at = { sessionId: "s", workingDirectory: world.work };
    const location = { locationKey: world.work, locationType: "dir" };
    expect(await client.request("session.permissions.locations.resolve", at)).toEqual(location);
    await client.request("session.permissions.locations.addToolApproval", {
      sessionId: "s",
      locationKey: world.work,
      approval: { kind: "commands", commandIdentifiers: ["echo"] },
    });
    const call: [string, object] = ["bash", { command: "echo hi" }];
    expect((await callTools(world, client, "s", [call], REJECT)).requests).toEqual([]);
    await client.request("session.permissions.resetSessionApprovals", { sessionId: "s" });
    expect((await callTools(world, client, "s", [call], REJECT)).requests).toHaveLength(1);
    expect(await client.request("session.permissions.locations.apply", at)).toEqual({
      ...location,
      changed: true,
      appliedRules: [{ kind: "shell", argument: "echo" }],
      appliedRuleCount: 1,
      appliedDirectoryCount: 0,
    });
    expect((await callTools(world, client, "s", [call], REJECT)).requests).toEqual([]);
    await mkdir(join(world.root, ".git"));
    await writeFile(join(world.root, ".git/HEAD"), "ref: refs/heads/main\n");
    // What a directory belongs to is known again for a second.
    await expect
      .poll(() => client.request("session.permissions.locations.resolve", at))
      .toEqual({ locationKey: world.root, locationType: "repo" });
    await client.close();
  });

  test("a folder's trust covers what is below it", async () => {
    await using world = await enterWorld();
    await mkdir(join(world.work, "sub"));
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const trusted = async (path: string) =>
      (await client.request("session.permissions.folderTrust.isTrusted", { sessionId: "s", path })).trusted;
    expect(await trusted(world.work)).toBe(false);
    await client.request("session.permissions.folderTrust.addTrusted", { sessionId: "s", path: world.work });
    expect([
      await trusted(world.work),
      await trusted(join(world.work, "sub")),
      await trusted(world.root),
    ]).toEqual([true, true, false]);
    await client.close();
  });
});

describe("paths that are configured", () => {
  test.each([
    { paths: { unrestricted: false, includeTempDirectory: false, additionalDirectories: [] }, asked: 1 },
    { paths: { unrestricted: false, includeTempDirectory: true, additionalDirectories: [] }, asked: 0 },
    { paths: { unrestricted: true, includeTempDirectory: false, additionalDirectories: [] }, asked: 0 },
  ])("decide whether a file of the temporary directory is asked about: $paths", async ({ paths, asked }) => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    await client.request("session.permissions.configure", {
      sessionId: "s",
      approveAllToolPermissionRequests: true,
      paths,
    });
    const path = join(tmpdir(), "rightseat-no-such-file");
    const { requests } = await callTools(world, client, "s", [["view", { path }]], ONCE);
    expect(requests).toHaveLength(asked);
  });
});

describe("rules and modes", () => {
  test("what is denied by rules is not asked, whatever else is allowed", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    const tools = [{ name: "drop", description: "x", parameters: { type: "object" }, skipPermission: true }];
    await client.request("session.create", world.session("s", { tools }));
    await client.request("session.permissions.configure", {
      sessionId: "s",
      approveAllToolPermissionRequests: true,
      rules: {
        approved: [{ kind: "write", argument: null }],
        denied: [
          { kind: "write", argument: null },
          { kind: "shell", argument: "rm" },
          { kind: "custom-tool", argument: "drop" },
        ],
      },
    });
    await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" });
    const { requests, results } = await callTools(
      world,
      client,
      "s",
      [
        ["create", { path: "b.txt", file_text: "" }],
        ["bash", { command: "echo a; /bin/rm a.txt" }],
        ["drop", {}],
        ["bash", { command: "echo a" }],
      ],
      ONCE,
    );
    expect(requests).toEqual([]);
    const denied = (rule: string) => ({ code: "denied", message: expect.stringContaining(`\`${rule}\``) });
    expect(results).toHaveLength(4);
    for (const rule of ["write", "shell(rm)", "custom-tool(drop)"])
      expect(results).toContainEqual(denied(rule));
    expect(results).toContainEqual(expect.stringContaining("exit code 0"));
    expect(await readFile(join(world.work, "a.txt"), "utf8")).toBe("inside\n");
    await client.close();
  });

  test("approving all tools leaves paths to be asked; allowing all does not", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const calls: [string, object][] = [
      ["bash", { command: "echo hi" }],
      ["view", { path: "../outside.txt" }],
    ];
    await client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true });
    expect((await callTools(world, client, "s", calls, ONCE)).prompts).toMatchObject([{ kind: "path" }]);
    const before = client.of("s").length;
    expect(
      await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" }),
    ).toEqual({ success: true, mode: "allow-all" });
    expect((await client.event("s", "session.permissions_changed", before)).data).toEqual({
      previousMode: "manual",
      mode: "allow-all",
    });
    expect((await callTools(world, client, "s", calls, ONCE)).prompts).toEqual([]);
    expect(await client.request("session.permissions.setMode", { sessionId: "s", mode: "assisted" })).toEqual(
      { success: false, mode: "allow-all" },
    );
    await client.close();
  });

  test("paths are added, moved and looked up", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const call = (method: string, params: object) =>
      client.request(`session.permissions.paths.${method}`, { sessionId: "s", ...params });
    const inside = join(world.root, "outside.txt");
    expect(await call("isPathWithinAllowedDirectories", { path: inside })).toEqual({ allowed: false });
    for (const path of ["relative", join(world.root, "nothing"), inside, "/a\0b"])
      await expect(call("add", { path })).rejects.toMatchObject({ data: { reason: "invalid_params" } });
    await call("add", { path: world.root });
    expect(await call("isPathWithinAllowedDirectories", { path: inside })).toEqual({ allowed: true });
    expect(await call("isPathWithinWorkspace", { path: inside })).toEqual({ allowed: false });
    await call("updatePrimary", { path: world.root });
    expect(await call("isPathWithinWorkspace", { path: inside })).toEqual({ allowed: true });
    expect(await call("list", {})).toMatchObject({ primary: world.root });
    await client.close();
  });

  test("content exclusion policies, which could not be kept, are refused by name", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    await client.request("session.create", world.session("s"));
    const policy = { rules: [], last_updated_at: "x", scope: "all" };
    await expect(
      client.request("session.permissions.configure", {
        sessionId: "s",
        additionalContentExclusionPolicies: [policy],
      }),
    ).rejects.toMatchObject({ data: { reason: "not_supported" } });
    await client.close();
  });
});

describe("managed settings", () => {
  test("go before what clients allow, and forbid to allow everything", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    const managedSettings = {
      permissions: {
        deny: ["Shell(rm *)"],
        ask: ["Shell(echo *)"],
        disableBypassPermissionsMode: "disable",
      },
    };
    await client.request("session.create", world.session("s", { managedSettings }));
    expect((await client.event("s", "session.managed_settings_resolved")).data).toMatchObject({
      source: "client",
      bypassPermissionsDisabled: true,
    });
    await expect(
      client.request("session.permissions.setApproveAll", { sessionId: "s", enabled: true }),
    ).rejects.toMatchObject({ data: { reason: "denied_by_policy" } });
    expect((await client.event("s", "session.managed_settings_enforced")).data).toMatchObject({
      escalation: "approve_all",
    });
    expect(
      await client.request("session.permissions.setMode", { sessionId: "s", mode: "allow-all" }),
    ).toEqual({ success: false, mode: "manual" });
    const echo: [string, object] = ["bash", { command: "echo hi" }];
    const forSession = { kind: "approve-for-session" };
    const first = await callTools(world, client, "s", [echo, ["bash", { command: "rm a.txt" }]], forSession);
    expect(first.requests).toMatchObject([{ managedApprovalRequired: true, canOfferSessionApproval: false }]);
    expect(first.results).toContainEqual({ code: "denied", message: expect.stringContaining("Shell(rm *)") });
    expect((await callTools(world, client, "s", [echo], forSession)).requests).toHaveLength(1);
    await client.close();
  });

  test("are not taken by halves", async () => {
    await using world = await enterWorld();
    const client = await (await world.start()).connect();
    const refused = (more: object) =>
      client.request("session.create", world.session("s", more)).catch((error) => error.data);
    expect(await refused({ managedSettings: { permissions: { deny: ["Bogus(x)"] } } })).toMatchObject({
      reason: "invalid_params",
      path: "managedSettings.permissions.deny[0]",
    });
    expect(await refused({ enableManagedSettings: true })).toMatchObject({
      reason: "not_supported",
      path: "enableManagedSettings",
    });
    await client.close();
  });

  test("are made stricter, not laxer, by a client that comes to others", async () => {
    await using world = await enterWorld();
    const server = await world.start();
    const client = await server.connect();
    const other = await server.connect();
    const managedSettings = { permissions: { deny: ["Write"] } };
    await client.request("session.create", world.session("s", { managedSettings }));
    await other.request("session.resume", world.session("s"));
    const create: [string, object] = ["create", { path: "b.txt", file_text: "" }];
    expect((await callTools(world, client, "s", [create], ONCE)).requests).toEqual([]);
    await other.request("session.detach", { sessionId: "s" });
    await other.close();
    await client.request("session.resume", world.session("s"));
    expect((await callTools(world, client, "s", [create], ONCE)).requests).toHaveLength(1);
    await client.close();
  });
});
