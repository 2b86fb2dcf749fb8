/** The model's context over time: compacted beside runs, waited for, asked for, cut off, and truncated. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type RecordedModelRequest,
  type ScriptedModelServer,
  type ScriptedReply,
  startScriptedModelServer,
  withoutTime,
} from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../src/store/memory/memory-store.ts";
import type { Store } from "../src/store/store.ts";
import { overriding } from "./support/overriding.ts";
import { pick, seeded } from "./support/random.ts";
import { spawnServer, startServer, type TempHome, tempHome } from "./support/servers.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

const ASKS_FOR_SUMMARY = "Please create a detailed summary of the conversation so far.";
const SUMMARY_HEAD = "Some of the conversation history has been summarized to free up context.";
const SUMMARY = "<overview>About tests.</overview>\n<checkpoint_title>The tests</checkpoint_title>";

interface Told {
  readonly role: string;
  readonly content: string;
}

/** What a request tells the model, without the system message and the times of prompts. */
function told(request: RecordedModelRequest | undefined): Told[] {
  return ((request?.body.messages ?? []) as Told[])
    .filter(({ role }) => role !== "system")
    .map((message) => ({ ...message, content: withoutTime(message.content ?? "") }));
}

function asksForSummary(request: RecordedModelRequest): boolean {
  return told(request).at(-1)?.content?.startsWith?.(ASKS_FOR_SUMMARY) === true;
}

const summaryRequests = (model: ScriptedModelServer) => model.requests.filter(asksForSummary);

/** Answers requests for a summary as told, and others by the prompt language. */
function summaries(
  model: ScriptedModelServer,
  summarise: () => ScriptedReply | Promise<ScriptedReply>,
): void {
  model.use((request) => (asksForSummary(request) ? summarise() : undefined));
}

interface World extends AsyncDisposable {
  readonly home: TempHome;
  readonly model: ScriptedModelServer;
  readonly client: WireClient;
  create(sessionId: string, more?: object, provider?: object): Promise<void>;
}

async function world(store?: Store): Promise<World> {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  summaries(model, () => ({ text: SUMMARY }));
  const server = await startServer(home.path, { store });
  const client = await server.connect();
  return {
    home,
    model,
    client,
    create: async (sessionId, more = {}, provider = {}) => {
      await client.request("session.create", {
        sessionId,
        model: "scripted",
        systemMessage: { mode: "replace", content: "Be brief." },
        availableTools: ["custom:*"],
        provider: {
          type: "openai",
          baseUrl: `${model.url}/v1`,
          apiKey: "k",
          maxPromptTokens: 1_000,
          ...provider,
        },
        ...more,
      });
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      expect(server.log.filter((line) => line.level === "error")).toEqual([]);
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** A gate that a test opens. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const infinite = (background: number, exhaustion: number) => ({
  infiniteSessions: {
    enabled: true,
    backgroundCompactionThreshold: background,
    bufferExhaustionThreshold: exhaustion,
  },
});
/** About 500 tokens, answered "ok". */
const long = (word: string) => `${word} ${"pad ".repeat(500)}`;

describe("compaction by itself", () => {
  test("runs beside the turn that passes the threshold, and the next turn is told the summary", async () => {
    await using w = await world();
    const summary = gate();
    summaries(w.model, async () => {
      await summary.opened;
      return { text: SUMMARY };
    });
    await w.create("s", infinite(0.4, 0.99));
    await w.client.ask("s", long("one"));
    expect(await w.client.ask("s", "echo two")).toBe("two");
    const start = await w.client.event("s", "session.compaction_start");
    expect(start.data).toMatchObject({ trigger: "threshold", tokenLimit: 1_000, model: "scripted" });
    expect(w.client.of("s").some((event) => event.type === "session.compaction_complete")).toBe(false);
    summary.open();
    const complete = await w.client.event("s", "session.compaction_complete");
    expect(complete.data).toMatchObject({
      success: true,
      trigger: "threshold",
      summaryContent: SUMMARY,
      preCompactionMessagesLength: 4,
      messagesRemoved: 2,
      checkpointNumber: 1,
      compactionTokensUsed: { model: "scripted", inputTokens: expect.any(Number), outputTokens: 1 },
    });
    expect(complete.data.postCompactionTokens).toBeLessThan(complete.data.preCompactionTokens);
    expect(await w.client.ask("s", "echo three")).toBe("three");
    expect(told(w.model.requests.at(-1)).map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(told(w.model.requests.at(-1))[0]?.content).toMatch(
      new RegExp(
        `^${SUMMARY_HEAD}[\\s\\S]*<user_message>\\necho two\\n</user_message>[\\s\\S]*About tests\\.`,
      ),
    );
  });

  test("holds up the call that would not fit", async () => {
    await using w = await world();
    await w.create("s", infinite(0.4, 0.45));
    await w.client.ask("s", long("one"));
    await w.client.ask("s", "echo two");
    expect(w.model.requests.map(asksForSummary)).toEqual([false, true, false]);
    expect(told(w.model.requests[2])).toEqual([
      { role: "user", content: expect.stringContaining("<user_message>\necho two\n</user_message>") },
    ]);
    const checkpoint = await w.client.event("s", "session.compaction_complete");
    expect(await readFile(checkpoint.data.checkpointPath, "utf8")).toBe(
      "<overview>About tests.</overview>\n",
    );
    const index = await readFile(join(checkpoint.data.checkpointPath, "../index.md"), "utf8");
    expect(index).toContain("| 1 | The tests | 001-the-tests.md |");
  });

  test("does not begin again before the context has grown", async () => {
    await using w = await world();
    await w.create("s", infinite(0.001, 0.002), { maxPromptTokens: 10_000 });
    for (let turn = 0; turn < 5; turn += 1) await w.client.ask("s", `echo ${turn}`);
    expect(summaryRequests(w.model)).toHaveLength(1);
  });

  test("that fails costs nothing but the attempt: the context stays, and it is not tried with every call", async () => {
    await using w = await world();
    summaries(w.model, () => ({ status: 400, body: { error: { message: "no summaries here" } } }));
    await w.create("s", infinite(0.2, 0.25), { maxPromptTokens: 2_000 });
    await w.client.ask("s", long("one"));
    for (const word of ["two", "three", "four"]) expect(await w.client.ask("s", `echo ${word}`)).toBe(word);
    expect(summaryRequests(w.model)).toHaveLength(1);
    expect(told(w.model.requests.at(-1)).at(0)?.content).toBe(long("one"));
    const { data } = await w.client.event("s", "session.compaction_complete");
    expect(data).toMatchObject({
      success: false,
      statusCode: 400,
      error: expect.stringContaining("no summaries"),
    });
  });

  test("is off where the session does not want it", async () => {
    await using w = await world();
    await w.create("s", { infiniteSessions: { enabled: false, backgroundCompactionThreshold: 0.01 } });
    await w.client.ask("s", long("one"));
    await w.client.ask("s", "echo two");
    expect(summaryRequests(w.model)).toEqual([]);
  });

  test("can be cancelled while it runs", async () => {
    await using w = await world();
    summaries(w.model, () => ({ hang: true }));
    await w.create("s", infinite(0.4, 0.99));
    await w.client.ask("s", long("one"));
    await w.client.ask("s", "echo two");
    await w.model.until((model) => summaryRequests(model as ScriptedModelServer).length === 1);
    const cancel = () => w.client.request("session.history.cancelBackgroundCompaction", { sessionId: "s" });
    expect(await w.client.request("session.history.abortManualCompaction", { sessionId: "s" })).toEqual({
      aborted: false,
    });
    expect(await cancel()).toEqual({ cancelled: true });
    expect(await cancel()).toEqual({ cancelled: false });
    const { data } = await w.client.event("s", "session.compaction_complete");
    expect(data).toMatchObject({ success: false, error: "the compaction was cancelled" });
    expect(await w.client.ask("s", "echo three")).toBe("three");
    expect(told(w.model.requests.at(-1))).toHaveLength(5);
  });

  test("ends with its session", async () => {
    await using w = await world();
    summaries(w.model, () => ({ hang: true }));
    await w.create("s", infinite(0.4, 0.99));
    await w.client.ask("s", long("one"));
    await w.client.ask("s", "echo two");
    await w.model.until((model) => summaryRequests(model as ScriptedModelServer).length === 1);
    await w.client.request("session.detach", { sessionId: "s" });
    await w.model.until(({ closedEarly }) => closedEarly === 1);
    summaries(w.model, () => ({ text: SUMMARY }));
    await w.client.request("session.resume", {
      sessionId: "s",
      provider: { type: "openai", baseUrl: `${w.model.url}/v1` },
    });
    const { events } = await w.client.request("session.getMessages", { sessionId: "s" });
    const types = events.map((event: { type: string }) => event.type);
    expect(types.indexOf("session.compaction_complete")).toBeLessThan(types.indexOf("session.shutdown"));
    expect(await w.client.ask("s", "echo three")).toBe("three");
  });

  test("between tool calls keeps the latest round, and reads nothing of the history", async () => {
    const memory = createMemoryStore();
    let reads = 0;
    const log = overriding(memory.log, {
      read: (...args) => {
        reads += 1;
        return memory.log.read(...args);
      },
    });
    await using w = await world({ ...memory, log });
    const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
    await w.create("s", { ...infinite(0.4, 0.45), tools: [tool] });
    await w.client.ask("s", long("one"));
    await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
    const { data } = await w.client.event("s", "external_tool.requested");
    const before = w.client.of("s").length;
    await w.client.request("session.tools.handlePendingToolCall", {
      sessionId: "s",
      requestId: data.requestId,
      result: "found",
    });
    await w.client.event("s", "session.idle", before);
    const last = told(w.model.requests.at(-1));
    expect(last.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(reads).toBe(0);
  });
});

describe("session.history.compact", () => {
  const compact = (client: WireClient, more: object = {}) =>
    client.request("session.history.compact", { sessionId: "s", ...more });

  test("compacts now, with the user's instructions, and tells the new context", async () => {
    await using w = await world();
    await w.create("s");
    await w.client.ask("s", long("one"));
    const result = await compact(w.client, { customInstructions: "Mind the names." });
    expect(result).toMatchObject({
      success: true,
      messagesRemoved: 1,
      summaryContent: SUMMARY,
      contextWindow: { messagesLength: 1, tokenLimit: 1_000 },
    });
    expect(result.tokensRemoved).toBeGreaterThan(200);
    expect(told(w.model.requests[1]).at(-1)?.content).toContain("Mind the names.");
    const { data } = await w.client.event("s", "session.compaction_complete");
    expect(data).toMatchObject({ trigger: "manual", customInstructions: "Mind the names." });
    const usage = await w.client.request("session.usage.getMetrics", { sessionId: "s" });
    expect(usage.modelMetrics.scripted.requests.count).toBe(2);
    const { contextAttribution } = await w.client.request("session.metadata.getContextAttribution", {
      sessionId: "s",
    });
    expect(contextAttribution.compactions).toEqual({ count: 1 });
  });

  test("is refused where there is nothing to compact, and when the model gives no summary", async () => {
    await using w = await world();
    await w.create("s");
    await expect(compact(w.client)).rejects.toMatchObject({ data: { reason: "nothing_to_compact" } });
    await w.client.ask("s", "echo one");
    summaries(w.model, () => ({ text: " " }));
    await expect(compact(w.client)).rejects.toMatchObject({ data: { reason: "provider_rejected" } });
    expect(await w.client.ask("s", "echo two")).toBe("two");
    expect(told(w.model.requests.at(-1))).toHaveLength(3);
  });

  test("can be aborted, and makes one that began by itself give way", async () => {
    await using w = await world();
    summaries(w.model, () => ({ hang: true }));
    await w.create("s", infinite(0.4, 0.99));
    await w.client.ask("s", long("one"));
    await w.client.ask("s", "echo two");
    await w.model.until((model) => summaryRequests(model as ScriptedModelServer).length === 1);
    const asked = compact(w.client);
    asked.catch(() => undefined);
    await w.model.until((model) => summaryRequests(model as ScriptedModelServer).length === 2);
    await expect(compact(w.client)).rejects.toMatchObject({ data: { reason: "session_busy" } });
    expect(await w.client.request("session.history.abortManualCompaction", { sessionId: "s" })).toEqual({
      aborted: true,
    });
    await expect(asked).rejects.toMatchObject({ data: { reason: "request_cancelled" } });
  });

  test("beside a run that waits for a tool leaves the open call alone", async () => {
    await using w = await world();
    const tool = { name: "lookup", description: "x", parameters: { type: "object" }, skipPermission: true };
    await w.create("s", { tools: [tool] });
    await w.client.ask("s", "echo one");
    await w.client.request("session.send", { sessionId: "s", prompt: "tool lookup 1" });
    const { data } = await w.client.event("s", "external_tool.requested");
    await compact(w.client);
    expect(told(w.model.requests.at(-1)).map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "user",
    ]);
    const before = w.client.of("s").length;
    const answer = { sessionId: "s", requestId: data.requestId, result: "found" };
    await w.client.request("session.tools.handlePendingToolCall", answer);
    await w.client.event("s", "session.idle", before);
    expect(told(w.model.requests.at(-1)).map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  });
});

describe("a conversation that the provider finds too long", () => {
  const TOO_LONG = {
    status: 400,
    body: { error: { message: "maximum context length exceeded", code: "context_length_exceeded" } },
  };

  test("is compacted, and the call made again", async () => {
    await using w = await world();
    await w.create("s");
    await w.client.ask("s", long("one"));
    let refused = false;
    w.model.use((request) => {
      if (asksForSummary(request)) return { text: SUMMARY };
      if (refused) return undefined;
      refused = true;
      return TOO_LONG;
    });
    await w.client.ask("s", "two");
    expect(w.model.requests.map(asksForSummary)).toEqual([false, false, true, false]);
    expect((await w.client.event("s", "session.compaction_start")).data.trigger).toBe("context_limit_retry");
    expect(w.client.of("s").some((event) => event.type === "session.error")).toBe(false);
  });

  test("and will not be summarised either, is made shorter until it is", async () => {
    await using w = await world();
    await w.create("s", infinite(0.4, 0.45));
    await w.client.ask("s", long("one"));
    let refusals = 2;
    summaries(w.model, () => (refusals-- > 0 ? TOO_LONG : { text: SUMMARY }));
    await w.client.ask("s", "echo two");
    const sizes = summaryRequests(w.model).map((request) => JSON.stringify(told(request)).length);
    expect(sizes).toHaveLength(3);
    expect(sizes[2]).toBeLessThan(sizes[0] as number);
    expect((await w.client.event("s", "session.compaction_complete")).data.success).toBe(true);
  });

  test("is truncated where compaction is off", async () => {
    await using w = await world();
    await w.create("s", { infiniteSessions: { enabled: false } });
    for (const word of ["one", "two", "three"]) await w.client.ask("s", long(word));
    const { data } = await w.client.event("s", "session.truncation");
    expect(data).toMatchObject({ tokenLimit: 1_000, messagesRemovedDuringTruncation: expect.any(Number) });
    expect(data.postTruncationTokensInMessages).toBeLessThan(data.preTruncationTokensInMessages);
    const last = told(w.model.requests.at(-1));
    expect(last.at(-1)?.content).toBe(long("three"));
    expect(JSON.stringify(last).length / 4).toBeLessThan(1_000);
    expect(summaryRequests(w.model)).toEqual([]);
  });

  test("ends the run with the provider's error when it cannot be made to fit", async () => {
    await using w = await world();
    w.model.use((request) => (asksForSummary(request) ? { text: SUMMARY } : TOO_LONG));
    await w.create("s");
    await w.client.ask("s", long("one"));
    const { data } = await w.client.event("s", "session.error");
    expect(data.errorType).toBe("context_limit");
    // One attempt, and one more with a shorter conversation.
    expect(w.model.requests.filter((request) => !asksForSummary(request))).toHaveLength(2);
  });
});

test("summarizeForHandoff asks for a note, and puts nothing into the conversation", async () => {
  await using w = await world();
  await w.create("s");
  const handoff = () => w.client.request("session.history.summarizeForHandoff", { sessionId: "s" });
  expect(await handoff()).toEqual({ summary: "" });
  expect(w.model.requests).toEqual([]);
  await w.client.ask("s", "echo one");
  w.model.use([{ text: "# Note" }]);
  expect(await handoff()).toEqual({ summary: "# Note" });
  await w.client.ask("s", "echo two");
  expect(told(w.model.requests.at(-1))).toHaveLength(3);
});

describe("figures of the context", () => {
  test("are there once the session has asked its model something", async () => {
    await using w = await world();
    await w.create("s");
    const ask = (method: string, more: object = {}) =>
      w.client.request(`session.metadata.${method}`, { sessionId: "s", ...more });
    const limits = { promptTokenLimit: 0, outputTokenLimit: 0 };
    expect(await ask("contextInfo", limits)).toEqual({ contextInfo: null });
    expect(await ask("getContextAttribution")).toEqual({ contextAttribution: null });
    expect(await ask("getContextHeaviestMessages")).toEqual({ totalTokens: 0, messages: [] });
    await w.client.ask("s", long("one"));
    const { contextInfo } = await ask("contextInfo", limits);
    expect(contextInfo).toMatchObject({
      modelName: "scripted",
      promptTokenLimit: 1_000,
      limit: 1_000,
      compactionThreshold: 800,
      bufferTokens: 50,
    });
    const larger = await ask("contextInfo", { promptTokenLimit: 2_000, outputTokenLimit: 100 });
    expect(larger.contextInfo).toMatchObject({ promptTokenLimit: 2_000, limit: 2_100, bufferTokens: 200 });
    const { totalTokens, messages } = await ask("getContextHeaviestMessages", { limit: 1 });
    expect(totalTokens).toBe(contextInfo.totalTokens);
    expect(messages).toEqual([
      {
        id: "message-0",
        role: "user",
        label: expect.stringMatching(/^user: one pad .*…$/),
        tokens: 521,
      },
    ]);
  });
});

const KILLS = Number(process.env.RIGHTSEAT_COMPACTION_KILLS ?? 20);

test(`after a kill -9 at any point of a compaction the context is the old one or the new one (${KILLS} times)`, async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  const random = seeded(20261123);
  const params = {
    sessionId: "s",
    model: "scripted",
    availableTools: ["custom:*"],
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  };
  let prompts: string[] = [];
  let point: "begun" | "asked" | "told" | "any" = "any";
  let outcomes = { old: 0, new: 0 };
  for (let kill = 0; kill <= KILLS; kill += 1) {
    const text = `SUMMARY ${kill} ${SUMMARY}`;
    summaries(model, () => (point === "begun" ? { hang: true } : { text }));
    const server = await spawnServer(home.path, ["--log-level", "error"]);
    const client = await server.connect();
    await client.request(kill === 0 ? "session.create" : "session.resume", params);
    await client.ask("s", `echo turn ${kill}`);
    const request = told(model.requests.at(-1));
    const context = request.map(({ content }) => content);
    if (kill > 0) {
      const isNew = context[0]?.includes(`SUMMARY ${kill - 1} `) === true;
      outcomes = { old: outcomes.old + (isNew ? 0 : 1), new: outcomes.new + (isNew ? 1 : 0) };
      if (point === "told") expect(isNew).toBe(true);
      // The new context is the summary alone; the old one is all that there was, word for word.
      const expected = isNew ? [context[0], `echo turn ${kill}`] : [...prompts, `echo turn ${kill}`];
      expect(context).toEqual(expected);
    }
    prompts = [...(context as string[]), `turn ${kill}`];
    point = pick(random, ["begun", "asked", "told", "any"] as const);
    const compacting = client.request("session.history.compact", { sessionId: "s" }).catch(() => undefined);
    if (point === "begun") await client.event("s", "session.compaction_start");
    if (point === "asked")
      await model.until(({ requests }) => asksForSummary(requests.at(-1) as RecordedModelRequest));
    const isDone = ({ type, data }: WireEvent) => type === "session.compaction_complete" && data.success;
    if (point === "told") await client.until(() => client.of("s").some(isDone));
    else
      for (let turn = Math.floor(random() * 2_000); turn > 0; turn -= 1)
        await new Promise((resolve) => setImmediate(resolve));
    await server.kill("SIGKILL");
    await client.ended;
    await compacting;
  }
  expect(outcomes.old).toBeGreaterThan(0);
  expect(outcomes.new).toBeGreaterThan(0);
}, 120_000);
