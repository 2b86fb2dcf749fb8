// Drives the runtime that RUNTIME_PATH names with @bradygaster/squad-sdk. Prints one line for each step that was done.
import assert from "node:assert/strict";
import { register } from "node:module";

register("./resolve.mjs", import.meta.url);
const { SquadClient } = await import("@bradygaster/squad-sdk/client");

const { SESSION_ID: sessionId, MODEL_URL: baseUrl, RUNTIME_PATH: runtime } = process.env;
const config = {
  model: "scripted",
  provider: { type: "openai", baseUrl, apiKey: "a-key" },
  onPermissionRequest: () => ({ kind: "approved" }),
};
// Beside an address its SDK refuses what it says of the login: it always starts the runtime itself.
const client = new SquadClient({ cliPath: runtime, autoReconnect: false });
await client.connect();
const { protocolVersion } = await client.getStatus();
console.log(`status: protocol ${protocolVersion}`);
const session = await client.createSession({ sessionId, ...config });
assert.equal(session.sessionId, sessionId);
console.log("create: the session has the id that was asked for");
const answer = await session.sendAndWait({ prompt: "echo forty-two" });
console.log(`send: ${answer?.data?.content}`);
await session.close();
const again = await client.resumeSession(sessionId, config);
const next = await again.sendAndWait({ prompt: "echo and this" });
console.log(`resume: ${next?.data?.content}`);
console.log(`list: ${(await client.listSessions()).length} session`);
await client.deleteSession(sessionId);
await client.disconnect();
