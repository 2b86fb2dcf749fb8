/** Which tools a session's model is offered, over the bare wire: refused ones, filters, tool search, tools that go. */
import { type ScriptedModelServer, startScriptedModelServer, withoutTime } from "@rightseat/testing";
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
  model.use(undefined);
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
});
const create = async (more: object = {}, by = client): Promise<string> =>
  (await by.request("session.create", { sessionId: `choice-${next++}`, ...settings(), ...more })).sessionId;
const tool = (name: string, more: object = {}) => ({
  name,
  description: `Does ${name}`,
  parameters: { type: "object", properties: {} },
  skipPermission: true,
  ...more,
});
const call = (name: string, args: object) => ({ toolCalls: [{ name, arguments: args }] });
// biome-ignore lint/suspicious/noExplicitAny: requests' bodies, of which single fields are looked at
const bodies = (): any[] => model.requests.map(({ body }) => body);
const offered = (): string[] =>
  (bodies().at(-1).tools ?? []).map((one: { function: { name: string } }) => one.function.name);
const answerTools =
  (of: WireClient, sessionId: string, result: unknown = "done") =>
  async () => {
    const { data } = await of.event(sessionId, "external_tool.requested");
    await of.request("session.tools.handlePendingToolCall", { sessionId, requestId: data.requestId, result });
  };

describe("a client's tool", () => {
  test.each([
    ["a blank", "a b"],
    ["nothing", ""],
    ["a dot", "files.read"],
  ])("whose name has %s is refused by its place", async (_what, name) => {
    await expect(create({ tools: [tool("fine"), tool(name)] })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "tools[1].name" },
    });
  });

  test.each([true, false])(
    "with isTerminal: %s ends the run by its result, or does not",
    async (isTerminal) => {
      const sessionId = await create({ tools: [tool("finish", { isTerminal })] });
      model.use([call("finish", {}), { text: "something more" }]);
      const answered = answerTools(client, sessionId)();
      await client.request("session.send", { sessionId, prompt: "hi" });
      await answered;
      await client.event(sessionId, "session.idle");
      const said = client.of(sessionId).filter(({ type }) => type === "assistant.message");
      expect(said.some(({ data }) => data.content === "something more")).toBe(!isTerminal);
    },
  );

  test("with a built-in tool's name is refused, unless it says that it means to", async () => {
    await expect(create({ tools: [tool("grep")] })).rejects.toMatchObject({
      message: expect.stringContaining("overridesBuiltInTool"),
      data: { reason: "invalid_params", path: "tools[0].name" },
    });
    const sessionId = await create({ tools: [tool("grep", { overridesBuiltInTool: true })] });
    model.use([call("grep", {}), { text: "ok" }]);
    const answering = answerTools(client, sessionId, "mine")();
    await client.ask(sessionId, "go");
    await answering;
    expect(bodies().at(-1).messages.at(-1)).toMatchObject({ role: "tool", content: "mine" });
    expect(offered().filter((name) => name === "grep")).toHaveLength(1);
    await expect(
      client.request("session.resume", { sessionId, tools: [tool("view")] }),
    ).rejects.toMatchObject({ data: { reason: "invalid_params" } });
    expect(await client.ask(sessionId, "echo still here")).toBe("still here");
  });

  test("with a built-in tool's name is fine where the session does not have that one", async () => {
    await create({ tools: [tool("grep")], availableTools: ["custom:*"] });
    await create({ tools: [tool("grep")], excludedTools: ["builtin:grep"] });
    await create({ tools: [tool("report_intent")] });
  });
});

test("tools that come and go with a client are told to the others, and to nobody when there is no other", async () => {
  const sessionId = await create({ tools: [tool("first")], availableTools: ["custom:*"] });
  const told = () => client.of(sessionId).filter(({ type }) => type === "session.tools_updated");
  const other = await server.connect();
  const join = (tools: object[]) => other.request("session.resume", { sessionId, tools });
  await join([tool("first")]);
  await client.ask(sessionId, "echo nothing is new");
  expect(told()).toEqual([]);
  await join([tool("second")]);
  await client.until(() => told().length === 1);
  await other.close();
  await client.until(() => told().length === 2);
  expect(told()[1]?.data).toEqual({ model: expect.any(String) });
  await client.request("session.resume", { sessionId, tools: [tool("first")] });
  await client.ask(sessionId, "echo alone");
  expect(told()).toHaveLength(2);
});

test("a client may bring other tools while the session is open", async () => {
  const sessionId = await create({ tools: [tool("first")], availableTools: ["custom:*"] });
  const set = (tools: object[], by = client) => by.request("session.tools.set", { sessionId, tools });
  await set([tool("second")]);
  await client.event(sessionId, "session.tools_updated");
  await client.ask(sessionId, "hi");
  expect(offered()).toEqual(["second"]);
  await expect(set([tool("a b")])).rejects.toMatchObject({ data: { reason: "invalid_params" } });
  const stranger = await server.connect();
  await expect(set([tool("third")], stranger)).rejects.toMatchObject({
    data: { reason: "session_not_found" },
  });
  await stranger.close();
});

test("names in availableTools that no tool has are told to the client", async () => {
  const availableTools = ["view", "vieww", "custom:lookup", "builtin:nope", "mcp:any", "custom:*"];
  const sessionId = await create({ availableTools, tools: [tool("lookup")] });
  const { data } = await client.event(sessionId, "session.info");
  expect(data.infoType).toBe("configuration");
  expect(data.message).toContain('"vieww", "builtin:nope"');
  expect(data.message).not.toMatch(/lookup|any|\*/);
  await client.ask(sessionId, "hi");
  expect(offered()).toEqual(["view", "lookup"]);
});

describe("tool search", () => {
  const MANY = [
    ...Array.from({ length: 4 }, (_, index) => tool(`ticket_${index}`)),
    tool("mail", { defer: "never" }),
  ];
  const searching = {
    tools: MANY,
    toolSearch: { enabled: true, deferThreshold: 3 },
    availableTools: ["custom:*"],
  };

  test("is off unless a session wants it", async () => {
    await client.ask(await create({ ...searching, toolSearch: { deferThreshold: 3 } }), "hi");
    expect(offered()).toHaveLength(5);
    await client.ask(await create({ ...searching, toolSearch: { enabled: true, deferThreshold: 5 } }), "hi");
    expect(offered()).toHaveLength(5);
  });

  test("keeps tools back until the model looks for them, and offers what it found from then on", async () => {
    const sessionId = await create(searching);
    model.use([
      call("tool_search_tool", { query: "ticket_2", limit: 1 }),
      call("ticket_2", {}),
      { text: "Sent." },
    ]);
    const before = model.requests.length;
    const answering = answerTools(client, sessionId)();
    expect(await client.ask(sessionId, "go")).toBe("Sent.");
    await answering;
    const toolsOf = (index: number) =>
      bodies()[before + index].tools.map((one: { function: { name: string } }) => one.function.name);
    expect(toolsOf(0)).toEqual(["mail", "tool_search_tool"]);
    expect(toolsOf(1)).toEqual(["ticket_2", "mail", "tool_search_tool"]);
    expect((await client.event(sessionId, "tool_search.activated")).data.toolNames).toEqual(["ticket_2"]);
    const { tools } = await client.request("session.tools.getCurrentMetadata", { sessionId });
    const waiting = tools.filter((one: { deferLoading?: boolean }) => one.deferLoading);
    expect(waiting.map((one: { name: string }) => one.name)).toEqual(["ticket_0", "ticket_1", "ticket_3"]);
  });

  test("says so when nothing fits", async () => {
    const sessionId = await create(searching);
    model.use([call("tool_search_tool", { query: "weather" }), { text: "No." }]);
    await client.ask(sessionId, "go");
    expect(bodies().at(-1).messages.at(-1).content).toContain("No tool fits");
    expect(client.of(sessionId).some(({ type }) => type === "tool_search.activated")).toBe(false);
  });

  test("may be a client's own, which says by name what it found", async () => {
    const own = tool("tool_search_tool", { overridesBuiltInTool: true });
    const sessionId = await create({ ...searching, tools: [...MANY, own] });
    model.use([call("tool_search_tool", { q: "x" }), { text: "Found." }]);
    const answering = answerTools(client, sessionId, {
      textResultForLlm: "two",
      resultType: "success",
      toolReferences: ["ticket_1", "ticket_3"],
    })();
    await client.ask(sessionId, "go");
    await answering;
    expect(offered()).toEqual(["ticket_1", "ticket_3", "mail", "tool_search_tool"]);
  });

  test("found what it found also after the server was killed", async () => {
    await using other = await tempHome();
    const first = await spawnServer(other.path);
    const before = await first.connect();
    const sessionId = await create(searching, before);
    model.use([call("tool_search_tool", { query: "ticket_2" }), { text: "ok" }]);
    await before.ask(sessionId, "go");
    await first.kill("SIGKILL");
    await before.ended;
    const second = await spawnServer(other.path);
    const after = await second.connect();
    await after.request("session.resume", { sessionId, ...settings(), ...searching });
    await after.ask(sessionId, "hi");
    expect(offered()).toContain("ticket_2");
    await after.close();
    await second.kill("SIGTERM");
  });
});

test("a prompt that waits while its client's connection is lost does not tell that the tools have gone", async () => {
  const lost = await server.connect();
  const sessionId = await create({ tools: [tool("lookup")] }, lost);
  await lost.ask(sessionId, "echo one");
  const promptNow = () => bodies().at(-1).messages.at(-1).content as string;
  let answer: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  model.use(async () => {
    await held;
    return { text: "ok" };
  });
  await lost.request("session.send", { sessionId, prompt: "first" });
  await model.until(() => promptNow().endsWith("first"));
  await lost.request("session.send", { sessionId, prompt: "second" });
  await lost.close();
  answer();
  await model.until(() => promptNow().endsWith("second"));
  expect(withoutTime(promptNow())).toBe("second");
});

test("a model is told with the next prompt that a client took its tools along, and when they are back", async () => {
  const other = await server.connect();
  const sessionId = await create();
  const lastPrompt = () => withoutTime(bodies().at(-1).messages.at(-1).content as string);
  await other.request("session.resume", { sessionId, tools: [tool("lookup")] });
  await client.ask(sessionId, "echo one");
  expect(lastPrompt()).toBe("echo one");
  await other.request("session.detach", { sessionId });
  await client.ask(sessionId, "echo two");
  expect(lastPrompt()).toMatch(
    /have gone: lookup\.[\s\S]*<\/tool_changes>\n\n<current_datetime>.*\n\necho two$/,
  );
  expect((await client.event(sessionId, "user.message")).data.content).toBe("echo one");
  await client.ask(sessionId, "echo three");
  expect(lastPrompt()).toBe("echo three");
  await other.request("session.resume", { sessionId, tools: [tool("lookup")] });
  await client.ask(sessionId, "echo four");
  expect(lastPrompt()).toContain("are back and can be called: lookup");
  await other.close();
});
