/** Clients' hooks over the bare wire: what they are asked, and what becomes of their answers. */
import { type ScriptedModelServer, startScriptedModelServer, withoutTime } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

// biome-ignore lint/suspicious/noExplicitAny: inputs and outputs of hooks, of which each test looks at some fields
type Fields = any;
/** What a client's hook answers; a function is given the input. */
type Hooks = Record<string, Fields | ((input: Fields) => Fields)>;

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let made = 0;
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

const provider = () => ({ type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" });
const settings = () => ({
  model: "scripted",
  provider: provider(),
  workingDirectory: home.path,
  hooks: true,
});
const lookup = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
  skipPermission: true,
};

/** Answers the client's hooks; what they were asked goes into the list that is returned. */
function answer(who: WireClient, hooks: Hooks): { hookType: string; input: Fields }[] {
  const asked: { hookType: string; input: Fields }[] = [];
  who.answers.set("hooks.invoke", async ({ hookType, input }: Fields) => {
    asked.push({ hookType, input });
    const hook = hooks[hookType];
    const output = typeof hook === "function" ? await hook(input) : hook;
    return output === undefined ? {} : { output };
  });
  return asked;
}

async function create(hooks: Hooks, more: object = {}) {
  const sessionId = `hooked-${made++}`;
  const asked = answer(client, hooks);
  await client.request("session.create", { ...settings(), sessionId, ...more });
  return { sessionId, asked };
}

/** Runs the client's tools: each call is answered by what the function makes of its arguments. */
function runTools(who: WireClient, run: (args: Fields) => unknown): () => void {
  const answered = new Set<string>();
  let stopped = false;
  const watch = async () => {
    while (!stopped && !who.stream.destroyed) {
      const event = await who
        .until(() =>
          [...who.events.values()]
            .flat()
            .find(({ type, data }) => type === "external_tool.requested" && !answered.has(data.requestId)),
        )
        .catch(() => undefined);
      if (!event) return;
      const { requestId, sessionId, arguments: args } = event.data;
      answered.add(requestId);
      await who.request("session.tools.handlePendingToolCall", { sessionId, requestId, result: run(args) });
    }
  };
  void watch();
  return () => {
    stopped = true;
  };
}

const typesOf = (sessionId: string) => client.of(sessionId).map((event) => event.type);
const dataOf = (sessionId: string, type: string): Fields[] =>
  client
    .of(sessionId)
    .filter((event) => event.type === type)
    .map((event) => event.data);

/** The conversation that the model was last asked with, without the system message and the times. */
const told = (): string[] =>
  ((model.requests.at(-1)?.body.messages ?? []) as Fields[])
    .filter(({ role }) => role !== "system")
    .map(({ role, content, tool_calls: calls }) =>
      calls
        ? `calls ${calls.map((call: Fields) => call.function.arguments).join(" ")}`
        : `${role}: ${withoutTime(String(content))}`,
    );

const CALL = (args: object = { key: "a" }) => ({ toolCalls: [{ name: "lookup", arguments: args }] });

test("a client with hooks is asked at every step, with the session, the time and the directory", async () => {
  const { sessionId, asked } = await create({}, { tools: [lookup] });
  runTools(client, () => "found");
  model.use([CALL(), { text: "done" }]);
  const before = Date.now();
  await client.ask(sessionId, "look");
  await client.request("session.detach", { sessionId });
  const common = { sessionId, cwd: home.path, timestamp: expect.any(Number) };
  const tool = { toolName: "lookup", toolArgs: { key: "a" } };
  expect(asked).toEqual([
    { hookType: "sessionStart", input: { ...common, source: "new", initialPrompt: "look" } },
    { hookType: "userPromptSubmitted", input: { ...common, prompt: "look" } },
    {
      hookType: "userPromptTransformed",
      input: {
        ...common,
        prompt: "look",
        transformedPrompt: expect.stringMatching(/^<current_datetime>.*<\/current_datetime>\n\nlook$/),
      },
    },
    { hookType: "preToolUse", input: { ...common, ...tool } },
    {
      hookType: "postToolUse",
      input: { ...common, ...tool, toolResult: { resultType: "success", textResultForLlm: "found" } },
    },
    {
      hookType: "agentStop",
      input: {
        ...common,
        transcriptPath: `${home.path}/session-state/${sessionId}/events.jsonl`,
        stopReason: "end_turn",
        stop_hook_active: false,
      },
    },
    { hookType: "sessionEnd", input: { ...common, reason: "user_exit", finalMessage: "done" } },
  ]);
  for (const { input } of asked) expect(input.timestamp).toBeGreaterThanOrEqual(before);
});

test("a client that declares no hooks is asked nothing, whoever else has some", async () => {
  const other = await server.connect();
  const { sessionId, asked } = await create({});
  const askedOther = answer(other, {});
  await other.request("session.resume", { ...settings(), hooks: false, sessionId });
  await client.ask(sessionId, "hi");
  expect(asked.length).toBeGreaterThan(0);
  expect(askedOther).toEqual([]);
  await other.close();
});

test("each invocation is in the log with its start and its end, results of tools left out", async () => {
  const { sessionId } = await create(
    { postToolUse: { modifiedResult: { textResultForLlm: "redacted", resultType: "success" } } },
    { tools: [lookup] },
  );
  runTools(client, () => "a secret");
  model.use([CALL({ key: "k".repeat(5000) }), { text: "done" }]);
  await client.ask(sessionId, "look");
  const { events } = await client.request("session.getMessages", { sessionId });
  const hooks = events.filter(({ type }: Fields) => type.startsWith("hook."));
  const ended = new Map(hooks.map(({ data }: Fields) => [data.hookInvocationId, data]));
  expect(ended.size).toBe(hooks.length / 2);
  const of = (type: string, hookType: string) =>
    hooks.find((event: Fields) => event.type === type && event.data.hookType === hookType).data;
  expect(of("hook.start", "postToolUse").input.toolResult).toBe(true);
  expect(of("hook.end", "postToolUse")).toMatchObject({ success: true, output: { modifiedResult: true } });
  expect(of("hook.start", "preToolUse").input.toolArgs.key).toHaveLength(1000 + "… (5000 characters)".length);
  expect(JSON.stringify(events)).not.toContain("a secret");
});

describe("before a tool call", () => {
  test("deny keeps the tool from running, and the model reads why", async () => {
    const ran: unknown[] = [];
    const deny = { permissionDecision: "deny", permissionDecisionReason: "not on Sundays" };
    const { sessionId } = await create({ preToolUse: deny }, { tools: [lookup] });
    runTools(client, (args) => ran.push(args));
    model.use([CALL(), { text: "a pity" }]);
    expect(await client.ask(sessionId, "look")).toBe("a pity");
    expect(ran).toEqual([]);
    expect(told().at(-1)).toBe("tool: Denied by preToolUse hook: not on Sundays");
    expect(dataOf(sessionId, "tool.execution_complete")).toMatchObject([
      { success: false, error: { code: "denied" } },
    ]);
  });

  test("allow runs it without asking anybody for permission", async () => {
    const { sessionId } = await create({ preToolUse: { permissionDecision: "allow" } });
    model.use([{ toolCalls: [{ name: "bash", arguments: { command: "echo $((6*7))", description: "d" } }] }]);
    await client.ask(sessionId, "count");
    expect(typesOf(sessionId)).not.toContain("permission.requested");
    expect(told().at(-1)).toContain("42");
  });

  test.each([
    { decision: "approve-once", ran: true },
    { decision: "reject", ran: false },
  ])(
    "ask has somebody decide, even on a tool that needs no permission: $decision",
    async ({ decision, ran }) => {
      const ask = { permissionDecision: "ask", permissionDecisionReason: "really?" };
      const { sessionId } = await create({ preToolUse: ask }, { tools: [lookup] });
      runTools(client, () => "found");
      model.use([CALL(), { text: "done" }]);
      const answered = client.ask(sessionId, "look");
      const { data } = await client.event(sessionId, "permission.requested");
      expect(data.permissionRequest).toMatchObject({
        kind: "hook",
        toolName: "lookup",
        toolArgs: { key: "a" },
        hookMessage: "really?",
      });
      await client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId,
        requestId: data.requestId,
        result: { kind: decision },
      });
      expect(await answered).toBe("done");
      if (ran) expect(told().at(-1)).toBe("tool: found");
      else expect(told().at(-1)).toMatch(/^tool: .*really\?/);
    },
  );

  test("an approval for the session does not answer for a hook that asks", async () => {
    const ask = { permissionDecision: "ask" };
    const { sessionId } = await create({ preToolUse: ask }, { tools: [lookup] });
    runTools(client, () => "found");
    model.use([CALL(), CALL(), { text: "done" }]);
    const answered = client.ask(sessionId, "look");
    for (const turn of [1, 2]) {
      const asked = await client.until(() => {
        const requests = dataOf(sessionId, "permission.requested");
        return requests.length === turn && requests.at(-1);
      });
      await client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId,
        requestId: asked.requestId,
        result: { kind: "approve-for-session" },
      });
    }
    expect(await answered).toBe("done");
  });

  test("changed arguments are what the tool gets and the model reads, after a restart as well", async () => {
    const ran: unknown[] = [];
    const { sessionId } = await create({ preToolUse: { modifiedArgs: { key: "b" } } }, { tools: [lookup] });
    runTools(client, (args) => {
      ran.push(args);
      return "found";
    });
    model.use([CALL(), { text: "done" }, { text: "again" }]);
    await client.ask(sessionId, "look");
    expect(ran).toEqual([{ key: "b" }]);
    const expected = ["user: look", 'calls {"key":"b"}', "tool: found"];
    expect(told()).toEqual(expected);
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", { ...settings(), sessionId, hooks: false, tools: [lookup] });
    await client.ask(sessionId, "more");
    expect(told()).toEqual([...expected, "assistant: done", "user: more"]);
  });

  test("context goes behind the results of all calls of the answer", async () => {
    const { sessionId } = await create(
      { preToolUse: ({ toolArgs }: Fields) => ({ additionalContext: `on ${toolArgs.key}` }) },
      { tools: [lookup] },
    );
    runTools(client, ({ key }) => `found ${key}`);
    const both = ["a", "b"].map((key) => ({ name: "lookup", arguments: { key } }));
    model.use([{ toolCalls: both }, { text: "done" }]);
    await client.ask(sessionId, "look");
    expect(told()).toEqual([
      "user: look",
      'calls {"key":"a"} {"key":"b"}',
      "tool: found a",
      "tool: found b",
      "user: A preToolUse hook adds to the call of lookup:\non a",
      "user: A preToolUse hook adds to the call of lookup:\non b",
    ]);
  });

  test("a tool that does not exist is asked for, too; arguments that are no JSON are not", async () => {
    const { sessionId, asked } = await create({ preToolUse: { permissionDecision: "deny" } });
    model.use([
      { toolCalls: [{ name: "nowhere", arguments: {} }] },
      { toolCalls: [{ name: "view", arguments: "{broken" }] },
      { text: "done" },
    ]);
    await client.ask(sessionId, "go");
    const tools = asked.filter(({ hookType }) => hookType.includes("ToolUse"));
    expect(tools.map(({ hookType, input }) => [hookType, input.toolName])).toEqual([
      ["preToolUse", "nowhere"],
      ["postToolUseFailure", "view"],
    ]);
  });
});

describe("after a tool call", () => {
  test.each([
    { named: "an object", modifiedResult: { textResultForLlm: "less", resultType: "success" } },
    { named: "text", modifiedResult: "less" },
  ])("$named replaces the result, and context stands behind it", async ({ modifiedResult }) => {
    const { sessionId } = await create(
      { postToolUse: { modifiedResult, additionalContext: "mind the gap" } },
      { tools: [lookup] },
    );
    runTools(client, () => "much");
    model.use([CALL(), { text: "done" }]);
    await client.ask(sessionId, "look");
    expect(told().at(-1)).toBe("tool: less\n\nA postToolUse hook adds:\nmind the gap");
    expect(dataOf(sessionId, "tool.execution_complete")[0].result.content).not.toContain("much");
  });

  test.each(["preToolUse", "postToolUse"])(
    "suppressOutput of %s keeps the result from the model",
    async (hook) => {
      const { sessionId } = await create({ [hook]: { suppressOutput: true } }, { tools: [lookup] });
      runTools(client, () => "much");
      model.use([CALL(), { text: "done" }]);
      await client.ask(sessionId, "look");
      expect(told().at(-1)).toBe("tool: [A hook withheld the output of this tool.]");
      expect(JSON.stringify(dataOf(sessionId, "tool.execution_complete"))).not.toContain("much");
    },
  );

  test("a failure is told to another hook, whose guidance the model reads", async () => {
    const { sessionId, asked } = await create(
      { postToolUseFailure: { additionalContext: "try b" } },
      { tools: [lookup] },
    );
    runTools(client, () => ({ textResultForLlm: "no such key", resultType: "failure" }));
    model.use([CALL(), { text: "done" }]);
    await client.ask(sessionId, "look");
    expect(asked.map(({ hookType }) => hookType)).not.toContain("postToolUse");
    expect(asked.find(({ hookType }) => hookType === "postToolUseFailure")?.input).toMatchObject({
      toolName: "lookup",
      toolArgs: { key: "a" },
      error: "no such key",
    });
    expect(told().slice(-2)).toEqual([
      "tool: no such key",
      'user: Tool "lookup" failed. Additional guidance from postToolUseFailure hooks:\ntry b',
    ]);
  });

  test("a result that a hook turns into a failure is one", async () => {
    const failed = { textResultForLlm: "not good enough", resultType: "failure" };
    const { sessionId, asked } = await create(
      { postToolUse: { modifiedResult: failed } },
      { tools: [lookup] },
    );
    runTools(client, () => "found");
    model.use([CALL(), { text: "done" }]);
    await client.ask(sessionId, "look");
    expect(asked.map(({ hookType }) => hookType)).toContain("postToolUseFailure");
    expect(dataOf(sessionId, "tool.execution_complete")).toMatchObject([{ success: false }]);
  });
});
