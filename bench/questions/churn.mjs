import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { drift, quantile, timedMs } from "../lib/statistics.mjs";

export const churn = {
  name: "churn",
  asks: "Create, one turn, disconnect, delete: does it stay as fast, and is anything left behind?",
  sizes: { full: { cycles: 10_000 }, quick: { cycles: 250 }, peer: { cycles: 20 } },
  async ask({ start, size }) {
    const runtime = await start();
    const warm = Math.ceil(size.cycles / 10);
    for (let i = 0; i < warm; i++) await cycle(runtime);
    const rssBefore = runtime.rssMb();
    const descriptorsBefore = runtime.descriptors();
    const times = [];
    for (let i = 0; i < size.cycles; i++) times.push(await timedMs(() => cycle(runtime)));
    return [
      figure("create, turn, disconnect, delete: p50", quantile(times, 0.5), "ms", { atMost: 15 }),
      figure("last tenth ÷ first tenth", drift(times, 0.1), "×", { atMost: 1.2 }),
      figure("memory gained", runtime.rssMb() - rssBefore, "MB"),
      figure("descriptors gained", runtime.descriptors() - descriptorsBefore, "", { atMost: 0 }),
    ];
  },
};

async function cycle(runtime) {
  const session = await runtime.createSession();
  await session.sendAndWait({ prompt: say("hello") });
  await session.disconnect();
  await runtime.client.deleteSession(session.sessionId);
}
