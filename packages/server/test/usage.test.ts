/** What providers report as used is what the session, the tenant's limits and the metrics have counted: all of it, once. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RecordedModelRequest, type ScriptedReply, startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { seeded } from "./support/random.ts";
import { startServer, tempHome } from "./support/servers.ts";

interface Message {
  readonly role: string;
  readonly content: string;
}

const SUMMARY = "<overview>Of counting.</overview>\n<checkpoint_title>Counting</checkpoint_title>";

/** A prompt with DELEGATE is handed to a sub-agent, which uses a tool; a summary is one; all else is "ok". */
function replyTo({ body }: RecordedModelRequest): ScriptedReply {
  const messages = body.messages as Message[];
  const isSubAgent = messages[0]?.content.includes("You work for another agent");
  const last = messages.at(-1);
  if (last?.content.includes("detailed summary of the conversation")) return { text: SUMMARY };
  if (last?.role === "tool") return { text: "done" };
  if (isSubAgent) return { toolCalls: [{ name: "bash", arguments: { command: "true", description: "" } }] };
  if (!last?.content.includes("DELEGATE")) return { text: "ok" };
  const task = { agent_type: "general-purpose", name: "w", description: "d", prompt: "SUBTASK" };
  return { toolCalls: [{ name: "task", arguments: task }] };
}

test("the sum of what was used is the provider's own, over turns, retries, sub-agents, compactions and side questions", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  const random = seeded(6);
  const reported = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 };
  let calls = 0;
  model.use((request, index) => {
    if (index % 7 === 3) return { status: 503, headers: { "retry-after-ms": "1" } };
    const usage = {
      inputTokens: 1_000 + Math.floor(random() * 1_000),
      outputTokens: 1 + Math.floor(random() * 100),
      cacheReadTokens: Math.floor(random() * 500),
    };
    for (const key of Object.keys(usage) as (keyof typeof usage)[]) reported[key] += usage[key];
    calls += 1;
    return { ...replyTo(request), usage };
  });
  const file = join(home.path, "rightseat.json");
  const limit = (tokensPerDay: number) =>
    writeFile(file, JSON.stringify({ limits: { default: { tokensPerDay } } }));
  await limit(1e9);
  await using server = await startServer(home.path, {
    flags: ["--config", file, "--http-port", "0"],
    env: { COPILOT_PROVIDER_BASE_URL: `${model.url}/v1`, COPILOT_MODEL: "scripted" },
  });
  const client = await server.connect();
  const { sessionId } = await client.request("session.create", { workingDirectory: home.work });
  await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
  for (let turn = 0; turn < 30; turn += 1) {
    await client.ask(sessionId, turn % 3 === 0 ? `DELEGATE ${turn}` : `turn ${turn}`);
    if (turn % 10 === 5) await client.request("session.history.compact", { sessionId });
    if (turn % 10 === 7)
      await client.request("session.ui.ephemeralQuery", { sessionId, question: "how far are you?" });
    if (turn % 10 === 9) await client.request("session.history.summarizeForHandoff", { sessionId });
  }
  expect(calls).toBeGreaterThan(60);

  const { modelMetrics } = await client.request("session.usage.getMetrics", { sessionId });
  expect(modelMetrics.scripted.usage).toMatchObject(reported);
  expect(modelMetrics.scripted.requests.count).toBe(calls);

  const page = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
  const counted = (kind: string) =>
    Number(
      page.match(`rightseat_tokens_total\\{tenant="default",model="scripted",kind="${kind}"\\} (\\d+)`)?.[1],
    );
  expect({
    inputTokens: counted("input"),
    outputTokens: counted("output"),
    cacheReadTokens: counted("cache_read"),
  }).toEqual(reported);
  expect(page).toContain(`rightseat_model_call_duration_seconds_count{model="scripted"} ${calls}`);

  // The tenant may use exactly this much: not a token was missed, and none was counted twice.
  const used = reported.inputTokens + reported.outputTokens;
  await limit(used);
  server.reload();
  await expect(client.request("session.send", { sessionId, prompt: "one more" })).rejects.toMatchObject({
    data: { limit: "tokensPerDay", max: used },
  });
  await limit(used + 1);
  server.reload();
  expect(await client.ask(sessionId, "one more")).toBe("ok");
  await client.close();
});
