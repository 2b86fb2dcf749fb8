import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { drift, quantile, timedMs } from "../lib/statistics.mjs";

export const turn = {
  name: "turn",
  asks: "How long does a turn take, and does it take longer the longer the session is?",
  sizes: {
    full: { warm: 100, turns: 500, later: 3_000 },
    quick: { warm: 50, turns: 150 },
    peer: { warm: 50, turns: 150 },
  },
  async ask({ start, size }) {
    const runtime = await start();
    const session = await runtime.createSession();
    for (let i = 0; i < size.warm; i++) await session.sendAndWait({ prompt: say("warm") });
    const { times, cpuMs } = await takeTurns(runtime, session, size.turns);
    const figures = [
      figure("turn, p50", quantile(times, 0.5), "ms", { atMost: 4 }),
      figure("turn, p95", quantile(times, 0.95), "ms"),
      figure("turn, p99", quantile(times, 0.99), "ms"),
      figure("last fifth ÷ first fifth", drift(times, 0.2), "×", { atMost: 1.2 }),
      figure("server CPU a turn", cpuMs, "ms", { atMost: 3 }),
    ];
    if (!size.later) return figures;
    // By then everything that a turn needs is compiled, as it is in a server that runs for long.
    await takeTurns(runtime, await runtime.createSession(), size.later);
    const later = await takeTurns(runtime, await runtime.createSession(), size.turns);
    return [
      ...figures,
      figure(`after ${size.later} more turns: p50`, quantile(later.times, 0.5), "ms"),
      figure(`after ${size.later} more turns: server CPU a turn`, later.cpuMs, "ms"),
    ];
  },
};

async function takeTurns(runtime, session, turns) {
  const cpuBefore = runtime.cpuMs();
  const times = [];
  for (let i = 0; i < turns; i++)
    times.push(await timedMs(() => session.sendAndWait({ prompt: say(`turn ${i}`) })));
  return { times, cpuMs: (runtime.cpuMs() - cpuBefore) / turns };
}
