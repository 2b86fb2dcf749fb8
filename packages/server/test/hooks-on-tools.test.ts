/** Clients' hooks on tool calls, over the bare wire. */
import { describe, expect, test } from "vitest";
import { callLookup, type Fields, lookup, runTools, useHookWorld } from "./support/hook-world.ts";

const w = useHookWorld();

describe("before a tool call", () => {
  test("deny keeps the tool from running, and the model reads why", async () => {
    const ran: unknown[] = [];
    const deny = { permissionDecision: "deny", permissionDecisionReason: "not on Sundays" };
    const { sessionId } = await w.create({ preToolUse: deny }, { tools: [lookup] });
    runTools(w.client, (args) => ran.push(args));
    w.model.use([callLookup(), { text: "a pity" }]);
    expect(await w.client.ask(sessionId, "look")).toBe("a pity");
    expect(ran).toEqual([]);
    expect(w.told().at(-1)).toBe("tool: Denied by preToolUse hook: not on Sundays");
    expect(w.dataOf(sessionId, "tool.execution_complete")).toMatchObject([
      { success: false, error: { code: "denied" } },
    ]);
  });

  test("allow runs it without asking anybody for permission", async () => {
    const { sessionId } = await w.create({ preToolUse: { permissionDecision: "allow" } });
    w.model.use([
      { toolCalls: [{ name: "bash", arguments: { command: "echo $((6*7))", description: "d" } }] },
    ]);
    await w.client.ask(sessionId, "count");
    expect(w.typesOf(sessionId)).not.toContain("permission.requested");
    expect(w.told().at(-1)).toContain("42");
  });

  test.each([
    { decision: "approve-once", ran: true },
    { decision: "reject", ran: false },
  ])(
    "ask has somebody decide, even on a tool that needs no permission: $decision",
    async ({ decision, ran }) => {
      const ask = { permissionDecision: "ask", permissionDecisionReason: "really?" };
      const { sessionId } = await w.create({ preToolUse: ask }, { tools: [lookup] });
      runTools(w.client, () => "found");
      w.model.use([callLookup(), { text: "done" }]);
      const answered = w.client.ask(sessionId, "look");
      const { data } = await w.client.event(sessionId, "permission.requested");
      expect(data.permissionRequest).toMatchObject({
        kind: "hook",
        toolName: "lookup",
        toolArgs: { key: "a" },
        hookMessage: "really?",
      });
      await w.client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId,
        requestId: data.requestId,
        result: { kind: decision },
      });
      expect(await answered).toBe("done");
      if (ran) expect(w.told().at(-1)).toBe("tool: found");
      else expect(w.told().at(-1)).toMatch(/^tool: .*really\?/);
    },
  );

  test("an approval for the session does not answer for a hook that asks", async () => {
    const ask = { permissionDecision: "ask" };
    const { sessionId } = await w.create({ preToolUse: ask }, { tools: [lookup] });
    runTools(w.client, () => "found");
    w.model.use([callLookup(), callLookup(), { text: "done" }]);
    const answered = w.client.ask(sessionId, "look");
    for (const turn of [1, 2]) {
      const asked = await w.client.until(() => {
        const requests = w.dataOf(sessionId, "permission.requested");
        return requests.length === turn && requests.at(-1);
      });
      await w.client.request("session.permissions.handlePendingPermissionRequest", {
        sessionId,
        requestId: asked.requestId,
        result: { kind: "approve-for-session" },
      });
    }
    expect(await answered).toBe("done");
  });

  test("changed arguments are what the tool gets and the model reads, after a restart as well", async () => {
    const ran: unknown[] = [];
    const { sessionId } = await w.create({ preToolUse: { modifiedArgs: { key: "b" } } }, { tools: [lookup] });
    runTools(w.client, (args) => {
      ran.push(args);
      return "found";
    });
    w.model.use([callLookup(), { text: "done" }, { text: "again" }]);
    await w.client.ask(sessionId, "look");
    expect(ran).toEqual([{ key: "b" }]);
    const expected = ["user: look", 'calls {"key":"b"}', "tool: found"];
    expect(w.told()).toEqual(expected);
    await w.client.request("session.detach", { sessionId });
    await w.client.request("session.resume", { ...w.settings, sessionId, hooks: false, tools: [lookup] });
    await w.client.ask(sessionId, "more");
    expect(w.told()).toEqual([...expected, "assistant: done", "user: more"]);
  });

  test("context goes behind the results of all calls of the answer", async () => {
    const { sessionId } = await w.create(
      { preToolUse: ({ toolArgs }: Fields) => ({ additionalContext: `on ${toolArgs.key}` }) },
      { tools: [lookup] },
    );
    runTools(w.client, ({ key }) => `found ${key}`);
    const both = ["a", "b"].map((key) => ({ name: "lookup", arguments: { key } }));
    w.model.use([{ toolCalls: both }, { text: "done" }]);
    await w.client.ask(sessionId, "look");
    expect(w.told()).toEqual([
      "user: look",
      'calls {"key":"a"} {"key":"b"}',
      "tool: found a",
      "tool: found b",
      "user: A preToolUse hook adds to the call of lookup:\non a",
      "user: A preToolUse hook adds to the call of lookup:\non b",
    ]);
  });

  test("a tool that does not exist is asked for, too; arguments that are no JSON are not", async () => {
    const { sessionId, asked } = await w.create({ preToolUse: { permissionDecision: "deny" } });
    w.model.use([
      { toolCalls: [{ name: "nowhere", arguments: {} }] },
      { toolCalls: [{ name: "view", arguments: "{broken" }] },
      { text: "done" },
    ]);
    await w.client.ask(sessionId, "go");
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
    const { sessionId } = await w.create(
      { postToolUse: { modifiedResult, additionalContext: "mind the gap" } },
      { tools: [lookup] },
    );
    runTools(w.client, () => "much");
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.ask(sessionId, "look");
    expect(w.told().at(-1)).toBe("tool: less\n\nA postToolUse hook adds:\nmind the gap");
    expect(w.dataOf(sessionId, "tool.execution_complete")[0].result.content).not.toContain("much");
  });

  test.each(["preToolUse", "postToolUse"])(
    "suppressOutput of %s keeps the result from the model",
    async (hook) => {
      const { sessionId } = await w.create({ [hook]: { suppressOutput: true } }, { tools: [lookup] });
      runTools(w.client, () => "much");
      w.model.use([callLookup(), { text: "done" }]);
      await w.client.ask(sessionId, "look");
      expect(w.told().at(-1)).toBe("tool: [A hook withheld the output of this tool.]");
      expect(JSON.stringify(w.dataOf(sessionId, "tool.execution_complete"))).not.toContain("much");
    },
  );

  test("a failure is told to another hook, whose guidance the model reads", async () => {
    const { sessionId, asked } = await w.create(
      { postToolUseFailure: { additionalContext: "try b" } },
      { tools: [lookup] },
    );
    runTools(w.client, () => ({ textResultForLlm: "no such key", resultType: "failure" }));
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.ask(sessionId, "look");
    expect(asked.map(({ hookType }) => hookType)).not.toContain("postToolUse");
    expect(asked.find(({ hookType }) => hookType === "postToolUseFailure")?.input).toMatchObject({
      toolName: "lookup",
      toolArgs: { key: "a" },
      error: "no such key",
    });
    expect(w.told().slice(-2)).toEqual([
      "tool: no such key",
      'user: Tool "lookup" failed. Additional guidance from postToolUseFailure hooks:\ntry b',
    ]);
  });

  test("a result that a hook turns into a failure is one", async () => {
    const failed = { textResultForLlm: "not good enough", resultType: "failure" };
    const { sessionId, asked } = await w.create(
      { postToolUse: { modifiedResult: failed } },
      { tools: [lookup] },
    );
    runTools(w.client, () => "found");
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.ask(sessionId, "look");
    expect(asked.map(({ hookType }) => hookType)).toContain("postToolUseFailure");
    expect(w.dataOf(sessionId, "tool.execution_complete")).toMatchObject([{ success: false }]);
  });
});

test("allow does not set aside what the session's rules forbid", async () => {
  const { sessionId } = await w.create({ preToolUse: { permissionDecision: "allow" } });
  const rules = { approved: [], denied: [{ kind: "shell", argument: "echo" }] };
  await w.client.request("session.permissions.configure", { sessionId, rules });
  w.model.use([
    { toolCalls: [{ name: "bash", arguments: { command: "echo $((6*7))", description: "d" } }] },
    { text: "done" },
  ]);
  await w.client.ask(sessionId, "count");
  expect(w.told().at(-1)).toContain("forbidden by the session's rules");
});
