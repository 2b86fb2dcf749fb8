import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { figure } from "../lib/figure.mjs";
import { installedBytes } from "../lib/installed-size.mjs";
import { median } from "../lib/statistics.mjs";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../lib/sdk-program.mjs", import.meta.url));
const BYTES_A_MB = 1024 * 1024;

const SDKS = [
  { name: "@rightseat/sdk", targets: { size: { atMost: 1 } } },
  { name: "@github/copilot-sdk", targets: {} },
];

/** What is measured, in the order in which it is printed. */
const MEASURES = [
  ["loading it", "loadMs", "ms"],
  ["memory for loading it", "loadedMb", "MB"],
  ["connecting", "connectMs", "ms"],
  ["createSession, p50", "createMs", "ms"],
  ["turn, p50", "turnMs", "ms"],
  ["client CPU a turn", "turnCpuMs", "ms"],
  ["deltas a second", "deltasPerSecond", "/s"],
];

export const sdk = {
  name: "sdk",
  asks: "What does a client take, of this project's SDK and of the official one, at the same server?",
  sizes: {
    full: { runs: 5, sessions: 200, turns: 200 },
    quick: { runs: 3, sessions: 50, turns: 50 },
  },
  async ask({ start, config, size }) {
    const runtime = await start();
    const { provider } = config();
    const seen = new Map(SDKS.map(({ name }) => [name, []]));
    // In turn, so that both meet the machine in the same state.
    for (let i = 0; i < size.runs; i++) {
      for (const { name } of SDKS) {
        const args = [
          PROGRAM,
          name,
          `localhost:${runtime.port}`,
          provider.baseUrl,
          size.sessions,
          size.turns,
        ];
        const { stdout } = await run(process.execPath, args.map(String));
        seen.get(name).push(JSON.parse(stdout));
      }
    }
    return SDKS.flatMap(({ name, targets }) => [
      figure(`${name}: installed`, installedBytes(name, PROGRAM) / BYTES_A_MB, "MB", targets.size),
      ...MEASURES.map(([what, key, unit]) =>
        figure(`${name}: ${what}`, median(seen.get(name).map((result) => result[key])), unit),
      ),
    ]);
  },
};
