import { setTimeout as sleep } from "node:timers/promises";
import { figure } from "../lib/figure.mjs";
import { generateManySessions } from "../lib/generate-sessions.mjs";
import { inParallel } from "../lib/in-parallel.mjs";
import { say } from "../lib/prompts.mjs";

export const idle = {
  name: "idle",
  asks: "How much of a core does a server take that has open sessions and nothing to do?",
  sizes: {
    full: { sessions: 1_000, stored: 100_000, restMs: 5_000, watchMs: 10_000 },
    quick: { sessions: 100, stored: 1_000, restMs: 1_000, watchMs: 2_000 },
    peer: { sessions: 50, restMs: 3_000, watchMs: 10_000 },
  },
  async ask(bench) {
    const target = { atMost: 1 };
    const figures = [figure("CPU with open sessions, idle", await idlePercent(bench), "% of a core", target)];
    if (!bench.isOwn) return figures;
    generateManySessions(bench.home, bench.size.stored);
    const beside = await idlePercent(bench);
    return [...figures, figure("CPU with many stored sessions too, idle", beside, "% of a core", target)];
  },
};

/** With the port for operators, as servers are run. The stored sessions, if any, have been listed once, so that they are known. */
async function idlePercent({ start, size }) {
  const runtime = await start({ ownFlags: "--http-port 0" });
  await runtime.client.listSessions();
  await inParallel(size.sessions, 8, async () => {
    const session = await runtime.createSession();
    await session.sendAndWait({ prompt: say("hello") });
  });
  await sleep(size.restMs);
  const cpuBefore = runtime.cpuMs();
  const started = performance.now();
  await sleep(size.watchMs);
  const percent = ((runtime.cpuMs() - cpuBefore) / (performance.now() - started)) * 100;
  await runtime.stop();
  return percent;
}
