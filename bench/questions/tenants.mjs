import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { quantile, timedMs } from "../lib/statistics.mjs";
import { startToldProcess } from "../lib/told-process.mjs";

const floodScript = fileURLToPath(new URL("../lib/flood.mjs", import.meta.url));
const LIMIT_PER_MINUTE = 600;
const REFUSALS_MS = 4_000;

export const tenants = {
  name: "tenants",
  asks: "Does a tenant that asks for ten times what it may slow down another?",
  sizes: {
    full: { rounds: 6, turns: 300 },
    quick: { rounds: 3, turns: 200 },
  },
  async ask({ start, home, config, size }) {
    const names = ["quiet", "steady", "greedy"];
    const tokens = Object.fromEntries(names.map((name) => [name, randomBytes(24).toString("base64url")]));
    const principals = names.map((name) => ({
      name,
      tenant: name,
      tokens: [{ sha256: createHash("sha256").update(tokens[name]).digest("hex") }],
    }));
    const turnsPerMinute = LIMIT_PER_MINUTE;
    const limits = { tenants: { steady: { turnsPerMinute }, greedy: { turnsPerMinute } } };
    const file = `${home}-tenants.json`;
    writeFileSync(file, JSON.stringify({ auth: { principals }, limits, providerPrivateHosts: "*" }));
    const runtime = await start({ ownFlags: `--config "${file}"`, connectionToken: tokens.quiet });
    const session = await runtime.createSession();
    await talk(session, size.turns, []);

    const perSecond = LIMIT_PER_MINUTE / 60;
    const common = { port: runtime.port, config: config({ onPermissionRequest: undefined }) };
    const steady = await startToldProcess(floodScript, { ...common, token: tokens.steady, perSecond });
    const greedy = await startToldProcess(floodScript, {
      ...common,
      token: tokens.greedy,
      perSecond: perSecond * 10,
    });
    // Until it has used up what it may: from then on, for the rest of the minute, all is refused.
    await greedy.set(true);
    while ((await greedy.set(true)).refused === 0) await new Promise((resolve) => setTimeout(resolve, 200));
    await greedy.set(false);

    const refusalMs = await costOfRefusal(runtime, greedy);

    const times = { alone: [], steady: [], greedy: [] };
    const before = await greedy.set(false);
    for (let round = 0; round < size.rounds; round++) {
      await talk(session, size.turns, times.alone);
      for (const [name, flood] of Object.entries({ steady, greedy })) {
        await flood.set(true);
        await talk(session, size.turns, times[name]);
        await flood.set(false);
      }
    }
    const after = await greedy.set(false);
    for (const flood of [steady, greedy]) flood.end();
    const alone = quantile(times.alone, 0.99);
    return [
      figure("turn, p99, alone", alone, "ms"),
      figure("turn, p99, beside one that uses its limit", quantile(times.steady, 0.99), "ms"),
      figure("turn, p99, beside one at ten times its limit", quantile(times.greedy, 0.99), "ms"),
      figure("at its limit ÷ alone", quantile(times.steady, 0.99) / alone, "×"),
      figure("ten times its limit ÷ alone", quantile(times.greedy, 0.99) / alone, "×", { atMost: 1.25 }),
      figure("server CPU a refused prompt", refusalMs, "ms"),
      figure("prompts refused", after.refused - before.refused, ""),
    ];
  },
};

/** Nothing else happens meanwhile. */
async function costOfRefusal(runtime, flood) {
  const before = await flood.set(true);
  const cpuBefore = runtime.cpuMs();
  await new Promise((resolve) => setTimeout(resolve, REFUSALS_MS));
  const cpu = runtime.cpuMs() - cpuBefore;
  const after = await flood.set(false);
  return cpu / (after.refused - before.refused);
}

async function talk(session, turns, times) {
  for (let i = 0; i < turns; i++)
    times.push(await timedMs(() => session.sendAndWait({ prompt: say(`turn ${i}`) })));
}
