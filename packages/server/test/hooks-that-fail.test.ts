/** Clients' hooks that throw, answer nonsense, do not answer, or are overtaken: over the bare wire. */
import { describe, expect, test } from "vitest";
import { answer, callLookup, type Hooks, lookup, runTools, useHookWorld } from "./support/hook-world.ts";
import { spawnServer, startServer, tempHome } from "./support/servers.ts";

const w = useHookWorld();

/** Hooks that a careless application has. */
const FAILURES: Record<string, Hooks> = {
  throws: Object.fromEntries(
    [
      "sessionStart",
      "userPromptSubmitted",
      "userPromptTransformed",
      "preToolUse",
      "postToolUse",
      "agentStop",
      "sessionEnd",
    ].map((hook) => [
      hook,
      () => {
        throw new Error("the hook is broken");
      },
    ]),
  ),
  "answers nonsense": {
    sessionStart: "text",
    userPromptSubmitted: 7,
    userPromptTransformed: ["a list"],
    preToolUse: "deny",
    postToolUse: true,
    agentStop: "block",
    sessionEnd: [],
  },
  "answers with fields of wrong types": {
    sessionStart: { additionalContext: 5 },
    userPromptSubmitted: { modifiedPrompt: { text: "no" }, additionalContext: [] },
    userPromptTransformed: { modifiedTransformedPrompt: 5 },
    preToolUse: { permissionDecisionReason: 5, additionalContext: [] },
    postToolUse: { additionalContext: {} },
    agentStop: { decision: "stay", reason: 5 },
  },
  "answers with nothing in it": {
    sessionStart: { additionalContext: null },
    userPromptSubmitted: { modifiedPrompt: "", additionalContext: null },
    userPromptTransformed: { modifiedTransformedPrompt: "" },
    preToolUse: {},
    postToolUse: { modifiedResult: null },
    agentStop: { decision: "block" },
  },
};

test.each(Object.entries(FAILURES))("a hook that %s breaks nothing", async (_, hooks) => {
  const { sessionId } = await w.create(hooks, { tools: [lookup] });
  runTools(w.client, () => "found");
  w.model.use([callLookup(), { text: "done" }]);
  expect(await w.client.ask(sessionId, "look")).toBe("done");
  expect(w.told()).toEqual(["user: look", 'calls {"key":"a"}', "tool: found"]);
  await w.client.request("session.detach", { sessionId });
});

test("what went wrong is in the server's log, and told", async () => {
  const { sessionId } = await w.create({
    userPromptSubmitted: "text",
    sessionStart: () => {
      throw new Error("the hook is broken");
    },
    agentStop: { decision: "stay" },
  });
  await w.client.ask(sessionId, "hi");
  const ends = w.dataOf(sessionId, "hook.end").filter(({ success }) => !success);
  expect(ends.map(({ hookType }) => hookType)).toEqual(["sessionStart", "userPromptSubmitted"]);
  expect(ends[1].error).toEqual({
    message: "expected an object as output, got string",
    source: expect.stringMatching(/^client /),
  });
  expect(w.dataOf(sessionId, "session.warning")).toEqual([
    {
      warningType: "hook",
      originatingMessageId: w.dataOf(sessionId, "user.message")[0].messageId,
      message: "The agentStop hook's decision: expected one of block, allow, got string; it was left out.",
    },
  ]);
  const logged = w.server.log.filter(({ fields }) => fields.sessionId === sessionId);
  expect(logged.map(({ level, fields }) => [level, fields.hookType])).toEqual([
    ["warning", "sessionStart"],
    ["warning", "userPromptSubmitted"],
    ["warning", "agentStop"],
  ]);
});

describe("a hook that does not answer", () => {
  /** Never settles. */
  const never = () => new Promise<never>(() => undefined);

  test("counts as not answered after the deadline", async () => {
    await using ownHome = await tempHome();
    await using own = await startServer(ownHome.path, { flags: ["--hook-deadline", "1"] });
    const there = await own.connect();
    answer(there, { preToolUse: never });
    await there.request("session.create", { ...w.settings, sessionId: "slow", tools: [lookup] });
    runTools(there, () => "found");
    w.model.use([callLookup(), { text: "done" }]);
    expect(await there.ask("slow", "look")).toBe("done");
    const end = there
      .of("slow")
      .find(({ type, data }) => type === "hook.end" && data.hookType === "preToolUse");
    expect(end?.data).toMatchObject({ success: false, error: { message: "no answer within 1 s" } });
    await there.close();
  });

  test.each([
    "sessionStart",
    "userPromptSubmitted",
    "preToolUse",
    "postToolUse",
    "agentStop",
    "errorOccurred",
  ])("%s: an abort of the run ends the waiting", async (hook) => {
    const { sessionId } = await w.create({ [hook]: never }, { tools: [lookup] });
    runTools(w.client, () => "found");
    w.model.use(hook === "errorOccurred" ? [{ status: 400 }] : [callLookup(), { text: "done" }]);
    await w.client.request("session.send", { sessionId, prompt: "look" });
    await w.client.until(() => w.dataOf(sessionId, "hook.start").some(({ hookType }) => hookType === hook));
    const before = w.client.of(sessionId).length;
    await w.client.request("session.abort", { sessionId });
    await w.client.event(sessionId, "session.idle", before - 1);
    expect(w.dataOf(sessionId, "user.message").map(({ content }) => content)).toEqual(["look"]);
    expect(w.dataOf(sessionId, "hook.end").at(-1)).toMatchObject({ hookType: hook, success: false });
    expect(w.server.log.filter(({ fields }) => fields.sessionId === sessionId)).toEqual([]);
  });

  test.each(["closes its connection", "leaves the session"])(
    "is not waited for once its client %s",
    async (how) => {
      const other = await w.server.connect();
      const { sessionId } = await w.create({}, { tools: [lookup] });
      answer(other, { preToolUse: never });
      await other.request("session.resume", { ...w.settings, sessionId });
      runTools(w.client, () => "found");
      w.model.use([callLookup(), { text: "done" }]);
      const answered = w.client.ask(sessionId, "look");
      await w.client.until(
        () =>
          w.dataOf(sessionId, "hook.start").filter(({ hookType }) => hookType === "preToolUse").length === 2,
      );
      if (how === "leaves the session") await other.request("session.detach", { sessionId });
      else await other.close();
      expect(await answered).toBe("done");
      await other.close();
    },
  );

  test("a prompt whose hook the session's end overtook waits, and is asked about again", async () => {
    const { sessionId } = await w.create({ userPromptSubmitted: never });
    await w.client.request("session.send", { sessionId, prompt: "echo still here" });
    await w.client.until(() =>
      w.dataOf(sessionId, "hook.start").some(({ hookType }) => hookType === "userPromptSubmitted"),
    );
    await w.client.request("session.shutdown", { sessionId });
    expect(w.typesOf(sessionId)).not.toContain("user.message");
    const asked = answer(w.client, { userPromptSubmitted: { modifiedPrompt: "echo asked again" } });
    await w.client.request("session.resume", { ...w.settings, sessionId });
    await w.client.event(sessionId, "session.idle");
    expect(asked.map(({ hookType }) => hookType)).toContain("userPromptSubmitted");
    expect(w.dataOf(sessionId, "assistant.message").at(-1).content).toBe("asked again");
  });
});

test("after kill -9 while a hook was waited for it is asked again, and the call runs once", async () => {
  await using ownHome = await tempHome();
  const first = await spawnServer(ownHome.path, ["--log-level", "error"]);
  const before = await first.connect();
  answer(before, { preToolUse: () => new Promise(() => undefined) });
  const params = { ...w.settings, sessionId: "killed", tools: [lookup] };
  await before.request("session.create", params);
  w.model.use([callLookup(), { text: "done" }]);
  await before.request("session.send", { sessionId: "killed", prompt: "look" });
  await before.until(() =>
    before.of("killed").some(({ type, data }) => type === "hook.start" && data.hookType === "preToolUse"),
  );
  await first.kill("SIGKILL");
  const second = await spawnServer(ownHome.path, ["--log-level", "error"]);
  const after = await second.connect();
  const asked = answer(after, { preToolUse: { modifiedArgs: { key: "b" } } });
  const ran: unknown[] = [];
  runTools(after, (args) => ran.push(args) && "found");
  await after.request("session.resume", { ...params, continuePendingWork: true });
  await after.event("killed", "session.idle");
  expect(asked.map(({ hookType }) => hookType)).toEqual(["preToolUse", "postToolUse", "agentStop"]);
  expect(ran).toEqual([{ key: "b" }]);
  expect(w.told()).toEqual(["user: look", 'calls {"key":"b"}', "tool: found"]);
  await after.close();
  expect(await second.kill("SIGTERM")).toBe(0);
});
