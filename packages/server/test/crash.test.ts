/**
 * What a `kill -9` at any moment leaves behind: every session takes the next message, and nothing
 * that was acknowledged is missing.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pick, seeded } from "./support/random.ts";
import { type ServerProcess, spawnServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const KILLS = Number(process.env.RIGHTSEAT_CRASH_KILLS ?? 200);
const SEED = Number(process.env.RIGHTSEAT_CRASH_SEED ?? 20261123);
const SESSIONS = 4;

const TOOL = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
};
const PROMPTS = ["echo hello", "words 40", "tool lookup 3", "tool lookup 1", "echo ünïcode ✓"];

let model: ScriptedModelServer;
beforeAll(async () => {
  model = await startScriptedModelServer();
});
afterAll(() => model.close());

/** What a client was told, and so may count on. */
interface Promised {
  readonly sessionId: string;
  readonly messageIds: Set<string>;
  readonly eventIds: Set<string>;
}

function joinParams(sessionId: string) {
  return {
    sessionId,
    model: "scripted",
    streaming: true,
    tools: [{ ...TOOL, skipPermission: false }],
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  };
}

/** Does what applications do: answers questions at once, and remembers durable events. */
function answerQuestions(client: WireClient, promised: Map<string, Promised>): void {
  const seen = new Map<string, number>();
  const look = () => {
    for (const [sessionId, events] of client.events) {
      for (const event of events.slice(seen.get(sessionId) ?? 0)) {
        if (!event.ephemeral) promised.get(sessionId)?.eventIds.add(event.id);
        if (event.type === "permission.requested") {
          const params = { sessionId, requestId: event.data.requestId, result: { kind: "approve-once" } };
          client.request("session.permissions.handlePendingPermissionRequest", params).catch(() => undefined);
        } else if (event.type === "external_tool.requested") {
          const params = { sessionId, requestId: event.data.requestId, result: "found" };
          client.request("session.tools.handlePendingToolCall", params).catch(() => undefined);
        }
      }
      seen.set(sessionId, events.length);
    }
    return undefined;
  };
  client.until(look).catch(() => undefined);
}

describe("kill -9 at random points of conversations with tools", () => {
  test(`after each of ${KILLS} kills every session resumes, takes the next message, and has all that was acknowledged`, async () => {
    await using home = await tempHome();
    const random = seeded(SEED);
    const promised = new Map<string, Promised>();
    for (let index = 0; index < SESSIONS; index += 1) {
      const sessionId = `crash-${index}`;
      promised.set(sessionId, { sessionId, messageIds: new Set(), eventIds: new Set() });
    }
    let created = false;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await spawnServer(home.path, ["--log-level", "error"]);
      const client = await server.connect();
      answerQuestions(client, promised);
      for (const { sessionId } of promised.values()) {
        const method = created ? "session.resume" : "session.create";
        await client.request(method, { ...joinParams(sessionId), continuePendingWork: random() < 0.5 });
      }
      created = true;
      await checkHistories(client, promised, home.path);
      const traffic = Promise.allSettled(
        [...promised.values()].map((session) => sendPrompts(client, session, random)),
      );
      await killSoon(server, random);
      await client.ended;
      await traffic;
    }
    await using server = await finalServer(home.path);
    const client = await server.process.connect();
    answerQuestions(client, promised);
    for (const { sessionId } of promised.values()) {
      await client.request("session.resume", joinParams(sessionId));
      const before = client.of(sessionId).length;
      await client.request("session.send", { sessionId, prompt: "echo still here" });
      await client.until(() =>
        client
          .of(sessionId)
          .slice(before)
          .some((event) => event.type === "assistant.message" && event.data.content === "still here"),
      );
    }
    await checkHistories(client, promised, home.path);
    await client.close();
  }, 300_000);
});

async function finalServer(home: string) {
  const process = await spawnServer(home, ["--log-level", "error"]);
  return {
    process,
    [Symbol.asyncDispose]: async () => {
      expect(await process.kill("SIGTERM")).toBe(0);
    },
  };
}

async function sendPrompts(client: WireClient, session: Promised, random: () => number): Promise<void> {
  for (let count = 0; count < 6; count += 1) {
    const { messageId } = await client.request("session.send", {
      sessionId: session.sessionId,
      prompt: pick(random, PROMPTS),
      ...(random() < 0.3 ? { mode: "immediate" } : {}),
    });
    session.messageIds.add(messageId);
    if (random() < 0.3) await client.request("session.abort", { sessionId: session.sessionId });
  }
}

/** Kills after a random number of messages, or of turns of the event loop: at any point of a write. */
async function killSoon(server: ServerProcess, random: () => number): Promise<void> {
  const turns = Math.floor(random() * 60);
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 40)));
  await server.kill("SIGKILL");
}

/**
 * Acknowledged prompts are in the history, wait their turn, or were taken out by an abort, which is on record;
 * events that were told are in the history, once.
 */
async function checkHistories(
  client: WireClient,
  promised: Map<string, Promised>,
  home: string,
): Promise<void> {
  for (const { sessionId, ...soFar } of promised.values()) {
    // What is told while the history is on its way may be newer than it.
    const [messageIds, eventIds] = [[...soFar.messageIds], [...soFar.eventIds]];
    const { items, steeringMessages } = await client.request("session.queue.pendingItems", { sessionId });
    const { events } = await client.request("session.getMessages", { sessionId });
    const ids = events.map((event: { id: string }) => event.id);
    expect(new Set(ids).size, "an event twice in a history").toBe(ids.length);
    const present = new Set(ids);
    expect(
      eventIds.filter((id) => !present.has(id)),
      `${sessionId}: events that were told and are gone`,
    ).toEqual([]);
    const known = new Set<string>(items.map((item: { messageId: string }) => item.messageId));
    for (const event of events) if (event.type === "user.message") known.add(event.data.messageId);
    for (const id of await takenOut(join(home, "session-state", sessionId, "events.jsonl"))) known.add(id);
    const missing = messageIds.filter((id) => !known.has(id));
    // Steering messages that wait are listed by text only.
    expect(missing.length, `${sessionId}: prompts acknowledged and gone: ${missing}`).toBeLessThanOrEqual(
      steeringMessages.length,
    );
    expect(chainIsWhole(events), `${sessionId}: parentId chain`).toBe(true);
  }
}

async function takenOut(log: string): Promise<string[]> {
  const lines = (await readFile(log, "utf8")).split("\n");
  const records = lines.filter((line) => line.includes('"rightseat.queue_items_removed"'));
  return records.flatMap((line) => JSON.parse(line).data.messageIds as string[]);
}

function chainIsWhole(events: { id: string; parentId: string | null }[]): boolean {
  return events.every((event, index) => event.parentId === (events[index - 1]?.id ?? null));
}
