import { setTimeout as sleep } from "node:timers/promises";
import { figure } from "../lib/figure.mjs";
import { median } from "../lib/statistics.mjs";

export const startup = {
  name: "startup",
  asks: "How soon after its start does the server answer, and how much memory does it take at rest?",
  sizes: { full: { starts: 9 }, quick: { starts: 5 }, peer: { starts: 3 } },
  async ask({ start, size }) {
    const times = [];
    const memory = [];
    for (let i = 0; i < size.starts; i++) {
      const runtime = await start();
      times.push(runtime.firstAnswerMs);
      if (i % 3 === 2) {
        await sleep(1_500);
        memory.push(runtime.rssMb());
      }
      await runtime.stop();
    }
    return [
      figure("start to first answer, p50", median(times), "ms", { atMost: 220 }),
      figure("memory, idle", median(memory), "MB", { atMost: 90 }),
    ];
  },
};
