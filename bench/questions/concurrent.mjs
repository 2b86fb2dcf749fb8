import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { quantile, timedMs } from "../lib/statistics.mjs";

const TURN_TIMEOUT_MS = 240_000;

export const concurrent = {
  name: "concurrent",
  asks: "What happens when many sessions talk at the same time?",
  sizes: {
    full: { levels: [20, 100, 200], turns: 20 },
    quick: { levels: [20, 100], turns: 8 },
    peer: { levels: [20, 100], turns: 4 },
  },
  async ask({ start, size }) {
    const runtime = await start();
    const sessions = await Promise.all(
      Array.from({ length: Math.max(...size.levels) }, () => runtime.createSession()),
    );
    await Promise.all(sessions.map((session) => talk(session, 2)));
    const figures = [];
    for (const level of size.levels)
      figures.push(...(await measureLevel(runtime, sessions.slice(0, level), size.turns)));
    return figures;
  },
};

async function measureLevel(runtime, sessions, turns) {
  const count = sessions.length * turns;
  const cpuBefore = runtime.cpuMs();
  const times = [];
  const took = await timedMs(() => Promise.all(sessions.map((session) => talk(session, turns, times))));
  const cpu = runtime.cpuMs() - cpuBefore;
  const isTarget = sessions.length === 100;
  const name = (what) => `${sessions.length} sessions: ${what}`;
  return [
    figure(name("turns a second"), (count / took) * 1000, "/s", isTarget ? { atLeast: 600 } : undefined),
    figure(name("turn, p50"), quantile(times, 0.5), "ms"),
    figure(name("turn, p99"), quantile(times, 0.99), "ms", isTarget ? { atMost: 400 } : undefined),
    figure(name("server CPU a turn"), cpu / count, "ms", isTarget ? { atMost: 3 } : undefined),
  ];
}

async function talk(session, turns, times = []) {
  for (let i = 0; i < turns; i++)
    times.push(await timedMs(() => session.sendAndWait({ prompt: say(`turn ${i}`) }, TURN_TIMEOUT_MS)));
}
