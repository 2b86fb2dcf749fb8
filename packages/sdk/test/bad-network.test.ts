/**
 * Conversations over a network that cuts, delays and half-closes connections at any byte: every prompt is
 * answered once, every event is seen once and in order, every tool call is carried out once, nothing
 * hangs and nothing is left behind.
 */
import { type ScriptedModelServer, startFaultProxy, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pick, seeded } from "../../server/test/support/random.ts";
import { spawnServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection } from "../src/index.ts";
import { expectAllEventsOnce, expectPromptsOnce, witness } from "./support/conversation.ts";

const TURNS = Number(process.env.RIGHTSEAT_SDK_TURNS ?? 300);
const SEED = Number(process.env.RIGHTSEAT_SDK_SEED ?? 20261123);
const SESSIONS = 4;
const TURN_MS = 30_000;

let model: ScriptedModelServer;
beforeAll(async () => {
  model = await startScriptedModelServer();
});
afterAll(() => model.close());

test(
  `${TURNS} turns in ${SESSIONS} sessions over a bad network`,
  async () => {
    await using home = await tempHome();
    const server = await spawnServer(home.path, ["--log-level", "error"]);
    const random = seeded(SEED);
    const rates = { cut: 0.02, halfClose: 0.008, delay: 0.05, refuse: 0.1 };
    await using proxy = await startFaultProxy({ port: server.port, random, rates, maxDelayMs: 10 });
    const client = new CopilotClient({
      connection: RuntimeConnection.forUri(`localhost:${proxy.port}`),
      reconnect: { initialDelayMs: 5, maxDelayMs: 50 },
    });
    // Connecting for the first time is tried once; afterwards the client sees to it itself.
    while (client.getState() !== "connected") await client.start().catch(() => undefined);
    const talk = async (index: number) => {
      const seen = witness(model);
      const session = await client.createSession(seen.config);
      const prompts: string[] = [];
      for (let turn = 0; turn < TURNS / SESSIONS; turn++) {
        const prompt = pick(random, [`echo ${index}.${turn}`, "words 20", "tool lookup 1", "tool lookup 2"]);
        prompts.push(prompt);
        const answer = await session.sendAndWait(prompt, TURN_MS);
        expect(answer?.data.content, prompt).toBe(answerTo(prompt));
      }
      return { session, seen, prompts };
    };
    const talks = await Promise.all(Array.from({ length: SESSIONS }, (_, index) => talk(index)));
    proxy.setRates({});
    for (const { session, seen, prompts } of talks) {
      await expectPromptsOnce(session, prompts);
      await expectAllEventsOnce(seen, session);
      const events = await session.getEvents();
      const called = events.flatMap((event) =>
        event.type === "tool.execution_start" ? [event.data.toolCallId] : [],
      );
      expect([...seen.calls]).toEqual(called.map((toolCallId) => [toolCallId, 1]));
    }
    expect(await client.stop()).toEqual([]);
    await proxy.until(({ open }) => open === 0);
    expect(proxy.faults.cut + proxy.faults.halfClose).toBeGreaterThan(TURNS / 20);
    expect(await server.kill("SIGTERM")).toBe(0);
  },
  1000 * TURNS,
);

function answerTo(prompt: string): string {
  const [verb, rest] = prompt.split(/ (.*)/);
  if (verb === "words") return Array.from({ length: Number(rest) }, (_, index) => `w${index} `).join("");
  return verb === "echo" ? (rest ?? "") : "done";
}
