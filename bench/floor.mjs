/**
 * The floor: what is possible with this client and this model. Answers the calls of a turn with the messages that ours
 * answers them with, asks the model, and keeps, checks and writes nothing.
 *
 * node bench/floor.mjs <port>
 */
import { randomUUID } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";
import { createServer } from "node:net";

const agent = new http.Agent({ keepAlive: true });
const sessions = new Map();
const koffi = createRequire(new URL("../packages/server/package.json", import.meta.url))("koffi");
const setSocketOption = koffi.load(null).func("int setsockopt(int, int, int, const int *, uint32_t)");
const [IPPROTO_TCP, TCP_QUICKACK] = [6, 12];

/** What each method is answered with; `send` goes to the client that asks. */
const METHODS = {
  connect: () => ({ ok: true, protocolVersion: 3, version: "0" }),
  "status.get": () => ({ protocolVersion: 3, version: "0" }),
  "session.create": (params, send) => join(params, send, "session.start"),
  "session.resume": (params, send) => join(params, send, "session.resume"),
  "session.send": ({ sessionId, prompt }, send) => {
    const messageId = randomUUID();
    const emit = emitter(sessionId, send);
    emit("pending_messages.modified", {});
    emit("user.message", { content: prompt, messageId, transformedContent: prompt, attachments: [] });
    emit("assistant.turn_start", { turnId: "0", model: "bench" });
    void turn(sessions.get(sessionId), prompt, emit).then(() => lifecycle(sessionId, send, "updated"));
    return { messageId };
  },
  "session.detach": () => ({ success: true }),
  "session.destroy": () => ({ success: true }),
  "session.delete": ({ sessionId }, send) => {
    sessions.delete(sessionId);
    lifecycle(sessionId, send, "deleted");
    return { success: true };
  },
};

function join({ sessionId, provider, model }, send, type) {
  sessions.set(sessionId, { provider, model });
  if (type === "session.start") lifecycle(sessionId, send, "created");
  const startTime = new Date().toISOString();
  emitter(sessionId, send)(type, {
    sessionId,
    version: 1,
    producer: "floor",
    startTime,
    selectedModel: model,
  });
  return { sessionId, startTime, capabilities: { ui: { elicitation: false } } };
}

function lifecycle(sessionId, send, what) {
  send({ method: "session.lifecycle", params: { type: `session.${what}`, sessionId } });
}

function emitter(sessionId, send) {
  let parentId = null;
  return (type, data) => {
    const id = randomUUID();
    const event = { type, data, id, timestamp: new Date().toISOString(), parentId };
    parentId = id;
    send({ method: "session.event", params: { sessionId, event } });
  };
}

async function turn({ provider, model }, prompt, emit) {
  const messageId = randomUUID();
  let content = "";
  emit("assistant.message_start", { messageId });
  for await (const deltaContent of ask(provider, model, prompt)) {
    content += deltaContent;
    emit("assistant.message_delta", { messageId, deltaContent });
  }
  emit("assistant.usage", { model, inputTokens: 1, outputTokens: 1, duration: 1, initiator: "user" });
  emit("assistant.message", { messageId, model, content, turnId: "0", toolRequests: [], outputTokens: 1 });
  emit("session.usage_info", { tokenLimit: 128_000, currentTokens: 1, messagesLength: 2 });
  emit("assistant.turn_end", { turnId: "0", model });
  emit("assistant.idle", {});
  emit("session.idle", {});
}

/** The pieces of the model's answer. */
async function* ask(provider, model, prompt) {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: prompt }] });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const response = await new Promise((resolve, reject) => {
    const options = { agent, method: "POST", headers };
    http.request(`${provider.baseUrl}/chat/completions`, options, resolve).on("error", reject).end(body);
  });
  let rest = "";
  for await (const piece of response.setEncoding("utf8")) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const text = JSON.parse(line.slice(6)).choices[0]?.delta?.content;
      if (text) yield text;
    }
  }
}

function serve(socket) {
  let held = Buffer.alloc(0);
  const send = (message) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const answer = ({ id, method, params }) => {
    const call = METHODS[method];
    if (id === undefined) return;
    if (call) send({ id, result: call(params, send) });
    else send({ id, error: { code: -32601, message: `the floor has no ${method}` } });
  };
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (piece) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    // The client writes a frame in two pieces, and the second would wait for the kernel's late acknowledgement.
    setSocketOption(socket._handle.fd, IPPROTO_TCP, TCP_QUICKACK, [1], 4);
    for (;;) {
      const end = held.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(held.toString("latin1", 0, end))[1]);
      if (held.length < end + 4 + length) return;
      const body = held.toString("utf8", end + 4, end + 4 + length);
      held = held.subarray(end + 4 + length);
      answer(JSON.parse(body));
    }
  });
}

createServer(serve).listen(Number(process.argv[2]), "localhost", () => console.log("listening on localhost"));
