import { join } from "node:path";
/** Clients' hooks over the bare wire: what they are asked of sessions, prompts, errors and stops, and what becomes of their answers. */
import { withoutTime } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { answer, callLookup, type Fields, lookup, runTools, useHookWorld } from "./support/hook-world.ts";
import { startServer, tempHome } from "./support/servers.ts";
import { directoryOf, STORE } from "./support/stores.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const w = useHookWorld();

test("a client with hooks is asked at every step, with the session, the time and the directory", async () => {
  const { sessionId, asked } = await w.create({}, { tools: [lookup] });
  runTools(w.client, () => "found");
  w.model.use([callLookup(), { text: "done" }]);
  const before = Date.now();
  await w.client.ask(sessionId, "look");
  await w.client.request("session.detach", { sessionId });
  const common = { sessionId, cwd: w.home.work, timestamp: expect.any(Number) };
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
        // A store in memory has no file of the log.
        ...(STORE === "files" && {
          transcriptPath: join(directoryOf(w.home.path, sessionId), "events.jsonl"),
        }),
        stopReason: "end_turn",
        stop_hook_active: false,
      },
    },
    { hookType: "sessionEnd", input: { ...common, reason: "user_exit", finalMessage: "done" } },
  ]);
  for (const { input } of asked) expect(input.timestamp).toBeGreaterThanOrEqual(before);
});

test("a client that declares no hooks is asked nothing, whoever else has some", async () => {
  const other = await w.server.connect();
  const { sessionId, asked } = await w.create({});
  const askedOther = answer(other, {});
  await other.request("session.resume", { ...w.settings, hooks: false, sessionId });
  await w.client.ask(sessionId, "hi");
  expect(asked.length).toBeGreaterThan(0);
  expect(askedOther).toEqual([]);
  await other.close();
});

test("each invocation is in the log with its start and its end, results of tools left out", async () => {
  const { sessionId } = await w.create(
    { postToolUse: { modifiedResult: { textResultForLlm: "redacted", resultType: "success" } } },
    { tools: [lookup] },
  );
  runTools(w.client, () => "a secret");
  w.model.use([callLookup({ key: "k".repeat(5000) }), { text: "done" }]);
  await w.client.ask(sessionId, "look");
  const { events } = await w.client.request("session.getMessages", { sessionId });
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

describe("prompts", () => {
  test("are changed for the model; the log and clients keep what was typed", async () => {
    const { sessionId, asked } = await w.create({
      userPromptSubmitted: { modifiedPrompt: "echo changed", additionalContext: "be brief" },
    });
    expect(await w.client.ask(sessionId, "echo typed")).toMatch(/^changed/);
    expect(w.told()).toEqual(["user: echo changed\n\n<system_reminder>\nbe brief\n</system_reminder>"]);
    expect(w.dataOf(sessionId, "user.message")).toMatchObject([
      {
        content: "echo typed",
        transformedContent: expect.stringContaining("echo changed"),
        delivery: "idle",
      },
    ]);
    expect(asked.find(({ hookType }) => hookType === "userPromptTransformed")?.input.prompt).toBe(
      "echo changed",
    );
  });

  test("are replaced as the model would read them, after a restart as well", async () => {
    const { sessionId } = await w.create({
      userPromptTransformed: { modifiedTransformedPrompt: "echo whole" },
    });
    expect(await w.client.ask(sessionId, "echo typed")).toBe("whole");
    expect(w.model.requests.at(-1)?.body.messages).toContainEqual({ role: "user", content: "echo whole" });
    await w.client.request("session.detach", { sessionId });
    await w.client.request("session.resume", { ...w.settings, sessionId, hooks: false });
    await w.client.ask(sessionId, "more");
    expect(w.told()).toEqual(["user: echo whole", "assistant: whole", "user: more"]);
  });

  test("with images keep them when their text is replaced", async () => {
    const { sessionId } = await w.create(
      { userPromptTransformed: { modifiedTransformedPrompt: "what is it?" } },
      { modelCapabilities: { supports: { vision: true } } },
    );
    await w.client.ask(sessionId, "see", {
      attachments: [{ type: "blob", data: PNG, mimeType: "image/png" }],
    });
    const { content } = ((w.model.requests.at(-1)?.body.messages ?? []) as Fields[]).at(-1);
    expect(content).toEqual([
      { type: "text", text: "what is it?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
    ]);
  });

  test("with images that have names keep each name before its image, also when nothing was typed", async () => {
    const image = (displayName: string) => ({ type: "blob", data: PNG, mimeType: "image/png", displayName });
    const shown = (name: string) => [
      { type: "text", text: name },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
    ];
    const { sessionId, asked } = await w.create(
      { userPromptTransformed: { modifiedTransformedPrompt: "which is older?" } },
      { modelCapabilities: { supports: { vision: true } } },
    );
    for (const prompt of ["compare", ""]) {
      await w.client.ask(sessionId, prompt, { attachments: [image("a.png"), image("b.png")] });
      const { content } = ((w.model.requests.at(-1)?.body.messages ?? []) as Fields[]).at(-1);
      expect(content).toEqual([
        { type: "text", text: "which is older?" },
        ...shown("a.png"),
        ...shown("b.png"),
      ]);
    }
    const seen = asked.filter(({ hookType }) => hookType === "userPromptTransformed");
    expect(seen.map(({ input }) => withoutTime(input.transformedPrompt))).toEqual(["compare", ""]);
  });

  test("that steer are asked about, too", async () => {
    const { sessionId, asked } = await w.create(
      { userPromptSubmitted: ({ prompt }: Fields) => ({ modifiedPrompt: `${prompt}!` }) },
      { tools: [lookup] },
    );
    w.model.use([callLookup(), { text: "done" }]);
    const answered = w.client.ask(sessionId, "look");
    await w.client.event(sessionId, "external_tool.requested");
    await w.client.request("session.send", { sessionId, prompt: "and quickly", mode: "immediate" });
    runTools(w.client, () => "found");
    await answered;
    expect(w.told()).toEqual(["user: look!", 'calls {"key":"a"}', "tool: found", "user: and quickly!"]);
    expect(asked.filter(({ hookType }) => hookType === "userPromptSubmitted")).toHaveLength(2);
  });
});

describe("a session's start and end", () => {
  test("context of the start goes before the prompt; it is asked once each time the client comes", async () => {
    const { sessionId, asked } = await w.create({ sessionStart: { additionalContext: "we use tabs" } });
    await w.client.ask(sessionId, "one");
    await w.client.ask(sessionId, "two");
    expect(w.told().slice(0, 2)).toEqual(["user: we use tabs", "user: one"]);
    await w.client.request("session.detach", { sessionId });
    await w.client.request("session.resume", { ...w.settings, sessionId });
    await w.client.ask(sessionId, "three");
    const starts = asked.filter(({ hookType }) => hookType === "sessionStart");
    expect(starts.map(({ input }) => [input.source, input.initialPrompt])).toEqual([
      ["new", "one"],
      ["resume", "three"],
    ]);
  });

  test.each([
    { how: "session.destroy", params: {}, reason: "user_exit" },
    { how: "session.delete", params: {}, reason: "user_exit" },
    { how: "session.shutdown", params: { type: "error" }, reason: "error" },
  ])("$how tells the end before it is answered", async ({ how, params, reason }) => {
    let answered = false;
    const answeredWhenTold: boolean[] = [];
    const sessionEnd = async () => {
      await w.client.request("ping", {});
      answeredWhenTold.push(answered);
      return { sessionSummary: "all is said" };
    };
    const { sessionId, asked } = await w.create({ sessionEnd });
    await w.client.request(how, { sessionId, ...params });
    answered = true;
    expect(answeredWhenTold).toEqual([false]);
    expect(asked.map(({ hookType, input }) => [hookType, input.reason])).toEqual([["sessionEnd", reason]]);
  });

  test("what it answers is in the log", async () => {
    const { sessionId } = await w.create({
      sessionEnd: { sessionSummary: "all is said", cleanupActions: ["x"] },
    });
    await w.client.request("session.detach", { sessionId });
    await w.client.request("session.resume", { ...w.settings, sessionId, hooks: false });
    const { events } = await w.client.request("session.getMessages", { sessionId });
    const [end] = events.filter(({ type }: Fields) => type === "hook.end");
    expect(end.data).toMatchObject({ output: { sessionSummary: "all is said", cleanupActions: ["x"] } });
    const after = events.slice(events.indexOf(end) + 1).map(({ type }: Fields) => type);
    expect(after.slice(0, 2)).toEqual(["session.warning", "session.shutdown"]);
  });

  test("is not told to one who leaves while others stay", async () => {
    const other = await w.server.connect();
    const { sessionId } = await w.create({});
    const asked = answer(other, {});
    await other.request("session.resume", { ...w.settings, sessionId });
    await other.request("session.detach", { sessionId });
    expect(asked).toEqual([]);
    await other.close();
  });

  test("a server that ends tells it", async () => {
    await using ownHome = await tempHome();
    const own = await startServer(ownHome.path);
    const there = await own.connect();
    const asked = answer(there, {});
    await there.request("session.create", { ...w.settings, sessionId: "ending" });
    await own.shutdown();
    expect(asked.map(({ hookType, input }) => [hookType, input.reason])).toEqual([
      ["sessionEnd", "complete"],
    ]);
    await there.close();
  });
});

describe("errors", () => {
  test("retry tries the model again, as often as the hook says", async () => {
    const { sessionId, asked } = await w.create({ errorOccurred: { errorHandling: "retry", retryCount: 2 } });
    w.model.use([{ status: 400 }, { status: 400 }, { text: "at last" }]);
    expect(await w.client.ask(sessionId, "go")).toBe("at last");
    expect(
      asked.filter(({ hookType }) => hookType === "errorOccurred").map(({ input }) => input),
    ).toMatchObject([
      { error: expect.stringContaining("400"), errorContext: "model_call", recoverable: false },
      { errorContext: "model_call" },
    ]);
    expect(w.typesOf(sessionId)).not.toContain("session.error");
    w.model.use([{ status: 400 }, { status: 400 }, { status: 400 }, { text: "never asked" }]);
    await w.client.ask(sessionId, "go");
    expect(w.dataOf(sessionId, "session.error")).toHaveLength(1);
  });

  test.each([{ errorHandling: "skip" }, { suppressOutput: true }])(
    "%o ends the run without an error",
    async (output) => {
      const { sessionId } = await w.create({ errorOccurred: { ...output, userNotification: "never mind" } });
      w.model.use([{ status: 400 }]);
      await w.client.ask(sessionId, "go");
      expect(w.typesOf(sessionId)).not.toContain("session.error");
      expect(w.dataOf(sessionId, "session.info")).toEqual([{ infoType: "hook", message: "never mind" }]);
    },
  );

  test.each([{}, { errorHandling: "abort" }, { errorHandling: "retry", retryCount: 0 }])(
    "%o leaves the error as it is",
    async (output) => {
      const { sessionId } = await w.create({ errorOccurred: output });
      w.model.use([{ status: 400 }]);
      await w.client.ask(sessionId, "go");
      expect(w.dataOf(sessionId, "session.error")).toHaveLength(1);
    },
  );
});

describe("the agent's stop", () => {
  test("block goes on with the reason as the next prompt of the same run", async () => {
    let stops = 0;
    const { sessionId, asked } = await w.create({
      agentStop: () => (stops++ === 0 ? { decision: "block", reason: "echo check it" } : undefined),
    });
    expect(await w.client.ask(sessionId, "echo done")).toBe("check it");
    expect(w.told()).toEqual(["user: echo done", "assistant: done", "user: echo check it"]);
    const stopped = asked.filter(({ hookType }) => hookType === "agentStop");
    expect(stopped.map(({ input }) => input.stop_hook_active)).toEqual([false, true]);
    expect(w.typesOf(sessionId).filter((type) => type === "session.idle")).toHaveLength(1);
    const [first] = w.dataOf(sessionId, "user.message");
    for (const { originatingMessageId } of w.dataOf(sessionId, "assistant.message"))
      expect(originatingMessageId).toBe(first.messageId);
  });

  test("one that always blocks is let go after eight times", async () => {
    const { sessionId, asked } = await w.create({ agentStop: { decision: "block", reason: "more" } });
    await w.client.ask(sessionId, "go");
    expect(w.dataOf(sessionId, "user.message")).toHaveLength(1 + 8);
    expect(asked.filter(({ hookType }) => hookType === "agentStop")).toHaveLength(1 + 8);
  });

  test("is not asked about when the run was aborted, or failed", async () => {
    const { sessionId, asked } = await w.create({});
    w.model.use([{ status: 400 }, { hang: true }]);
    await w.client.ask(sessionId, "fail");
    const before = w.client.of(sessionId).length;
    const asks = w.model.requests.length;
    await w.client.request("session.send", { sessionId, prompt: "hang" });
    await w.model.until(({ requests }) => requests.length > asks);
    await w.client.request("session.abort", { sessionId });
    await w.client.event(sessionId, "session.idle", before);
    expect(asked.map(({ hookType }) => hookType)).not.toContain("agentStop");
  });
});

describe("several clients with hooks", () => {
  test("are asked in the order in which they came; each sees what the one before changed", async () => {
    const order: string[] = [];
    const tell =
      (name: string) =>
      ({ prompt }: Fields) => {
        order.push(`${name}: ${prompt}`);
        return { modifiedPrompt: `${prompt} ${name}`, additionalContext: `from ${name}` };
      };
    const other = await w.server.connect();
    const { sessionId } = await w.create({ userPromptSubmitted: tell("first") });
    answer(other, { userPromptSubmitted: tell("second") });
    await other.request("session.resume", { ...w.settings, sessionId });
    await w.client.ask(sessionId, "tell");
    expect(order).toEqual(["first: tell", "second: tell first"]);
    expect(w.told()).toEqual([
      "user: tell first second\n\n<system_reminder>\nfrom first\n</system_reminder>\n\n<system_reminder>\nfrom second\n</system_reminder>",
    ]);
    await other.close();
  });

  test.each([
    { first: "allow", second: "deny" },
    { first: "deny", second: "allow" },
  ])("deny wins: $first and $second", async ({ first, second }) => {
    const decide = (decision: string) => ({
      preToolUse: { permissionDecision: decision, permissionDecisionReason: decision },
    });
    const other = await w.server.connect();
    const { sessionId } = await w.create(decide(first), { tools: [lookup] });
    const askedOther = answer(other, decide(second));
    await other.request("session.resume", { ...w.settings, sessionId });
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.ask(sessionId, "look");
    expect(w.told().at(-1)).toBe("tool: Denied by preToolUse hook: deny");
    expect(askedOther.map(({ hookType }) => hookType)).toContain("preToolUse");
    await other.close();
  });

  test("one that fails does not keep the other from being asked", async () => {
    const other = await w.server.connect();
    const { sessionId } = await w.create({
      userPromptSubmitted: () => {
        throw new Error("broken");
      },
    });
    answer(other, { userPromptSubmitted: { modifiedPrompt: "from the second" } });
    await other.request("session.resume", { ...w.settings, sessionId });
    await w.client.ask(sessionId, "hi");
    expect(w.told()).toEqual(["user: from the second"]);
    await other.close();
  });
});
