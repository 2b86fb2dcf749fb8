/** Slash commands over the bare wire: the clients' own, the server's, and those that wait in the queue. */
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
});
beforeEach(async () => {
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const settings = () => ({
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  availableTools: ["custom:*"],
});
const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", { sessionId: `commands-${next++}`, ...settings(), ...more }))
    .sessionId;

const DEPLOY = { name: "deploy", description: "Deploys" };
const executions = (of: WireClient, sessionId: string) =>
  of.of(sessionId).filter((event) => event.type === "command.execute");

describe("a client's command", () => {
  test("is told to the client that declared it alone, and ends with what it answers", async () => {
    const other = await server.connect();
    const sessionId = await create();
    await other.request("session.resume", { sessionId, commands: [DEPLOY] });
    const executing = client.request("session.commands.execute", {
      sessionId,
      commandName: "deploy",
      args: "to production",
    });
    const { data } = await other.event(sessionId, "command.execute");
    expect(data).toMatchObject({
      command: "/deploy to production",
      commandName: "deploy",
      args: "to production",
    });
    await other.request("session.commands.handlePendingCommand", {
      sessionId,
      requestId: data.requestId,
      error: "no permission",
    });
    expect(await executing).toEqual({ error: "no permission" });
    await client.event(sessionId, "command.completed");
    expect(executions(client, sessionId)).toEqual([]);
    await other.close();
  });

  test("goes on with the next client that declares it when the first one vanishes", async () => {
    const [first, second] = [await server.connect(), await server.connect()];
    const sessionId = await create();
    await first.request("session.resume", { sessionId, commands: [DEPLOY] });
    await second.request("session.resume", { sessionId, commands: [DEPLOY] });
    const executing = client.request("session.commands.execute", {
      sessionId,
      commandName: "deploy",
      args: "",
    });
    const { data } = await first.event(sessionId, "command.execute");
    expect(executions(second, sessionId)).toEqual([]);
    await first.close();
    expect((await second.event(sessionId, "command.execute")).data).toEqual(data);
    await second.request("session.commands.handlePendingCommand", { sessionId, requestId: data.requestId });
    expect(await executing).toEqual({});
    await second.close();
  });

  test("waits for its client to come back when it was the only one", async () => {
    const declaring = await server.connect();
    const sessionId = await create();
    await declaring.request("session.resume", { sessionId, commands: [DEPLOY] });
    const executing = client.request("session.commands.execute", {
      sessionId,
      commandName: "deploy",
      args: "",
    });
    const { data } = await declaring.event(sessionId, "command.execute");
    await declaring.close();
    await client.until(
      () => client.of(sessionId).filter(({ type }) => type === "commands.changed").length === 2,
    );
    const back = await server.connect();
    await back.request("session.resume", { sessionId, commands: [DEPLOY] });
    await back.event(sessionId, "command.execute");
    await back.request("session.commands.handlePendingCommand", { sessionId, requestId: data.requestId });
    expect(await executing).toEqual({});
    await back.close();
  });

  test("that nobody carries out ends with an error after the deadline", async () => {
    await using other = await tempHome();
    await using short = await startServer(other.path, { flags: ["--question-deadline", "1"] });
    const slow = await short.connect();
    await slow.request("session.create", { sessionId: "slow", ...settings(), commands: [DEPLOY] });
    const { error } = await slow.request("session.commands.execute", {
      sessionId: "slow",
      commandName: "deploy",
      args: "",
    });
    expect(error).toContain("in time");
    await slow.close();
  });

  test("that nobody declared is an error that names it", async () => {
    const sessionId = await create();
    expect(
      await client.request("session.commands.execute", { sessionId, commandName: "nope", args: "" }),
    ).toEqual({ error: "No client found for command: nope" });
    await expect(
      client.request("session.commands.invoke", { sessionId, name: "nope" }),
    ).rejects.toMatchObject({
      data: { reason: "invalid_params" },
    });
  });

  test("that comes and goes with its client is told to the others", async () => {
    const other = await server.connect();
    const sessionId = await create();
    await other.request("session.resume", { sessionId, commands: [DEPLOY] });
    expect((await client.event(sessionId, "commands.changed")).data).toEqual({ commands: [DEPLOY] });
    const before = client.of(sessionId).length;
    await other.request("session.detach", { sessionId });
    expect((await client.event(sessionId, "commands.changed", before)).data).toEqual({ commands: [] });
    await other.close();
  });
});

describe("the server's own commands", () => {
  const invoke = (sessionId: string, name: string, input?: string) =>
    client.request("session.commands.invoke", { sessionId, name, input });

  test("are listed, each with its kind, and clients' beside them", async () => {
    const sessionId = await create({ commands: [DEPLOY] });
    const list = async (filter: object) =>
      (await client.request("session.commands.list", { sessionId, ...filter })).commands.map(
        (command: { name: string; kind: string }) => `${command.kind} ${command.name}`,
      );
    const all = await list({});
    expect(all).toContain("builtin help");
    expect(all).toContain("client deploy");
    expect(await list({ includeBuiltins: false })).toEqual(["client deploy"]);
    expect(await list({ includeClientCommands: false })).not.toContain("client deploy");
    expect(
      (await client.request("commands.list")).commands.map(({ kind }: { kind: string }) => kind),
    ).not.toContain("client");
  });

  test("rename, switch the mode and the model, and tell of the session", async () => {
    const sessionId = await create();
    await invoke(sessionId, "rename", "The big one");
    expect(await client.request("session.name.get", { sessionId })).toEqual({ name: "The big one" });
    for (const [name, input] of [["rename"], ["rename", " \n"], ["add-dir", " "]] as const)
      await expect(invoke(sessionId, name, input)).rejects.toMatchObject({
        message: expect.stringMatching(new RegExp(`^/${name}: expected <`)),
        data: { reason: "invalid_params", path: "input" },
      });
    expect(await client.request("session.name.get", { sessionId })).toEqual({ name: "The big one" });
    expect(await invoke(sessionId, "plan")).toMatchObject({ kind: "completed", mode: "plan" });
    expect(await invoke(sessionId, "autopilot", "on")).toMatchObject({ mode: "autopilot" });
    expect(await invoke(sessionId, "autopilot", "off")).toMatchObject({ mode: "interactive" });
    await expect(invoke(sessionId, "autopilot", "perhaps")).rejects.toMatchObject({
      data: { reason: "invalid_params" },
    });
    await invoke(sessionId, "model", "scripted-2");
    expect(await client.request("session.model.getCurrent", { sessionId })).toMatchObject({
      modelId: "scripted-2",
    });
    expect((await invoke(sessionId, "/session")).text).toContain(sessionId);
    await client.ask(sessionId, "echo hi");
    expect((await invoke(sessionId, "usage")).text.split("\n")).toEqual([
      "Requests: 1",
      "Changes: 0 lines added, 0 removed, in 0 files",
      expect.stringContaining("scripted-2: 1 calls"),
    ]);
    expect((await invoke(sessionId, "help")).text).toContain("/rename <name>");
  });
});

describe("the server's commands on context and permissions", () => {
  const invoke = (sessionId: string, name: string, input?: string) =>
    client.request("session.commands.invoke", { sessionId, name, input });
  const tool = { name: "lookup", description: "Looks up", parameters: { type: "object", properties: {} } };

  test("/compact summarises the conversation, and says so when there is none", async () => {
    const sessionId = await create();
    await expect(invoke(sessionId, "compact")).rejects.toMatchObject({
      data: { reason: "nothing_to_compact" },
    });
    await client.ask(sessionId, "echo something");
    expect(await invoke(sessionId, "compact", "Keep the names.")).toMatchObject({ kind: "completed" });
    expect((await client.event(sessionId, "session.compaction_complete")).data.success).toBe(true);
  });

  test("/allow-all lets tools run without a question, until it is off", async () => {
    const sessionId = await create({ tools: [tool] });
    expect(await invoke(sessionId, "allow-all", "on")).toMatchObject({ kind: "completed" });
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    const { data } = await client.event(sessionId, "external_tool.requested");
    const answer = { sessionId, requestId: data.requestId, result: "found" };
    await client.request("session.tools.handlePendingToolCall", answer);
    await client.event(sessionId, "session.idle");
    expect(client.of(sessionId).some(({ type }) => type === "permission.requested")).toBe(false);
    await invoke(sessionId, "allow-all", "off");
    await invoke(sessionId, "reset-allowed-tools");
    await client.request("session.send", { sessionId, prompt: "tool lookup 1" });
    await client.event(sessionId, "permission.requested");
    await client.request("session.abort", { sessionId });
  });

  test("/add-dir adds a directory that is there", async () => {
    const sessionId = await create();
    await invoke(sessionId, "add-dir", home.path);
    await expect(invoke(sessionId, "add-dir", "/nowhere/at/all")).rejects.toMatchObject({
      data: { reason: "invalid_params" },
    });
  });
});

test("the directories that tools may use, and what fills the context, are shown", async () => {
  const sessionId = await create();
  const invoke = async (name: string) =>
    (await client.request("session.commands.invoke", { sessionId, name })).text as string;
  await client.request("session.commands.invoke", { sessionId, name: "add-dir", input: home.path });
  expect((await invoke("list-dirs")).split("\n")).toEqual(expect.arrayContaining([process.cwd(), home.path]));
  expect(await invoke("list-dirs")).toMatch(/\nTotal: [2-9] directories$/);
  expect(await invoke("context")).toContain("before the first prompt");
  await client.ask(sessionId, "echo hi");
  expect(await invoke("context")).toMatch(/^scripted: \d+ of \d+ tokens \(\d+ %\)\nSystem message: \d+/);
});

describe("a queued command", () => {
  const enqueue = (sessionId: string, command: string, displayText?: string) =>
    client.request("session.commands.enqueue", { sessionId, command, displayText });
  const watch = (sessionId: string) =>
    client.request("session.eventLog.registerInterest", { sessionId, eventType: "command.queued" });

  test("is named by its id in the queue", async () => {
    const sessionId = await create({ commands: [DEPLOY] });
    model.use(() => new Promise(() => undefined));
    await client.request("session.send", { sessionId, prompt: "one" });
    const { queued, queueId } = await enqueue(sessionId, "/deploy now");
    const { items } = await client.request("session.queue.pendingItems", { sessionId });
    expect({ queued, ids: items.map(({ id }: { id: string }) => id) }).toEqual({
      queued: true,
      ids: [queueId],
    });
    model.use(undefined);
    await client.request("session.abort", { sessionId });
  });

  test("takes its turn between two prompts", async () => {
    const sessionId = await create({ commands: [DEPLOY] });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    model.use(async () => {
      await released;
      return { text: "first" };
    });
    await client.request("session.send", { sessionId, prompt: "one" });
    await enqueue(sessionId, "/deploy now", "Deploy it");
    await client.request("session.send", { sessionId, prompt: "two" });
    const { items } = await client.request("session.queue.pendingItems", { sessionId });
    expect(items).toMatchObject([
      { kind: "command", displayText: "Deploy it" },
      { kind: "message", displayText: "two" },
    ]);
    model.use(undefined);
    release();
    const { data } = await client.event(sessionId, "command.execute");
    expect(client.of(sessionId).filter(({ type }) => type === "user.message")).toHaveLength(1);
    await client.request("session.commands.handlePendingCommand", { sessionId, requestId: data.requestId });
    await client.event(sessionId, "session.idle");
    expect(client.of(sessionId).filter(({ type }) => type === "user.message")).toHaveLength(2);
  });

  test("is offered to a client that watches, which may stop the queue until something new comes", async () => {
    const sessionId = await create();
    await watch(sessionId);
    await enqueue(sessionId, "/theme dark");
    const { data } = await client.event(sessionId, "command.queued");
    expect(data.command).toBe("/theme dark");
    await enqueue(sessionId, "/help");
    const respond = (requestId: string, result: object) =>
      client.request("session.commands.respondToQueuedCommand", { sessionId, requestId, result });
    expect(await respond(data.requestId, { handled: true, stopProcessingQueue: true })).toEqual({
      success: true,
    });
    expect(await respond(data.requestId, { handled: true })).toEqual({ success: false });
    await client.event(sessionId, "session.idle");
    expect((await client.request("session.queue.pendingItems", { sessionId })).items).toHaveLength(1);
    const before = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "echo go on" });
    const help = await client.event(sessionId, "command.queued", before);
    await respond(help.data.requestId, { handled: false });
    expect((await client.event(sessionId, "session.info", before)).data.message).toContain("/help");
    await client.event(sessionId, "session.idle", before);
  });

  test("that nobody knows ends with a warning, and the queue goes on", async () => {
    const sessionId = await create();
    await enqueue(sessionId, "/nope at all");
    await client.event(sessionId, "session.idle");
    expect((await client.event(sessionId, "session.warning")).data.message).toContain("/nope");
    expect(await client.ask(sessionId, "echo still here")).toBe("still here");
    await expect(enqueue(sessionId, "nope")).rejects.toMatchObject({ data: { reason: "invalid_params" } });
  });

  test("that stands for a prompt is run as one, in its mode", async () => {
    const sessionId = await create();
    await enqueue(sessionId, "/plan echo a plan");
    await client.event(sessionId, "session.idle");
    expect((await client.event(sessionId, "user.message")).data).toMatchObject({
      content: "echo a plan",
      agentMode: "plan",
    });
  });

  test("is given up when the client aborts", async () => {
    const sessionId = await create({ commands: [DEPLOY] });
    await enqueue(sessionId, "/deploy");
    await client.event(sessionId, "command.execute");
    await client.request("session.abort", { sessionId });
    expect((await client.event(sessionId, "session.idle")).data).toMatchObject({ aborted: true });
    expect((await client.request("session.queue.pendingItems", { sessionId })).items).toEqual([]);
  });

  test("that was acknowledged is carried out after the server was killed", async () => {
    await using other = await tempHome();
    const first = await spawnServer(other.path);
    const before = await first.connect();
    await before.request("session.create", { sessionId: "kept", ...settings(), commands: [DEPLOY] });
    await before.request("session.commands.enqueue", { sessionId: "kept", command: "/deploy again" });
    await before.event("kept", "command.execute");
    await first.kill("SIGKILL");
    await before.ended;
    const second = await spawnServer(other.path);
    const after = await second.connect();
    await after.request("session.resume", { sessionId: "kept", ...settings(), commands: [DEPLOY] });
    const { data } = await after.event("kept", "command.execute");
    expect(data.command).toBe("/deploy again");
    await after.request("session.commands.handlePendingCommand", {
      sessionId: "kept",
      requestId: data.requestId,
    });
    await after.event("kept", "session.idle");
    await after.close();
    await second.kill("SIGTERM");
  });
});
