import { setTimeout as sleep } from "node:timers/promises";
import { figure } from "../lib/figure.mjs";
import { inParallel } from "../lib/in-parallel.mjs";
import { say } from "../lib/prompts.mjs";

export const idle = {
  name: "idle",
  asks: "How much of a core does a server take that has open sessions and nothing to do?",
  sizes: {
    full: { sessions: 1_000, restMs: 5_000, watchMs: 10_000 },
    quick: { sessions: 100, restMs: 1_000, watchMs: 2_000 },
    peer: { sessions: 50, restMs: 3_000, watchMs: 10_000 },
  },
  async ask({ start, size }) {
    const runtime = await start();
    await inParallel(size.sessions, 8, async () => {
      const session = await runtime.createSession();
      await session.sendAndWait({ prompt: say("hello") });
    });
    await sleep(size.restMs);
    const cpuBefore = runtime.cpuMs();
    const started = performance.now();
    await sleep(size.watchMs);
    const share = (runtime.cpuMs() - cpuBefore) / (performance.now() - started);
    return [figure("CPU with open sessions, idle", share * 100, "% of a core", { atMost: 1 })];
  },
};
