import { figure } from "../lib/figure.mjs";
import { say, words, wordsText } from "../lib/prompts.mjs";
import { median, timedMs } from "../lib/statistics.mjs";

const ANSWER_TIMEOUT_MS = 240_000;

export const streaming = {
  name: "streaming",
  asks: "How fast does a long answer flow, and does every delta arrive exactly once?",
  sizes: {
    full: { deltas: 20_000, times: 5 },
    quick: { deltas: 20_000, times: 3 },
    peer: { deltas: 2_000, times: 2 },
  },
  async ask({ start, size }) {
    const runtime = await start();
    const session = await runtime.createSession();
    await session.sendAndWait({ prompt: say("warm") });
    let deltas = [];
    session.on("assistant.message_delta", (event) => deltas.push(event.data.deltaContent));
    const rates = [];
    const cpus = [];
    let unlike = 0;
    for (let i = 0; i < size.times; i++) {
      deltas = [];
      const cpuBefore = runtime.cpuMs();
      let answer;
      const took = await timedMs(async () => {
        answer = await session.sendAndWait({ prompt: words(size.deltas) }, ANSWER_TIMEOUT_MS);
      });
      rates.push((size.deltas / took) * 1000);
      cpus.push(runtime.cpuMs() - cpuBefore);
      unlike += countUnlike(deltas, size.deltas, answer?.data.content);
    }
    return [
      figure("deltas a second", median(rates), "/s", { atLeast: 12_000 }),
      figure("deltas lost, doubled or changed", unlike, "", { exactly: 0 }),
      figure("server CPU for 1,000 deltas", (median(cpus) / size.deltas) * 1000, "ms"),
    ];
  },
};

/** How many of the deltas are not what the model sent; the whole answer counts as one more. */
function countUnlike(deltas, expected, content) {
  let unlike = Math.max(0, deltas.length - expected);
  for (let i = 0; i < expected; i++) if (deltas[i] !== `w${i} `) unlike++;
  return unlike + (content === wordsText(expected) ? 0 : 1);
}
