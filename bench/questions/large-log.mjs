import { figure } from "../lib/figure.mjs";
import { generateSession } from "../lib/generate-sessions.mjs";
import { say } from "../lib/prompts.mjs";
import { rawRequests } from "../lib/raw-request.mjs";
import { timedMs } from "../lib/statistics.mjs";

const SESSION = "large";
const BYTES_A_MB = 1024 * 1024;

export const largeLog = {
  name: "large-log",
  asks: "Does a session of 1 GB go on, and can its history be read, in bounded time and memory?",
  sizes: {
    full: { turns: 25_000, toolResultBytes: 39_000 },
    quick: { turns: 2_500, toolResultBytes: 39_000 },
  },
  async ask(bench) {
    const written = generateSession(bench.home, SESSION, { ...bench.size, compactEvery: 30 });
    return [
      figure("size of the log", written.bytes / BYTES_A_MB, "MB"),
      figure("events in the log", written.events, ""),
      ...(await goOn(bench, "without a checkpoint")),
      ...(await goOn(bench, "with a checkpoint")),
      ...(await readHistory(bench)),
    ];
  },
};

async function goOn({ start }, how) {
  const runtime = await start();
  await (await runtime.createSession()).sendAndWait({ prompt: say("warm") });
  const before = runtime.rssMb();
  let session;
  const took = await timedMs(async () => {
    session = await runtime.resumeSession(SESSION);
    await session.sendAndWait({ prompt: say("back") });
  });
  const extra = Math.max(0, runtime.peakRssMb() - before);
  await session.disconnect();
  await runtime.stop();
  return [
    figure(`resume and turn ${how}`, took, "ms", { atMost: 2_000 }),
    figure(`memory for it, ${how}`, extra, "MB", { atMost: 150 }),
  ];
}

/** Over a socket of our own: the answer is too long for a string of the SDK's. */
async function readHistory({ start, config }) {
  const runtime = await start();
  const before = runtime.rssMb();
  const { provider, model } = config();
  let answers;
  const took = await timedMs(async () => {
    answers = await rawRequests(runtime.port, [
      { method: "session.resume", params: { sessionId: SESSION, provider, model } },
      { method: "session.getMessages", params: { sessionId: SESSION } },
    ]);
  });
  const extra = Math.max(0, runtime.peakRssMb() - before);
  const megabytes = answers.at(-1).bytes / BYTES_A_MB;
  await runtime.stop();
  return [
    figure("history sent", megabytes, "MB"),
    figure("history, rate", megabytes / (took / 1000), "MB/s"),
    figure("memory for sending it", extra, "MB", { atMost: 150 }),
  ];
}
