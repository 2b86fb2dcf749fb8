import { figure } from "../lib/figure.mjs";
import { generateSession } from "../lib/generate-sessions.mjs";
import { say } from "../lib/prompts.mjs";
import { median, timedMs } from "../lib/statistics.mjs";

const TURN_TIMEOUT_MS = 240_000;

export const resume = {
  name: "resume",
  asks: "How long until a long session goes on, in a server that has just been started?",
  sizes: {
    full: { lengths: [100, 1_000, 10_000], times: 5 },
    quick: { lengths: [100, 1_000], times: 2 },
    peer: { lengths: [100], times: 2 },
  },
  async ask(bench) {
    const figures = [];
    for (const length of bench.size.lengths) figures.push(...(await measureLength(bench, length)));
    return figures;
  },
};

async function measureLength(bench, length) {
  const sessionId = `long-${length}`;
  const figures = [];
  const name = (what) => `${length} turns: ${what}`;
  if (bench.isOwn) {
    generateSession(bench.home, sessionId, { turns: length, compactEvery: 1_000 });
    const first = await resumeOnce(bench, sessionId);
    figures.push(figure(name("resume and turn without a checkpoint"), first.resumeMs + first.turnMs, "ms"));
  } else {
    await talk(bench, sessionId, length);
  }
  const runs = [];
  for (let i = 0; i < bench.size.times; i++) runs.push(await resumeOnce(bench, sessionId));
  const target = length === 1_000 ? { atMost: 40 } : undefined;
  figures.push(
    figure(name("resume"), median(runs.map((run) => run.resumeMs)), "ms", target),
    figure(name("first turn"), median(runs.map((run) => run.turnMs)), "ms", target),
    figure(name("getEvents"), median(runs.map((run) => run.eventsMs)), "ms"),
  );
  return figures;
}

async function resumeOnce({ start }, sessionId) {
  const runtime = await start();
  // The provider's code is loaded at the first turn of a server; that is not the session's doing.
  await (await runtime.createSession()).sendAndWait({ prompt: say("warm") });
  let session;
  const resumeMs = await timedMs(async () => {
    session = await runtime.resumeSession(sessionId);
  });
  const turnMs = await timedMs(() => session.sendAndWait({ prompt: say("back") }, TURN_TIMEOUT_MS));
  const eventsMs = await timedMs(() => session.getEvents());
  await session.disconnect();
  await runtime.stop();
  return { resumeMs, turnMs, eventsMs };
}

async function talk({ start }, sessionId, turns) {
  const runtime = await start();
  const session = await runtime.createSession({ sessionId });
  for (let i = 0; i < turns; i++) await session.sendAndWait({ prompt: say(`turn ${i}`) }, TURN_TIMEOUT_MS);
  await session.disconnect();
  await runtime.stop();
}
