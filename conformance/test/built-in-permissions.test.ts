/** What applications are asked about the runtime's own tools, and what their answers settle. */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PermissionRequest, PermissionRequestResult } from "@github/copilot-sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SdkVersion, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import type { World } from "../src/world.ts";

const enterWorld = shareRuntime();

let root = "";
let work = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "rightseat-work-")));
  work = join(root, "work");
  await mkdir(work);
  await writeFile(join(work, "a.txt"), "inside");
  await writeFile(join(root, "b.txt"), "outside");
});
afterEach(() => rm(root, { recursive: true }));

type Decide = (request: PermissionRequest) => PermissionRequestResult;

/** A session whose application decides like this; what it was asked, and a way to have tools called. */
async function openSession(world: World, sdk: SdkVersion, decide: Decide, settings: object = {}) {
  const client = await world.connect(sdk);
  const seen = new SeenEvents();
  const asked: PermissionRequest[] = [];
  const onPermissionRequest = (request: PermissionRequest) => {
    asked.push(request);
    return decide(request);
  };
  const session = await client.createSession(
    world.session(seen, { workingDirectory: work, onPermissionRequest, ...settings }),
  );
  return {
    session,
    seen,
    asked,
    async call(...calls: [name: string, args: object][]) {
      asked.length = 0;
      world.model.use([
        { toolCalls: calls.map(([name, args]) => ({ name, arguments: args })) },
        { text: "done" },
      ]);
      await session.sendAndWait({ prompt: "Go." });
      return asked.map(({ kind }) => kind).sort();
    },
  };
}

const ONCE: Decide = () => ({ kind: "approve-once" });

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the application is asked before a command, a read, a write and a fetch, by kind", async () => {
    await using world = await enterWorld();
    const { call, asked, seen } = await openSession(world, sdk, ONCE);
    const kinds = await call(
      ["bash", { command: "cat a.txt", description: "Look" }],
      ["view", { path: "a.txt" }],
      ["create", { path: "c.txt", file_text: "new" }],
      ["web_fetch", { url: "https://192.0.2.1.invalid/" }],
    );
    expect(kinds).toEqual(["read", "shell", "url", "write"]);
    expect(asked).toContainEqual(
      expect.objectContaining({
        kind: "shell",
        fullCommandText: "cat a.txt",
        commands: [{ identifier: "cat", readOnly: true }],
        possiblePaths: ["a.txt"],
      }),
    );
    expect(await readFile(join(work, "c.txt"), "utf8")).toBe("new");
    expect(seen.of("tool.execution_complete")).toHaveLength(4);
  });

  test("a rejected command does not run", async () => {
    await using world = await enterWorld();
    const { call, seen } = await openSession(world, sdk, () => ({ kind: "reject", feedback: "not this" }));
    await call(["bash", { command: "echo x > made.txt", description: "" }]);
    await expect(readFile(join(work, "made.txt"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(seen.of("permission.completed").map(({ data }) => data.result)).toEqual([
      { kind: "denied-interactively-by-user", feedback: "not this" },
    ]);
  });

  test("an approval of commands for the session covers them alone, and others behind them not", async () => {
    await using world = await enterWorld();
    const approval = { kind: "commands" as const, commandIdentifiers: ["echo"] };
    const { call } = await openSession(world, sdk, () => ({ kind: "approve-for-session", approval }));
    const run = (command: string) => call(["bash", { command, description: "" }]);
    expect(await run("echo 1")).toEqual(["shell"]);
    expect(await run("echo 2 && echo 3")).toEqual([]);
    expect(await run("echo $(touch made.txt)")).toEqual(["shell"]);
    expect(await run("echo 4; touch made.txt")).toEqual(["shell"]);
  });

  test("an approval of reads leaves paths outside of the working directory to be asked", async () => {
    await using world = await enterWorld();
    const { call, seen } = await openSession(world, sdk, () => ({
      kind: "approve-for-session",
      approval: { kind: "read" },
    }));
    expect(await call(["view", { path: "a.txt" }])).toEqual(["read"]);
    expect(await call(["grep", { pattern: "inside" }])).toEqual([]);
    expect(await call(["view", { path: "../b.txt" }])).toEqual(["read"]);
    expect(seen.of("permission.requested").at(-1)?.data.promptRequest).toMatchObject({
      kind: "path",
      accessKind: "read",
      paths: [join(root, "b.txt")],
    });
  });

  test("an approval for a location holds for the next session there", async () => {
    await using world = await enterWorld();
    const approval = { kind: "write" } as const;
    const decide: Decide = () => ({ kind: "approve-for-location", approval, locationKey: work });
    const first = await openSession(world, sdk, decide);
    expect(await first.call(["create", { path: "1.txt", file_text: "" }])).toEqual(["write"]);
    const second = await openSession(world, sdk, decide);
    expect(await second.call(["create", { path: "2.txt", file_text: "" }])).toEqual([]);
    const elsewhere = await openSession(world, sdk, decide, { workingDirectory: root });
    expect(await elsewhere.call(["create", { path: "3.txt", file_text: "" }])).toEqual(["write"]);
  });
});

const [newest] = sdkVersions.filter(({ version }) => version === "1.0.14");

describe("session.rpc.permissions", () => {
  test("rules, modes and paths that are set beforehand are not asked about", async () => {
    await using world = await enterWorld();
    const { session, call, seen } = await openSession(world, newest!, ONCE);
    const { permissions } = session.rpc;
    await permissions.configure({
      rules: {
        approved: [{ kind: "read", argument: null }],
        denied: [{ kind: "shell", argument: "touch" }],
      },
      paths: { additionalDirectories: [root], includeTempDirectory: false },
    });
    expect(
      await call(["view", { path: "../b.txt" }], ["bash", { command: "touch x", description: "" }]),
    ).toEqual([]);
    expect(
      seen
        .of("tool.execution_complete")
        .map(({ data }) => data.success)
        .sort(),
    ).toEqual([false, true]);
    expect((await permissions.paths.list()).directories).toContain(root);
    expect(await permissions.setMode({ mode: "allow-all" })).toEqual({ success: true, mode: "allow-all" });
    expect(await call(["create", { path: "d.txt", file_text: "" }])).toEqual([]);
    expect(seen.of("session.permissions_changed").map(({ data }) => data)).toEqual([
      { previousMode: "manual", mode: "allow-all" },
    ]);
    await permissions.setMode({ mode: "manual" });
    expect(await call(["create", { path: "e.txt", file_text: "" }])).toEqual(["write"]);
  });

  test("an application's policy goes before its handler", async () => {
    await using world = await enterWorld();
    const managedSettings = {
      permissions: { deny: ["Write(**/*.lock)"], disableBypassPermissionsMode: "disable" as const },
    };
    const { session, call } = await openSession(world, newest!, ONCE, { managedSettings });
    expect(await call(["create", { path: "x.lock", file_text: "" }])).toEqual([]);
    expect(await call(["create", { path: "x.txt", file_text: "" }])).toEqual(["write"]);
    await expect(session.rpc.permissions.setApproveAll({ enabled: true })).rejects.toThrow("forbids");
    expect((await session.rpc.permissions.setMode({ mode: "allow-all" })).mode).toBe("manual");
  });

  test("a question that waits is listed, and is there for who resumes", async () => {
    await using world = await enterWorld();
    const client = await world.connect(newest!);
    const seen = new SeenEvents();
    const silent = () => ({ kind: "no-result" }) as const;
    const settings = { workingDirectory: work, onPermissionRequest: silent };
    const session = await client.createSession(world.session(seen, settings));
    world.model.use([{ toolCalls: [{ name: "view", arguments: { path: "a.txt" } }] }, { text: "done" }]);
    await session.send({ prompt: "Go." });
    await seen.until("permission.requested");
    const [asked] = seen.of("permission.requested");
    const { items } = await session.rpc.permissions.pendingRequests();
    expect(items).toEqual([{ requestId: asked!.data.requestId, request: asked!.data.promptRequest }]);
    const other = await world.connect(newest!);
    const heard = new SeenEvents();
    const resumed = await other.resumeSession(session.sessionId, {
      ...world.session(heard, settings),
      continuePendingWork: true,
    });
    const answer = { requestId: asked!.data.requestId, result: { kind: "approve-once" } as const };
    expect(await resumed.rpc.permissions.handlePendingPermissionRequest(answer)).toEqual({ success: true });
    expect(await session.rpc.permissions.handlePendingPermissionRequest(answer)).toEqual({ success: false });
    await seen.until("session.idle");
    expect(seen.of("tool.execution_complete").map(({ data }) => data.success)).toEqual([true]);
  });
});
