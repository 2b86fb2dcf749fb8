/** Options and answers that the newest SDKs have. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answer, type Fields, useHookWorld } from "./support/hook-world.ts";
import { tempHome } from "./support/servers.ts";

const world = useHookWorld();
let made = 0;

async function create(fields: object = {}) {
  const sessionId = `o${made++}`;
  await world.client.request("session.create", { ...world.settings, hooks: false, sessionId, ...fields });
  const call = (method: string, params: object = {}) =>
    world.client.request(`session.${method}`, { sessionId, ...params });
  return { sessionId, call };
}

describe("session.create", () => {
  test("takes a name, which lists show at once", async () => {
    const { sessionId, call } = await create({ name: "release notes" });
    expect(await call("name.get")).toEqual({ name: "release notes" });
    const { session } = await world.client.request("session.getMetadata", { sessionId });
    expect(session).toMatchObject({ name: "release notes" });
    await expect(create({ name: "  " })).rejects.toMatchObject({ data: { path: "name" } });
  });

  test.each([
    [undefined, 5],
    [{ maxContinues: 2 }, 2],
    [{ maxContinues: 0 }, 0],
    [{ continuationEnabled: false, maxContinues: 3 }, 0],
  ])("with autopilot %j the model is asked to go on %i times", async (autopilot, times) => {
    const { sessionId, call } = await create({ autopilot });
    await call("mode.set", { mode: "autopilot" });
    await world.client.ask(sessionId, "work");
    const nudges = world.dataOf(sessionId, "user.message").filter((data) => data.isAutopilotContinuation);
    expect(nudges).toHaveLength(times);
  });

  test("what a resume leaves out of autopilot stays as it was", async () => {
    const { sessionId, call } = await create({ autopilot: { maxContinues: 1 } });
    await world.client.request("session.resume", {
      ...world.settings,
      hooks: false,
      sessionId,
      autopilot: { continuationEnabled: true },
    });
    await call("mode.set", { mode: "autopilot" });
    await world.client.ask(sessionId, "work");
    const nudges = world.dataOf(sessionId, "user.message").filter((data) => data.isAutopilotContinuation);
    expect(nudges).toHaveLength(1);
  });

  test.each([
    ["session", true, false],
    [true, true, false],
    ["user", true, true],
    [undefined, false, false],
  ])(
    "with trustWorkingDirectory %j the folder is trusted: here %j, elsewhere %j",
    async (trust, here, elsewhere) => {
      await using project = await tempHome();
      const path = project.work;
      const { call } = await create({ workingDirectory: path, trustWorkingDirectory: trust });
      expect(await call("permissions.folderTrust.isTrusted", { path })).toEqual({ trusted: here });
      const other = await create();
      expect(await other.call("permissions.folderTrust.isTrusted", { path })).toEqual({ trusted: elsewhere });
    },
  );

  test("with refreshCustomInstructions reads what was written just now", async () => {
    await using project = await tempHome();
    const workingDirectory = project.work;
    const sources = async (fields: object) => {
      const { call } = await create({ workingDirectory, ...fields });
      return (await call("instructions.getSources")).sources.length;
    };
    expect(await sources({})).toBe(0);
    await writeFile(join(workingDirectory, "AGENTS.md"), "Be brief.");
    expect(await sources({ refreshCustomInstructions: true })).toBe(1);
  });

  test("takes agents from the folders that it names, without looking for others", async () => {
    await using project = await tempHome();
    const agent = (name: string) => `---\nname: ${name}\ndescription: d\n---\nBe it.`;
    await mkdir(join(project.work, ".github", "agents"), { recursive: true });
    await mkdir(join(project.work, "team"));
    await writeFile(join(project.work, ".github", "agents", "found.agent.md"), agent("found"));
    await writeFile(join(project.work, "team", "named.agent.md"), agent("named"));
    const agents = async (fields: object) => {
      const { call } = await create({
        workingDirectory: project.work,
        agentDirectories: ["team"],
        ...fields,
      });
      return (await call("agent.list")).agents.map(({ name }: { name: string }) => name);
    };
    expect(await agents({})).toEqual(["named"]);
    expect((await agents({ enableConfigDiscovery: true })).sort()).toEqual(["found", "named"]);
    expect(await agents({ agent: "named" })).toEqual(["named"]);
  });

  test("runs the hooks of the folders that it names, and no other commands of files", async () => {
    await using project = await tempHome();
    const denying = (reason: string) =>
      JSON.stringify({
        version: 1,
        hooks: {
          preToolUse: [
            {
              type: "command",
              bash: `echo '{"permissionDecision":"deny","permissionDecisionReason":"${reason}"}'`,
            },
          ],
        },
      });
    await mkdir(join(project.work, ".github", "hooks"), { recursive: true });
    await mkdir(join(project.work, "guards"));
    await writeFile(join(project.work, ".github", "hooks", "a.json"), denying("the repository"));
    await writeFile(join(project.work, "guards", "b.json"), denying("the named folder"));
    const { sessionId, call } = await create({ workingDirectory: project.work, hookDirectories: ["guards"] });
    await call("permissions.setMode", { mode: "allow-all" });
    world.model.use([{ toolCalls: [{ name: "view", arguments: { path: "." } }] }, { words: ["over"] }]);
    await world.client.ask(sessionId, "look");
    const [result] = world.dataOf(sessionId, "tool.execution_complete");
    expect(result.success).toBe(false);
    expect(JSON.stringify(result)).toContain("the named folder");
    expect(world.dataOf(sessionId, "hook.start").map(({ hookType }) => hookType)).toEqual(["preToolUse"]);
  });

  test("with limitTo reaches no other host, whatever is allowed", async () => {
    const managedSettings = { permissions: { limitTo: ["Domain(example.com)"] } };
    const { sessionId, call } = await create({ managedSettings });
    await call("permissions.setMode", { mode: "allow-all" });
    const calls = [
      { name: "web_fetch", arguments: { url: "http://other.invalid/" } },
      { name: "bash", arguments: { command: "true > /dev/tcp/127.0.0.1/1", description: "d" } },
      { name: "bash", arguments: { command: "echo said", description: "d" } },
    ];
    world.model.use([{ toolCalls: calls }, { words: ["over"] }]);
    await world.client.ask(sessionId, "look");
    const results = world.dataOf(sessionId, "tool.execution_complete");
    expect(results.map(({ success }) => success).sort()).toEqual([false, false, true]);
    expect(JSON.stringify(results)).toContain("limitTo does not name the host 'other.invalid'");
    expect(JSON.stringify(results)).toContain("which the command would reach cannot be told");
    const { settings } = await call("managedSettings.get");
    expect(settings.permissions).toEqual(managedSettings.permissions);
    await expect(
      create({ managedSettings: { permissions: { limitTo: ["Domain(https://a)"] } } }),
    ).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "managedSettings.permissions.limitTo[0]" },
    });
  });

  test("takes disableAssistedPermissionsMode: there is no such mode", async () => {
    const fine = { permissions: { disableAssistedPermissionsMode: true } };
    const { call } = await create({ managedSettings: fine });
    expect(await call("permissions.setMode", { mode: "assisted" })).toMatchObject({ success: false });
  });
});

test("approve-read-only-for-session lets files of the directories be read, and not be changed", async () => {
  await using project = await tempHome();
  const path = join(project.work, "a.txt");
  await writeFile(path, "hello");
  const { sessionId, call } = await create({ requestPermission: true });
  const ask = async (toolCalls: Fields[], decision: object) => {
    world.model.use([{ toolCalls }, { words: ["done"] }]);
    const before = world.client.of(sessionId).length;
    await call("send", { prompt: "go" });
    const after = () => world.client.of(sessionId).slice(before);
    const answered = new Set<string>();
    await world.client.until(() => {
      for (const { type, data } of after())
        if (type === "permission.requested" && !answered.has(data.requestId)) {
          answered.add(data.requestId);
          void call("permissions.handlePendingPermissionRequest", {
            requestId: data.requestId,
            result: decision,
          });
        }
      return after().some(({ type }) => type === "session.idle");
    });
    return answered.size;
  };
  const view = { name: "view", arguments: { path } };
  const decision = { kind: "approve-read-only-for-session", directories: [project.work] };
  expect(await ask([view], decision)).toBe(1);
  expect(await ask([view], { kind: "reject" })).toBe(0);
  const change = { name: "edit", arguments: { path, old_str: "hello", new_str: "bye" } };
  expect(await ask([change], { kind: "reject" })).toBe(1);
});

describe("hooks of sub-agents", () => {
  const task = (prompt = "SUBTASK") => ({
    toolCalls: [
      {
        name: "task",
        arguments: { agent_type: "general-purpose", name: "worker", description: "Does it", prompt },
      },
    ],
  });
  const view = { toolCalls: [{ name: "view", arguments: { path: "." } }] };

  test("are told its beginning and end, and who it is in all that it does", async () => {
    const { sessionId, asked } = await world.create({});
    await world.client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    world.model.use([task(), view, { words: ["found"] }, { words: ["over"] }]);
    await world.client.ask(sessionId, "delegate");
    const of = (hookType: string) =>
      asked.filter((one) => one.hookType === hookType).map(({ input }) => input);
    const [start] = of("subagentStart");
    const { agentId } = start;
    expect(start).toMatchObject({ sessionId, agentName: "general-purpose", agentType: "general-purpose" });
    expect(agentId).toEqual(expect.any(String));
    expect(of("subagentStop")).toEqual([
      expect.objectContaining({ sessionId, agentId, stopReason: "end_turn", response: "found" }),
    ]);
    const [own, subs] = of("preToolUse");
    expect(own).not.toHaveProperty("agentId");
    expect(subs).toMatchObject({ toolName: "view", agentId, agentType: "general-purpose" });
  });

  test("put context before its prompt, have it go on, and rewrite its answer", async () => {
    let stops = 0;
    const { sessionId } = await world.create({
      subagentStart: { additionalContext: "CONTEXT" },
      subagentStop: () => {
        stops += 1;
        return stops === 1 ? { decision: "block", reason: "LOOK AGAIN" } : { modifiedResponse: "REWRITTEN" };
      },
    });
    const told: string[] = [];
    const replies = [task(), { words: ["first"] }, { words: ["second"] }, { words: ["over"] }];
    world.model.use(({ body }, index) => {
      told.push(JSON.stringify((body.messages as Fields[]).at(-1)));
      return replies[index];
    });
    await world.client.ask(sessionId, "delegate");
    expect(told[1]).toContain("CONTEXT\\n\\nSUBTASK");
    expect(told[2]).toContain("LOOK AGAIN");
    expect(told[3]).toContain("REWRITTEN");
    expect(stops).toBe(2);
  });

  test("that block for ever are asked nine times", async () => {
    const { sessionId, asked } = await world.create({ subagentStop: { decision: "block", reason: "more" } });
    let calls = 0;
    world.model.use(() => {
      calls += 1;
      return calls === 1 ? task() : { words: ["done"] };
    });
    await world.client.ask(sessionId, "delegate");
    expect(asked.filter(({ hookType }) => hookType === "subagentStop")).toHaveLength(9);
  });

  test("do not keep a client without hooks from anything", async () => {
    const { sessionId } = await create();
    answer(world.client, {});
    world.model.use([task(), { words: ["found"] }, { words: ["over"] }]);
    expect(await world.client.ask(sessionId, "delegate")).toBe("over");
  });
});
