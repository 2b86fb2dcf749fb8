import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { drift, quantile, timedMs } from "../lib/statistics.mjs";

export const eachTurn = {
  name: "each-turn",
  asks: "Resume, one turn, disconnect, as Agent Framework does for every turn: what does that cost?",
  sizes: { full: { cycles: 2_000 }, quick: { cycles: 150 }, peer: { cycles: 20 } },
  async ask({ start, size }) {
    const runtime = await start();
    const plain = await runtime.createSession();
    const { sessionId } = await runtime.createSession();
    const cycle = async () => {
      const session = await runtime.resumeSession(sessionId);
      await session.sendAndWait({ prompt: say("hello") });
      await session.disconnect();
    };
    const turn = () => plain.sendAndWait({ prompt: say("hello") });
    for (let i = 0; i < size.cycles / 10; i++) {
      await cycle();
      await turn();
    }
    const times = [];
    const turns = [];
    let cpuMs = 0;
    for (let i = 0; i < size.cycles; i++) {
      const before = runtime.cpuMs();
      times.push(await timedMs(cycle));
      cpuMs += runtime.cpuMs() - before;
      turns.push(await timedMs(turn));
    }
    const p50 = quantile(times, 0.5);
    return [
      figure("resume, turn, disconnect: p50", p50, "ms"),
      figure("resume, turn, disconnect: p95", quantile(times, 0.95), "ms"),
      figure("÷ a turn of a session that stays open", p50 / quantile(turns, 0.5), "×"),
      figure("last fifth ÷ first fifth", drift(times, 0.2), "×", { atMost: 1.2 }),
      figure("server CPU a cycle", cpuMs / size.cycles, "ms"),
    ];
  },
};
