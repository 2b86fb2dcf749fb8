/**
 * A program that uses one SDK, in a process of its own: loads it, connects, makes sessions and talks in
 * one of them. Prints one line of JSON with what it measured.
 *
 * node sdk-program.mjs <SDK> <server> <model's address> <sessions> <turns>
 */
import { say, words } from "./prompts.mjs";
import { quantile, timedMs } from "./statistics.mjs";

const [sdk, server, baseUrl, sessions, turns] = process.argv.slice(2);
const MB = 1024 * 1024;

const emptyMb = process.memoryUsage.rss() / MB;
let library;
const loadMs = await timedMs(async () => {
  library = await import(sdk);
});
const { approveAll, CopilotClient, RuntimeConnection } = library;
const loadedMb = process.memoryUsage.rss() / MB;

const client = new CopilotClient({ connection: RuntimeConnection.forUri(server) });
const connectMs = await timedMs(() => client.start());
const config = {
  model: "bench",
  streaming: true,
  onPermissionRequest: approveAll,
  provider: { type: "openai", baseUrl, apiKey: "none" },
  availableTools: ["custom:*"],
  infiniteSessions: { enabled: false },
};
const made = [];
const createTimes = [];
for (let i = 0; i < Number(sessions); i++)
  createTimes.push(await timedMs(async () => made.push(await client.createSession(config))));
const [session] = made;
for (let i = 0; i < 20; i++) await session.sendAndWait(say("warm"));
const cpuBefore = process.cpuUsage();
const turnTimes = [];
for (let i = 0; i < Number(turns); i++)
  turnTimes.push(await timedMs(() => session.sendAndWait(say(`turn ${i}`))));
const { user, system } = process.cpuUsage(cpuBefore);
let deltas = 0;
session.on("assistant.message_delta", () => deltas++);
const streamMs = await timedMs(() => session.sendAndWait(words(5000)));
await client.stop();
const result = {
  loadMs,
  loadedMb: loadedMb - emptyMb,
  connectMs,
  createMs: quantile(createTimes, 0.5),
  turnMs: quantile(turnTimes, 0.5),
  turnCpuMs: (user + system) / 1000 / Number(turns),
  deltasPerSecond: (deltas / streamMs) * 1000,
};
console.log(JSON.stringify(result));
