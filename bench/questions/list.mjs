import { figure } from "../lib/figure.mjs";
import { generateManySessions } from "../lib/generate-sessions.mjs";
import { median, timedMs } from "../lib/statistics.mjs";

const LISTINGS = 10;

export const list = {
  name: "list",
  asks: "How long does listing take with many stored sessions?",
  sizes: { full: { counts: [1_000, 100_000] }, quick: { counts: [1_000] } },
  async ask(bench) {
    const figures = [];
    for (const count of bench.size.counts) {
      // Adds to what is there: the smaller count is part of the larger.
      generateManySessions(bench.home, count);
      figures.push(...(await measureCount(bench, count)));
    }
    return figures;
  },
};

async function measureCount({ start }, count) {
  const name = (what) => `${count} sessions: ${what}`;
  const found = await start();
  const foundMs = await timedMs(() => listAll(found, count));
  await found.stop();
  const runtime = await start();
  const firstMs = await timedMs(() => listAll(runtime, count));
  const times = [];
  for (let i = 0; i < LISTINGS; i++) times.push(await timedMs(() => listAll(runtime, count)));
  await runtime.stop();
  const target = { 1000: { atMost: 5 }, 100000: { atMost: 200 } }[count];
  return [
    figure(name("list, p50"), median(times), "ms", target),
    figure(name("list, first after a start"), firstMs, "ms"),
    figure(name("list, first without an index"), foundMs, "ms"),
  ];
}

async function listAll({ client }, count) {
  const sessions = await client.listSessions();
  if (sessions.length !== count) throw new Error(`${sessions.length} sessions listed, ${count} are stored`);
}
