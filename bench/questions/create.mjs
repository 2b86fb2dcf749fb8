import { figure } from "../lib/figure.mjs";
import { drift, quantile, timedMs } from "../lib/statistics.mjs";

export const create = {
  name: "create",
  asks: "How long does createSession take, and does it take longer the more sessions are open?",
  sizes: {
    full: { warm: 500, sessions: 10_000 },
    quick: { warm: 100, sessions: 500 },
    peer: { warm: 5, sessions: 100 },
  },
  async ask({ start, size }) {
    const runtime = await start();
    for (let i = 0; i < size.warm; i++) await runtime.createSession();
    const times = [];
    for (let i = 0; i < size.sessions; i++) times.push(await timedMs(() => runtime.createSession()));
    return [
      figure("createSession, p50", quantile(times, 0.5), "ms", { atMost: 2 }),
      figure("createSession, p99", quantile(times, 0.99), "ms"),
      figure("last tenth ÷ first tenth", drift(times, 0.1), "×", { atMost: 1.2 }),
    ];
  },
};
