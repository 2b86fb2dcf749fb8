/**
 * A tenant that means harm, in a process of its own, with a model of its own: everything at once that has ever held up
 * a server. Told `{ port, token, directory }` once, then `{ on }`; answers each with how many attacks it has made.
 */
import http from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** An attack that waits for an answer gives up after so long, and leaves its session behind. */
const PATIENCE_MS = 2_000;
const PAUSE_MS = 50;

const bash = (command) => ({ name: "bash", arguments: { command, description: "x" } });
/** What the model asks for, by what it is told. */
const TOOL_CALLS = {
  "no-blank": bash("echo\u00a0a\vb\fc"),
  xargs: bash(`xargs ${"a ".repeat(20_000)}`),
  "large-output": bash("yes | head -c 30000000"),
  stays: bash("sleep 1000 & sleep 1000 &"),
  braces: { name: "glob", arguments: { pattern: `{${",".repeat(100_000)}` } },
  stars: { name: "glob", arguments: { pattern: `${"**/a/".repeat(12)}z` } },
  deep: { name: "view", arguments: `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}` },
  fails: { name: "view", arguments: { path: "/nowhere" } },
};

let order;
let on = false;
let attacks = 0;

process.on("message", async (message) => {
  if ("port" in message) {
    order = { ...message, providerUrl: await startModel() };
    for (const attack of Object.values(ATTACKS)) void repeat(attack);
  } else {
    on = message.on;
  }
  process.send({ attacks });
});
process.once("disconnect", () => process.exit(0));

async function repeat(attack) {
  for (;;) {
    await sleep(PAUSE_MS);
    if (!on) continue;
    // What is refused is what the server is to do.
    await attack().catch(() => undefined);
    attacks += 1;
  }
}

const ATTACKS = {
  ...Object.fromEntries(Object.keys(TOOL_CALLS).map((name) => [name, () => ask(name)])),
  endless: () => ask("endless"),
  async largeTools() {
    const client = await connected();
    const description = "d".repeat(4_000_000);
    for (let n = 0; n < 10; n += 1)
      await create(client, { tools: [{ name: "large", description, parameters: { type: "object" } }] });
    client.close();
  },
  async managedRules() {
    const deny = Array.from({ length: 100 }, () => `Bash(${"*a".repeat(490)}b)`);
    await ask("xargs", { managedSettings: { permissions: { deny } } });
  },
  async unread() {
    const client = await connected();
    client.socket.pause();
    for (let n = 0; n < 50; n += 1) client.tell("ping", { message: "x".repeat(1_000_000) });
    await sleep(PATIENCE_MS);
    client.close();
  },
  async connections() {
    const clients = await Promise.allSettled(Array.from({ length: 120 }, connected));
    for (const { value } of clients) value?.close();
  },
  async guesses() {
    const socket = open();
    for (let n = 0; n < 500; n += 1)
      socket.write(frame({ id: n, method: "connect", params: { token: `${n}` } }));
    await ended(socket);
  },
  async rubbish() {
    const socket = open();
    socket.write("Content-Length: 7\r\n\r\nrubbish".repeat(20_000));
    await ended(socket);
  },
};

async function ask(prompt, settings = {}) {
  const client = await connected();
  try {
    const sessionId = await create(client, settings);
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await client.request("session.send", { sessionId, prompt });
    await sleep(PATIENCE_MS);
  } finally {
    client.close();
  }
}

async function create(client, settings) {
  const provider = { type: "openai", baseUrl: order.providerUrl, apiKey: "none" };
  const made = { model: "bench", provider, workingDirectory: order.directory, ...settings };
  return (await client.request("session.create", made)).sessionId;
}

/** From another address than everybody else's: what strangers do wrong is held against that. */
function open() {
  const socket = connect({ port: order.port, host: "127.0.0.1", localAddress: "127.0.0.2" });
  return socket.on("error", () => undefined).resume();
}

const ended = (socket) => new Promise((resolve) => socket.once("close", resolve));

function frame(message) {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function connected() {
  const socket = connect({ port: order.port, host: "127.0.0.1" }).on("error", () => undefined);
  const waiting = new Map();
  let held = Buffer.alloc(0);
  let next = 0;
  socket.on("data", (piece) => {
    held = Buffer.concat([held, piece]);
    for (let end = held.indexOf("\r\n\r\n"); end >= 0; end = held.indexOf("\r\n\r\n")) {
      const length = Number(/Content-Length: (\d+)/i.exec(held.toString("latin1", 0, end))[1]);
      if (held.length < end + 4 + length) return;
      const { id, result, error } = JSON.parse(held.toString("utf8", end + 4, end + 4 + length));
      held = held.subarray(end + 4 + length);
      if (error) waiting.get(id)?.reject(error);
      else waiting.get(id)?.resolve(result);
    }
  });
  socket.once("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("closed"));
  });
  const tell = (method, params) => socket.write(frame({ id: next++, method, params }));
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(next, { resolve, reject });
      tell(method, params);
    });
  await request("connect", { token: order.token });
  return { socket, tell, request, close: () => socket.destroy() };
}

/** Calls the tool that the first prompt names; what it says to "endless" has no end. */
async function startModel() {
  const server = http.createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { messages = [] } = JSON.parse(Buffer.concat(pieces).toString() || "{}");
    const prompt = messages.find(({ role }) => role === "user")?.content ?? "";
    response.on("error", () => undefined).writeHead(200, { "content-type": "text/event-stream" });
    if (prompt.includes("endless")) return pump(response);
    const call = TOOL_CALLS[Object.keys(TOOL_CALLS).find((name) => prompt.includes(name))];
    const isDone = messages.at(-1)?.role === "tool" && !prompt.includes("fails");
    response.end(call && !isDone ? calling(call) : saying("done"));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/v1`;
}

function pump(response) {
  const part = Buffer.alloc(64 * 1024, "a");
  response.write("data: ");
  const go = () => {
    while (!response.destroyed) {
      if (response.write(part)) continue;
      response.once("drain", go);
      return;
    }
  };
  go();
}

const event = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", model: "bench", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const saying = (content) => `${event({ role: "assistant", content })}${event({}, "stop")}data: [DONE]\n\n`;
let calls = 0;
function calling({ name, arguments: args }) {
  const text = typeof args === "string" ? args : JSON.stringify(args);
  const call = { index: 0, id: `call_${calls++}`, type: "function", function: { name, arguments: text } };
  return `${event({ role: "assistant", tool_calls: [call] })}${event({}, "tool_calls")}data: [DONE]\n\n`;
}
