/** What a hook refuses does not happen: prompts that it blocks, calls that it denies, in whatever words. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answer, callLookup, lookup, runTools, useHookWorld } from "./support/hook-world.ts";

const w = useHookWorld();

const warningsOf = (sessionId: string) =>
  w.client.of(sessionId).filter(({ type }) => type === "session.warning");

/** Sends a prompt and waits until the session is idle after it. */
async function send(sessionId: string, prompt: string, more: object = {}): Promise<string> {
  const before = w.client.of(sessionId).length;
  const { messageId } = await w.client.request("session.send", { sessionId, prompt, ...more });
  await w.client.event(sessionId, "session.idle", before);
  return messageId;
}

describe("a prompt that a userPromptSubmitted hook blocks", () => {
  test("begins no turn and is no message; its sender is told why, and the session is idle", async () => {
    const { sessionId, asked } = await w.create({
      userPromptSubmitted: { decision: "block", reason: "no card numbers", modifiedPrompt: "other" },
    });
    const called = w.model.requests.length;
    const messageId = await send(sessionId, "my card is 4111");
    expect(warningsOf(sessionId)).toMatchObject([
      {
        ephemeral: true,
        data: { warningType: "policy_blocked", message: "no card numbers", originatingMessageId: messageId },
      },
    ]);
    const types = w.typesOf(sessionId);
    for (const type of ["user.message", "assistant.turn_start", "session.error", "session.title_changed"])
      expect(types).not.toContain(type);
    expect(types.indexOf("session.warning")).toBeLessThan(types.indexOf("session.idle"));
    expect(w.model.requests.length).toBe(called);
    expect(asked.map(({ hookType }) => hookType)).not.toContain("userPromptTransformed");
    const { events } = await w.client.request("session.getMessages", { sessionId });
    expect(events.map(({ type }: { type: string }) => type)).not.toContain("user.message");
  });

  test("lets the next one through, which knows nothing of it, also after a resume", async () => {
    const { sessionId } = await w.create({
      userPromptSubmitted: ({ prompt }: { prompt: string }) =>
        prompt === "secret" ? { decision: "block" } : undefined,
    });
    await send(sessionId, "secret");
    expect(warningsOf(sessionId)[0]?.data.message).toBe("A hook blocked the prompt.");
    w.model.use([{ text: "fine" }, { text: "fine again" }]);
    expect(await w.client.ask(sessionId, "open")).toBe("fine");
    expect(w.told()).toEqual(["user: open"]);
    await w.client.request("session.detach", { sessionId });
    await w.client.request("session.resume", { ...w.settings, sessionId });
    expect(await w.client.ask(sessionId, "more")).toBe("fine again");
    expect(w.told()).toEqual(["user: open", "assistant: fine", "user: more"]);
  });

  test("ends the wait of session.sendAndWait without an answer, also where it steers", async () => {
    const { sessionId } = await w.create(
      {
        userPromptSubmitted: ({ prompt }: { prompt: string }) =>
          prompt === "secret" ? { decision: "block" } : undefined,
      },
      { tools: [lookup] },
    );
    const wait = (more: object = {}) =>
      w.client.request("session.sendAndWait", { sessionId, prompt: "secret", ...more });
    const alone = await wait();
    expect(alone).toMatchObject({ messageId: expect.any(String), aborted: false });
    expect(alone).not.toHaveProperty("response");
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.request("session.send", { sessionId, prompt: "look" });
    const { data } = await w.client.event(sessionId, "external_tool.requested");
    const steering = wait({ mode: "immediate" });
    await w.client.until(() => w.typesOf(sessionId).includes("pending_messages.modified"));
    await w.client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: "found",
    });
    expect(await steering).toMatchObject({ aborted: false });
    expect(await steering).not.toHaveProperty("response");
  });

  test("is taken once, however often it is sent under its id", async () => {
    const { sessionId, asked } = await w.create({ userPromptSubmitted: { decision: "block" } });
    await send(sessionId, "no", { messageId: "mine" });
    await w.client.request("session.send", { sessionId, prompt: "no", messageId: "mine" });
    expect(asked.filter(({ hookType }) => hookType === "userPromptSubmitted")).toHaveLength(1);
  });

  test("is no question beside the conversation, no task of an agent, and no message to one", async () => {
    const { sessionId } = await w.create({
      userPromptSubmitted: ({ prompt }: { prompt: string }) =>
        prompt.includes("secret")
          ? { decision: "block", reason: "no secrets" }
          : { modifiedPrompt: `${prompt}!`, additionalContext: "be brief" },
    });
    const called = w.model.requests.length;
    const denied = { data: { reason: "denied_by_policy" }, message: "no secrets" };
    const request = (method: string, params: object) => w.client.request(method, { sessionId, ...params });
    await expect(request("session.ui.ephemeralQuery", { question: "secret" })).rejects.toMatchObject(denied);
    const agent = { agentType: "task", name: "a" };
    await expect(request("session.tasks.startAgent", { ...agent, prompt: "secret" })).rejects.toMatchObject(
      denied,
    );
    await expect(request("session.tasks.sendMessage", { id: "x", message: "secret" })).rejects.toMatchObject(
      denied,
    );
    expect(w.model.requests.length).toBe(called);
    w.model.use([{ text: "fine" }]);
    expect(await request("session.ui.ephemeralQuery", { question: "well" })).toEqual({ answer: "fine" });
    expect(w.told().at(-1)).toBe("user: well!\n\nbe brief");
  });

  test("is not shown to hooks that come after the one that blocked it", async () => {
    const { sessionId } = await w.create({ userPromptSubmitted: { decision: "block", reason: "first" } });
    const other = await w.server.connect();
    const asked = answer(other, {});
    await other.request("session.resume", { ...w.settings, sessionId });
    await send(sessionId, "no");
    expect(asked.map(({ hookType }) => hookType)).not.toContain("userPromptSubmitted");
    await other.close();
  });

  test.each([
    { how: "steers", mode: "immediate" },
    { how: "waits", mode: "enqueue" },
  ])("that $how does not reach the run in progress, which goes on", async ({ mode }) => {
    const { sessionId } = await w.create(
      {
        userPromptSubmitted: ({ prompt }: { prompt: string }) =>
          prompt === "secret" ? { decision: "block" } : undefined,
      },
      { tools: [lookup] },
    );
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.request("session.send", { sessionId, prompt: "look" });
    const { data } = await w.client.event(sessionId, "external_tool.requested");
    await w.client.request("session.send", { sessionId, prompt: "secret", mode });
    await w.client.request("session.tools.handlePendingToolCall", {
      sessionId,
      requestId: data.requestId,
      result: "found",
    });
    await w.client.event(sessionId, "session.idle");
    expect(warningsOf(sessionId).map((event) => event.data.warningType)).toEqual(["policy_blocked"]);
    expect(w.told()).toEqual(["user: look", 'calls {"key":"a"}', "tool: found"]);
    const { items } = await w.client.request("session.queue.pendingItems", { sessionId });
    expect(items).toEqual([]);
  });

  test("that an agentStop hook wrote lets the agent stop", async () => {
    const { sessionId } = await w.create({
      agentStop: { decision: "block", reason: "go on" },
      userPromptSubmitted: ({ prompt }: { prompt: string }) =>
        prompt === "go on" ? { decision: "block" } : undefined,
    });
    w.model.use([{ text: "done" }, { text: "never said" }]);
    expect(await w.client.ask(sessionId, "hi")).toBe("done");
    expect(w.told()).toEqual(["user: hi"]);
  });

  test.each([
    { said: { decision: "deny", reason: "why" }, reason: "why" },
    { said: { decision: "Blocked", reason: "why" }, reason: "why" },
    { said: { continue: false, stopReason: "why" }, reason: "why" },
    { said: { decision: { block: true } }, reason: "A hook blocked the prompt." },
  ])("may be blocked in other words: $said", async ({ said, reason }) => {
    const { sessionId } = await w.create({ userPromptSubmitted: said });
    await send(sessionId, "no");
    expect(w.typesOf(sessionId)).not.toContain("user.message");
    expect(warningsOf(sessionId).at(-1)?.data).toMatchObject({
      warningType: "policy_blocked",
      message: reason,
    });
  });

  test.each(["allow", "approve", "", null])("is let in by the decision '%s'", async (decision) => {
    const { sessionId } = await w.create({ userPromptSubmitted: { decision } });
    w.model.use([{ text: "hello" }]);
    expect(await w.client.ask(sessionId, "hi")).toBe("hello");
  });

  test("may be blocked by a command of the repository", async () => {
    const hooks = join(w.home.work, ".github", "hooks");
    await mkdir(hooks, { recursive: true });
    const command = `echo '{"decision":"block","reason":"by file"}'`;
    await writeFile(
      join(hooks, "policy.json"),
      JSON.stringify({ version: 1, hooks: { userPromptSubmitted: [{ bash: command }] } }),
    );
    const { sessionId } = await w.create({}, { hooks: false, enableFileHooks: true });
    await send(sessionId, "no");
    expect(w.typesOf(sessionId)).not.toContain("user.message");
    expect(warningsOf(sessionId).at(-1)?.data.message).toBe("by file");
  });
});

describe("a tool call", () => {
  test.each([
    { permissionDecision: "maybe" },
    { permissionDecision: ["deny"] },
    { permissionDecision: "Deny" },
    { modifiedArgs: "text" },
    { decision: "block", reason: "no" },
    { decision: "deny" },
    { decision: "never" },
    { continue: false },
  ])("is denied by %j", async (output) => {
    const { sessionId } = await w.create({ preToolUse: output }, { tools: [lookup] });
    let ran = 0;
    runTools(w.client, () => (ran += 1));
    w.model.use([callLookup(), { text: "done" }]);
    expect(await w.client.ask(sessionId, "look")).toBe("done");
    expect(ran).toBe(0);
    expect(w.dataOf(sessionId, "tool.execution_complete")).toMatchObject([{ success: false }]);
  });

  test.each([{ suppressOutput: "yes" }, { suppressOutput: 1 }])(
    "whose output is withheld by %j is withheld",
    async (output) => {
      const { sessionId } = await w.create({ postToolUse: output }, { tools: [lookup] });
      runTools(w.client, () => "a secret");
      w.model.use([callLookup(), { text: "done" }]);
      await w.client.ask(sessionId, "look");
      expect(w.told().join()).not.toContain("a secret");
    },
  );
});

test("a hook that says the agent is to stop wins over one that keeps it going", async () => {
  const { sessionId } = await w.create({ agentStop: { decision: "block", reason: "more", continue: false } });
  w.model.use([{ text: "done" }, { text: "never said" }]);
  expect(await w.client.ask(sessionId, "hi")).toBe("done");
  expect(w.told()).toEqual(["user: hi"]);
});

test("fields of an answer that have no effect are told once, by name", async () => {
  const { sessionId } = await w.create(
    {
      sessionStart: { modifiedConfig: { model: "other" } },
      userPromptSubmitted: { suppressOutput: true },
      preToolUse: { hookSpecificOutput: { permissionDecision: "deny" } },
    },
    { tools: [lookup] },
  );
  runTools(w.client, () => "found");
  w.model.use([callLookup(), callLookup({ key: "b" }), { text: "done" }]);
  await w.client.ask(sessionId, "look");
  expect(warningsOf(sessionId).map(({ data }) => data.message)).toEqual([
    "The sessionStart hook's output 'modifiedConfig' has no effect: a session's options are changed by 'session.options.update'.",
    "The userPromptSubmitted hook's output 'suppressOutput' has no effect: the server shows nothing itself.",
    "The preToolUse hook's output 'hookSpecificOutput' is not known to this version of the server.",
  ]);
});
