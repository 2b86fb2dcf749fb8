import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { quantile, timedMs } from "../lib/statistics.mjs";
import { startToldProcess } from "../lib/told-process.mjs";

const script = fileURLToPath(new URL("../lib/hostile.mjs", import.meta.url));
/** So long the attacks go on before turns are counted, and so long what they left behind may end afterwards. */
const SETTLE_MS = 3_000;

export const hostile = {
  name: "hostile",
  asks: "Does a tenant that does everything at once to hold a server up slow down another?",
  sizes: {
    full: { rounds: 6, turns: 200 },
    quick: { rounds: 1, turns: 100 },
  },
  async ask({ start, home, size }) {
    const names = ["quiet", "hostile"];
    const tokens = Object.fromEntries(names.map((name) => [name, randomBytes(24).toString("base64url")]));
    const principals = names.map((name) => ({
      name,
      tenant: name,
      tokens: [{ sha256: createHash("sha256").update(tokens[name]).digest("hex") }],
    }));
    const directory = `${home}-hostile`;
    mkdirSync(directory, { recursive: true });
    const limits = {
      tenants: {
        hostile: {
          runningTurns: 8,
          childProcesses: 4,
          storedBytes: 100_000_000,
          bytesPerSecond: 1_000_000,
          turnsPerMinute: 60,
        },
      },
    };
    const tenants = { hostile: { root: directory } };
    const file = `${home}-hostile.json`;
    writeFileSync(file, JSON.stringify({ auth: { principals }, tenants, limits, providerPrivateHosts: "*" }));
    const runtime = await start({
      ownFlags: `--config "${file}" --max-connections 100`,
      connectionToken: tokens.quiet,
    });
    const session = await runtime.createSession();
    const attack = await startToldProcess(script, { port: runtime.port, token: tokens.hostile, directory });
    await talk(session, size.turns, []);

    const times = { alone: [], attacked: [] };
    let peakMb = 0;
    for (let round = 0; round < size.rounds; round++) {
      await talk(session, size.turns, times.alone);
      await attack.set(true);
      await sleep(SETTLE_MS);
      await talk(session, size.turns, times.attacked);
      peakMb = Math.max(peakMb, runtime.rssMb());
      await attack.set(false);
      await sleep(SETTLE_MS);
    }
    const { attacks } = await attack.set(false);
    attack.end();
    const [alone, attacked] = [quantile(times.alone, 0.99), quantile(times.attacked, 0.99)];
    return [
      figure("turn, p99, alone", alone, "ms"),
      figure("turn, p99, beside a hostile tenant", attacked, "ms"),
      figure("beside a hostile tenant ÷ alone", attacked / alone, "×", { atMost: 1.25 }),
      figure("memory beside a hostile tenant", peakMb, "MB"),
      figure("attacks", attacks, ""),
    ];
  },
};

async function talk(session, turns, times) {
  for (let i = 0; i < turns; i++)
    times.push(await timedMs(() => session.sendAndWait({ prompt: say(`turn ${i}`) })));
}
