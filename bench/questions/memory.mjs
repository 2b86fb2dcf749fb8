import { figure } from "../lib/figure.mjs";
import { inParallel } from "../lib/in-parallel.mjs";
import { say } from "../lib/prompts.mjs";

/** Sessions are put to sleep by a sweep every few seconds: quiet before that is not the end. */
const SLEEP_WITHIN_MS = 12_000;

export const memory = {
  name: "memory",
  asks: "What does a session cost that has been used, while it is live and while it sleeps?",
  sizes: {
    full: { warm: 500, sessions: 5_000, settleMs: 90_000, quietMs: 12_000 },
    quick: { warm: 200, sessions: 500, settleMs: 6_000, quietMs: 1_000 },
    peer: { warm: 10, sessions: 50, settleMs: 10_000, quietMs: 3_000 },
  },
  async ask(bench) {
    const live = await kbPerSession(bench, "--hibernate-after 3600", bench.size.quietMs);
    // With few sessions the figure tells more of the heap's steps than of the sessions.
    const target = (atMost) => (bench.size.sessions >= 1_000 ? { atMost } : undefined);
    const figures = [figure("a used session, live", live, "KB", target(80))];
    if (!bench.isOwn) return figures;
    const asleep = await kbPerSession(bench, "--hibernate-after 1", SLEEP_WITHIN_MS);
    return [...figures, figure("a used session, hibernated", asleep, "KB", target(8))];
  },
};

/** From when the server is warm: what code and caches take is not counted to the sessions. */
async function kbPerSession({ start, size }, ownFlags, quietMs) {
  const settle = { atMostMs: size.settleMs, quietMs };
  const runtime = await start({ ownFlags });
  await useSessions(runtime, size.warm);
  const before = await runtime.settledRssMb(settle);
  await useSessions(runtime, size.sessions);
  const after = await runtime.settledRssMb(settle);
  await runtime.stop();
  return ((after - before) * 1024) / size.sessions;
}

async function useSessions(runtime, count) {
  await inParallel(count, 8, async () => {
    const session = await runtime.createSession();
    await session.sendAndWait({ prompt: say("hello") });
  });
}
