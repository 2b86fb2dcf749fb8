/** A conversation that outgrows its model: compacted by itself and on request, and what may be spent on it. */
import type { RecordedModelRequest } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld, type World } from "../src/world.ts";

const enterWorld = shareRuntime();

const SUMMARY = "The user counts herons.";

/** The model summarises when it is asked to; otherwise it does as it is told. */
function summarise(world: World): void {
  const asks = (request: RecordedModelRequest) =>
    /create a detailed summary/i.test(toldToModel(request).at(-1) ?? "");
  world.model.use((request) => (asks(request) ? { text: `<overview>${SUMMARY}</overview>` } : undefined));
}

/** A session whose model takes a thousand tokens. */
const small = (world: World) => ({
  systemMessage: { mode: "replace", content: "Be brief." } as const,
  availableTools: [],
  provider: {
    type: "openai",
    baseUrl: `${world.model.url}/v1`,
    apiKey: "a-key",
    maxPromptTokens: 1000,
  } as const,
});
const LONG = `${"heron ".repeat(400)}?`;

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a conversation that grows too long goes on from a summary, and its history stays whole", async () => {
    await using world = await enterWorld();
    summarise(world);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const infiniteSessions = { backgroundCompactionThreshold: 0.4, bufferExhaustionThreshold: 0.45 };
    const session = await client.createSession(world.session(seen, { ...small(world), infiniteSessions }));
    await session.sendAndWait({ prompt: LONG });
    await session.sendAndWait({ prompt: "two" });
    await seen.until("session.compaction_complete");
    expect(seen.of("session.compaction_complete")[0]?.data).toMatchObject({
      success: true,
      summaryContent: expect.stringContaining(SUMMARY),
    });
    // The answer is in the summary, and no message of its own any more.
    const told = toldToModel(world.model.requests.at(-1));
    expect(told).toEqual([expect.stringContaining(SUMMARY)]);
    const history = await sdk.history(session);
    expect(history.filter(({ type }) => type === "user.message")).toHaveLength(2);
  });

  test("an application compacts when it wants to", async () => {
    await using world = await enterWorld();
    summarise(world);
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents(), small(world)));
    await session.sendAndWait({ prompt: "echo one" });
    await session.sendAndWait({ prompt: LONG });
    const result = await session.rpc.history.compact();
    expect(result.success).toBe(true);
    expect(result.tokensRemoved).toBeGreaterThan(100);
    await session.sendAndWait({ prompt: "echo three" });
    expect(toldToModel(world.model.requests.at(-1)).join()).toContain(SUMMARY);
  });
});

test("what the context is made of can be asked", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const session = await client.createSession(world.session(new SeenEvents(), small(world)));
  await session.sendAndWait({ prompt: LONG });
  const limits = { promptTokenLimit: 1000, outputTokenLimit: 100 };
  const { contextInfo } = await session.rpc.metadata.contextInfo(limits);
  expect(contextInfo).toMatchObject({ promptTokenLimit: 1000 });
  const { messages, totalTokens } = await session.rpc.metadata.getContextHeaviestMessages({ limit: 1 });
  expect(messages).toHaveLength(1);
  expect(totalTokens).toBeGreaterThan(500);
});

test("a session that has spent its AI credits asks the application, and stops when that says no", async () => {
  await using world = await startWorld({ gitHub: true });
  const answer = {
    id: "a",
    model: "scripted",
    choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 1 },
    copilot_usage: { total_nano_aiu: 20_000_000_000, token_details: [] },
  };
  world.model.use(() => ({ status: 200, body: answer, headers: { "content-type": "application/json" } }));
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(
    world.session(seen, { provider: undefined, streaming: false, sessionLimits: { maxAiCredits: 10 } }),
  );
  await session.rpc.eventLog.registerInterest({ eventType: "session_limits_exhausted.requested" });
  await session.sendAndWait({ prompt: "one" });
  for (const [turn, response] of [
    { action: "add" as const, additionalAiCredits: 15 },
    { action: "cancel" as const },
  ].entries()) {
    await session.send({ prompt: `prompt ${turn}` });
    await seen.until("session_limits_exhausted.requested", turn + 1);
    const asked = seen.of("session_limits_exhausted.requested")[turn];
    const requestId = asked?.data.requestId ?? "";
    expect(await session.rpc.ui.handlePendingSessionLimitsExhausted({ requestId, response })).toEqual({
      success: true,
    });
    await seen.until("session.idle", turn + 2);
  }
  expect(world.model.requests).toHaveLength(2);
  expect(seen.of("session.error").map(({ data }) => data.errorCode)).toEqual(["session_limit_reached"]);
});
