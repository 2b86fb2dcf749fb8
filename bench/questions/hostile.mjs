import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { figure } from "../lib/figure.mjs";
import { say } from "../lib/prompts.mjs";
import { quantile, timedMs } from "../lib/statistics.mjs";
import { startToldProcess } from "../lib/told-process.mjs";

const script = fileURLToPath(new URL("../lib/hostile.mjs", import.meta.url));
/** How long the attacks go on before turns are counted, and how long their leftovers may take to end afterwards. */
const SETTLE_MS = 3_000;

export const hostile = {
  name: "hostile",
  asks: "Does a tenant that does everything at once to hold a server up slow down another?",
  sizes: {
    full: { rounds: 6, turns: 200 },
    quick: { rounds: 1, turns: 200 },
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
    const ownFlags = `--config "${file}" --max-connections 100`;
    const runtime = await start({ ownFlags, connectionToken: tokens.quiet });
    const other = await start({
      ownFlags: `${ownFlags} --config-dir "${home}-other"`,
      connectionToken: tokens.hostile,
    });
    const session = await runtime.createSession();
    const attackOn = ({ port }) => startToldProcess(script, { port, token: tokens.hostile, directory });
    const [elsewhere, here] = [await attackOn(other), await attackOn(runtime)];
    await talk(session, size.turns, []);

    const times = { alone: [], elsewhere: [], here: [] };
    let peakMb = 0;
    for (let round = 0; round < size.rounds; round++) {
      await talk(session, size.turns, times.alone);
      for (const [name, attack] of Object.entries({ elsewhere, here })) {
        await attack.set(true);
        await sleep(SETTLE_MS);
        await talk(session, size.turns, times[name]);
        if (attack === here) peakMb = Math.max(peakMb, runtime.rssMb());
        await attack.set(false);
        await sleep(SETTLE_MS);
      }
    }
    const { attacks } = await here.set(false);
    for (const attack of [elsewhere, here]) attack.end();
    const [alone, machine, attacked] = Object.values(times).map((each) => quantile(each, 0.99));
    return [
      figure("turn, p99, alone", alone, "ms"),
      figure("turn, p99, beside a hostile tenant of another server", machine, "ms"),
      figure("turn, p99, beside a hostile tenant", attacked, "ms"),
      figure("beside a hostile tenant ÷ alone", attacked / alone, "×", { atMost: 1.25 }),
      figure("of the same server ÷ of another", attacked / machine, "×"),
      figure("memory beside a hostile tenant", peakMb, "MB"),
      figure("attacks", attacks, ""),
    ];
  },
};

async function talk(session, turns, times) {
  for (let i = 0; i < turns; i++)
    times.push(await timedMs(() => session.sendAndWait({ prompt: say(`turn ${i}`) })));
}
