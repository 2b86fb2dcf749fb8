import { figure } from "../lib/figure.mjs";
import { callTool } from "../lib/prompts.mjs";
import { median, timedMs } from "../lib/statistics.mjs";

const ANSWER_TIMEOUT_MS = 240_000;

const lookup = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: { number: { type: "number" } } },
  handler: async ({ number }) => `value ${number}`,
};

export const tool = {
  name: "tool",
  asks: "How long does a tool of the client take: model, runtime, client and back?",
  sizes: { full: { calls: 100, times: 5 }, quick: { calls: 50, times: 3 }, peer: { calls: 10, times: 2 } },
  async ask({ start, size }) {
    const runtime = await start();
    const times = [];
    const cpus = [];
    // A new session each time: what is sent to the model grows with every call.
    for (let i = 0; i <= size.times; i++) {
      const session = await runtime.createSession({ tools: [lookup] });
      const cpuBefore = runtime.cpuMs();
      const took = await timedMs(() =>
        session.sendAndWait({ prompt: callTool("lookup", size.calls) }, ANSWER_TIMEOUT_MS),
      );
      if (i === 0) continue;
      times.push(took / size.calls);
      cpus.push((runtime.cpuMs() - cpuBefore) / size.calls);
    }
    return [
      figure("a custom-tool round trip", median(times), "ms", { atMost: 4 }),
      figure("server CPU a round trip", median(cpus), "ms"),
    ];
  },
};
