/**
 * Sends prompts of one tenant at a steady rate, whatever comes of them, from a process of its own. Told
 * `{ port, token, config, perSecond }` once, then `{ on }`; answers each with `{ taken, refused }` so far.
 */
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { say } from "./prompts.mjs";

const SESSIONS = 20;
const TICK_MS = 10;

let sessions = [];
let perTick = 0;
let on = false;
let due = 0;
let next = 0;
const count = { taken: 0, refused: 0 };

process.on("message", async (order) => {
  if ("port" in order) await begin(order);
  else on = order.on;
  process.send({ ...count });
});
process.once("disconnect", () => process.exit(0));

async function begin({ port, token, config, perSecond }) {
  const connection = RuntimeConnection.forUri(`localhost:${port}`, { connectionToken: token });
  const client = new CopilotClient({ connection });
  await client.start();
  const settings = { ...config, onPermissionRequest: () => ({ kind: "reject" }) };
  sessions = await Promise.all(Array.from({ length: SESSIONS }, () => client.createSession(settings)));
  perTick = (perSecond * TICK_MS) / 1000;
  setInterval(flood, TICK_MS);
}

function flood() {
  if (!on) return;
  for (due += perTick; due >= 1; due -= 1) {
    sessions[next++ % sessions.length].send({ prompt: say("flood") }).then(
      () => count.taken++,
      () => count.refused++,
    );
  }
}
