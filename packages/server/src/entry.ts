/** What `bin/rightseat.js` loads. */
import { main } from "./main.ts";
import { VERSION } from "./version.ts";

export async function run(argv: readonly string[]): Promise<void> {
  const code = await main(argv, VERSION);
  // What is left open (sockets of providers, timers) must not keep a server alive that has ended.
  process.exit(code);
}
