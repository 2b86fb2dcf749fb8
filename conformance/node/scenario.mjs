// Drives a running server with a newer Node SDK. Prints one line for each step that was done.
import assert from "node:assert/strict";
import { CopilotClient, defineTool, RuntimeConnection } from "@github/copilot-sdk";

const {
  SESSION_ID: sessionId,
  MODEL_URL: baseUrl,
  RIGHTSEAT_ADDRESS: address,
  CONNECTION_TOKEN,
} = process.env;
const model = {
  model: "scripted",
  streaming: true,
  provider: { type: "openai", baseUrl, apiKey: "a-key" },
};
const calls = { weather: 0, forbidden: 0 };
const parameters = {
  type: "object",
  properties: { n: { type: "number" }, value: { type: "string" } },
};
const tools = Object.keys(calls).map((name) =>
  defineTool(name, {
    description: name,
    parameters,
    handler: ({ value }) => {
      calls[name] += 1;
      return `weather ${value}`;
    },
  }),
);
const onPermissionRequest = ({ toolName }) =>
  toolName === "forbidden" ? { kind: "reject", feedback: "not this one" } : { kind: "approve-once" };

const ask = async (session, prompt) => (await session.sendAndWait({ prompt }))?.data.content;

async function first(client) {
  const { protocolVersion } = await client.getStatus();
  console.log(`status: protocol ${protocolVersion}`);

  const session = await client.createSession({ sessionId, tools, onPermissionRequest, ...model });
  assert.equal(session.sessionId, sessionId);
  console.log("create: the session has the id that was asked for");

  console.log(`send: ${await ask(session, "echo forty-two")}`);

  const deltas = [];
  const stop = session.on("assistant.message_delta", ({ data }) => deltas.push(data.deltaContent));
  const message = await ask(session, "words 20");
  stop();
  assert.equal(deltas.join(""), message);
  console.log(`stream: ${deltas.length} deltas make up the message`);

  console.log(`tool: ${await ask(session, "tool weather 1")} after ${calls.weather} call`);

  await ask(session, "tool forbidden 1");
  assert.equal(calls.forbidden, 0);
  console.log("permission: refused, the tool did not run");

  console.log(`list: ${(await client.listSessions()).length} session`);

  await blocked(client);
}

async function blocked(client) {
  const hooks = { onUserPromptSubmitted: () => ({ decision: "block", reason: "not now" }) };
  const session = await client.createSession({ hooks, onPermissionRequest, ...model });
  const idle = new Promise((resolve) => session.on("session.idle", resolve));
  const told = new Promise((resolve) =>
    session.on("session.warning", ({ data }) => resolve(data.warningType)),
  );
  await session.send({ prompt: "echo no" });
  await idle;
  console.log(`blocked: ${await told}`);
  await client.deleteSession(session.sessionId);
}

async function second(client) {
  const session = await client.resumeSession(sessionId, { onPermissionRequest, ...model });
  assert.ok((await session.getEvents()).some(({ data }) => data.content === "forty-two"));
  console.log(`resume: ${await ask(session, "echo and this")}`);

  await session.disconnect();
  console.log("disconnect: ok");

  await client.deleteSession(sessionId);
  console.log(`delete: ${(await client.listSessions()).length} sessions`);
}

const connection = RuntimeConnection.forUri(address, { connectionToken: CONNECTION_TOKEN });
const client = new CopilotClient({ connection });
await client.start();
await (process.argv[2] === "1" ? first : second)(client);
await client.stop();
