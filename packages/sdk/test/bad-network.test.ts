/**
 * Conversations over a network that cuts, delays and half-closes connections at any byte: every prompt is
 * answered once, every event is seen once and in order, every tool call is carried out once, nothing
 * hangs and nothing is left behind. Sessions are made, left and deleted over the same network. With two
 * servers they also move from one to the other.
 *
 * `RIGHTSEAT_SDK_TURNS=10000 npx vitest run packages/sdk/test/bad-network.test.ts` is the long run;
 * `RIGHTSEAT_SDK_SEED` chooses other bad luck.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ScriptedModelServer, startFaultProxy, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { pick, seeded } from "../../server/test/support/random.ts";
import { spawnServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection } from "../src/index.ts";
import { expectAllEventsOnce, expectPromptsOnce, witness } from "./support/conversation.ts";

const TURNS = Number(process.env.RIGHTSEAT_SDK_TURNS ?? 200);
const SEED = Number(process.env.RIGHTSEAT_SDK_SEED ?? 20261123);
const TALKS = 4;
const TURNS_A_SESSION = 25;
const TURN_MS = 30_000;
/** How much the heap of the client may grow from the first tenth of a long run to its end. */
const MAX_GROWN_BYTES = 4 * 1024 * 1024;
const IS_LONG = TURNS >= 5000;

let model: ScriptedModelServer;
beforeAll(async () => {
  model = await startScriptedModelServer();
});
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(endings.splice(0).map((end) => end()));
});
afterAll(() => model.close());

test.each([1, 2])(
  `${TURNS} turns or more of ${TALKS} talks at once over a bad network, servers: %i`,
  async (count) => {
    await using home = await tempHome();
    const servers = await Promise.all(
      Array.from({ length: count }, () => spawnServer(home.path, ["--log-level", "error"])),
    );
    endings.push(...servers.map((server) => () => server.kill("SIGKILL")));
    const random = seeded(SEED);
    const rates = { cut: 0.02, halfClose: 0.008, delay: 0.05, refuse: 0.1 };
    const proxies = await Promise.all(
      servers.map(({ port }) => startFaultProxy({ port, random, rates, maxDelayMs: 10 })),
    );
    endings.push(...proxies.map((proxy) => () => proxy.close()));
    const client = new CopilotClient({
      connection: RuntimeConnection.forUris(proxies.map(({ port }) => `localhost:${port}`)),
      reconnect: { initialDelayMs: 5, maxDelayMs: 50 },
    });
    // Connecting for the first time is tried once; afterwards the client sees to it itself.
    while (client.getState() !== "connected") await client.start().catch(() => undefined);
    const startedMs = performance.now();
    const heap: number[] = [];
    const done = { turns: 0, sessions: 0, events: 0, toolCalls: 0 };

    const holdSession = async (name: string) => {
      const seen = witness(model);
      const session = await client.createSession({ ...seen.config, sessionId: name });
      const prompts: string[] = [];
      for (let turn = 0; turn < TURNS_A_SESSION; turn++) {
        const prompt = pick(random, [`echo ${name}.${turn}`, "words 20", "tool lookup 1", "tool lookup 2"]);
        prompts.push(prompt);
        const answer = await session.sendAndWait(prompt, TURN_MS);
        expect(answer?.data.content, prompt).toBe(answerTo(prompt));
      }
      await expectPromptsOnce(session, prompts);
      await expectAllEventsOnce(seen, session);
      const called = seen.events.flatMap((event) =>
        event.type === "tool.execution_start" ? [event.data.toolCallId] : [],
      );
      expect([...seen.calls]).toEqual(called.map((toolCallId) => [toolCallId, 1]));
      await session.disconnect();
      await client.deleteSession(name);
      done.turns += prompts.length;
      done.sessions += 1;
      done.events += seen.events.filter(({ ephemeral }) => ephemeral !== true).length;
      done.toolCalls += called.length;
    };
    const rounds = TURNS / TALKS / TURNS_A_SESSION;
    // How data is cut into pieces is chance, and so is how many faults there are: as many rounds as make enough of them.
    const isBadEnough = () =>
      proxies.every(({ faults }) => faults.cut + faults.halfClose > TURNS / 20 / count);
    for (let round = 0; round < rounds || !isBadEnough(); round++) {
      await Promise.all(Array.from({ length: TALKS }, (_, talk) => holdSession(`talk-${round}-${talk}`)));
      model.forget();
      if (IS_LONG && round >= rounds / 10) heap.push(usedHeap());
    }

    const faults = proxies.map((proxy) => ({ ...proxy.faults, connections: proxy.accepted }));
    for (const proxy of proxies) proxy.setRates({});
    expect(await client.listSessions()).toEqual([]);
    expect(await client.stop()).toEqual([]);
    for (const proxy of proxies) await proxy.until(({ open }) => open === 0);
    for (const server of servers) expect(await server.kill("SIGTERM")).toBe(0);
    if (!IS_LONG) return;
    const grownBytes = (heap.at(-1) ?? 0) - (heap[0] ?? 0);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(JSON.stringify({ seed: SEED, ...done, faults, seconds, grownBytes }));
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
  },
  1000 * TURNS,
);

/** Bytes that are in use once everything that can be collected has been. */
function usedHeap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

function answerTo(prompt: string): string {
  const [verb, rest] = prompt.split(/ (.*)/);
  if (verb === "words") return Array.from({ length: Number(rest) }, (_, index) => `w${index} `).join("");
  return verb === "echo" ? (rest ?? "") : "done";
}
