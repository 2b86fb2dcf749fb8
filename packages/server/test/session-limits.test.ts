/** AI credits that a session may spend: told to the model, counted, and asked about when they are gone. */
import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const CREDIT = 1_000_000_000;

/** GitHub's API, as far as a session with a token needs it; each answer costs 20 credits. */
async function world() {
  const home = await tempHome();
  const model = await startScriptedModelServer({ models: [{ id: "gpt-x", name: "X" }] });
  model.use((request) => ({
    status: 200,
    body: {
      id: "answer",
      model: "gpt-x",
      choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 1 },
      copilot_usage: { total_nano_aiu: 20 * CREDIT, token_details: [] },
    },
    ...(request.body.stream ? { headers: { "content-type": "application/json" } } : {}),
  }));
  const server = await startServer(home.path, {
    flags: ["--http-port", "0"],
    env: { COPILOT_API_URL: model.url, GH_TOKEN: "a-token" },
  });
  const client = await server.connect();
  return {
    client,
    httpPort: server.httpPort,
    told: () =>
      ((model.requests.at(-1)?.body.messages ?? []) as { role: string; content: string }[])
        .filter(({ role }) => role !== "system")
        .map(({ content }) => content.replace(/^<current_datetime>.*\n\n/, "")),
    requests: model.requests,
    create: (more: object = {}) =>
      client.request("session.create", {
        sessionId: "s",
        model: "gpt-x",
        streaming: false,
        availableTools: ["custom:*"],
        ...more,
      }),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const limits = (maxAiCredits: number) => ({ sessionLimits: { maxAiCredits } });
const status = (remaining: number) =>
  expect.stringContaining(`Remaining session limits: ${remaining} AI credits.`);
const last = (client: WireClient, type: string) => client.of("s").findLast((event) => event.type === type);

describe("session limits", () => {
  test("what GitHub's API charges is in the metrics, by tenant and model", async () => {
    await using w = await world();
    await w.create();
    await w.client.ask("s", "one");
    await w.client.ask("s", "two");
    const page = await (await fetch(`http://127.0.0.1:${w.httpPort}/metrics`)).text();
    expect(page).toContain('rightseat_ai_credits_total{tenant="default",model="gpt-x"} 40\n');
  });

  test("are told to the model with each call, and are not part of the conversation", async () => {
    await using w = await world();
    await w.create(limits(30));
    expect((await w.client.event("s", "session.start")).data).toMatchObject(limits(30));
    await w.client.ask("s", "one");
    expect(w.told()).toEqual(["one", status(30)]);
    await w.client.ask("s", "two");
    expect(w.told()).toEqual(["one", "ok", "two", status(10)]);
    expect(last(w.client, "assistant.usage")?.data.copilotUsage).toEqual({ totalNanoAiu: 20 * CREDIT });
    const usage = await w.client.request("session.usage.getMetrics", { sessionId: "s" });
    expect(usage).toMatchObject({
      totalNanoAiu: 40 * CREDIT,
      modelMetrics: { "gpt-x": { totalNanoAiu: 40 * CREDIT } },
    });
  });

  test("that are reached refuse the next call, until they are raised or removed", async () => {
    await using w = await world();
    await w.create(limits(30));
    for (const prompt of ["one", "two", "three"]) await w.client.ask("s", prompt);
    expect(w.requests).toHaveLength(2);
    expect((await w.client.event("s", "session.error")).data).toMatchObject({
      errorType: "quota",
      errorCode: "session_limit_reached",
      message: expect.stringContaining("40 of 30 AI credits"),
    });
    await expect(w.client.request("session.history.compact", { sessionId: "s" })).rejects.toMatchObject({
      data: { reason: "session_limit_reached", usedAiCredits: 40, maxAiCredits: 30 },
    });
    await w.client.request("session.options.update", { sessionId: "s", ...limits(50) });
    expect(last(w.client, "session.session_limits_changed")?.data).toEqual(limits(50));
    await w.client.ask("s", "four");
    expect(w.told().slice(-3)).toEqual(["three", "four", status(10)]);
    await w.client.request("session.options.update", { sessionId: "s", sessionLimits: null });
    expect(last(w.client, "session.session_limits_changed")?.data).toEqual({ sessionLimits: null });
    await w.client.ask("s", "five");
    expect(w.told().at(-1)).toBe("five");
  });

  test("outlast a restart of the session, and what was spent with them", async () => {
    await using w = await world();
    await w.create();
    await w.client.ask("s", "one");
    await w.client.request("session.detach", { sessionId: "s" });
    await w.client.request("session.resume", { sessionId: "s", ...limits(30) });
    const snapshot = await w.client.request("session.metadata.snapshot", { sessionId: "s" });
    expect(snapshot.sessionLimits).toEqual({ maxAiCredits: 30 });
    await w.client.request("session.detach", { sessionId: "s" });
    await w.client.request("session.resume", { sessionId: "s" });
    await w.client.ask("s", "two");
    expect(w.told().at(-1)).toEqual(status(10));
  });

  test("are asked about where a client acts on the event", async () => {
    await using w = await world();
    await w.create(limits(10));
    await w.client.request("session.eventLog.registerInterest", {
      sessionId: "s",
      eventType: "session_limits_exhausted.requested",
    });
    await w.client.ask("s", "one");
    const answers = [
      { action: "add", additionalAiCredits: 15 },
      { action: "set", maxAiCredits: 50 },
      { action: "cancel" },
      { action: "unset" },
    ];
    for (const [turn, response] of answers.entries()) {
      const before = w.client.of("s").length;
      await w.client.request("session.send", { sessionId: "s", prompt: `prompt ${turn}` });
      const asked = await w.client.event("s", "session_limits_exhausted.requested", before);
      const handle = () =>
        w.client.request("session.ui.handlePendingSessionLimitsExhausted", {
          sessionId: "s",
          requestId: asked.data.requestId,
          response,
        });
      expect(await handle()).toEqual({ success: true });
      await w.client.event("s", "session.idle", before);
      expect(await handle()).toEqual({ success: false });
      expect(last(w.client, "session_limits_exhausted.completed")?.data).toEqual({
        requestId: asked.data.requestId,
        response,
      });
    }
    const asked = w.client.of("s").filter(({ type }) => type === "session_limits_exhausted.requested");
    expect(asked.map(({ data }) => [data.usedAiCredits, data.maxAiCredits])).toEqual([
      [20, 10],
      [40, 25],
      [60, 50],
      [60, 50],
    ]);
    expect(w.requests).toHaveLength(4);
    expect(w.client.of("s").filter(({ type }) => type === "session.error")).toHaveLength(1);
  });
});
