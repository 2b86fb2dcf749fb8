#!/usr/bin/env node
// node healthcheck.mjs [host:port]: asks the server as a client would. One line, and 0 when it is well, 1 when not.
// COPILOT_CONNECTION_TOKEN is the server's secret, HEALTHCHECK_TIMEOUT_MS the deadline. Needs nothing but Node.
import { connect } from "node:net";

const [, host = "localhost", port = "4321"] =
  /^(?:(.+):)?(\d+)$/.exec(process.argv[2] ?? "localhost:4321") ?? [];
const timeoutMs = Number(process.env.HEALTHCHECK_TIMEOUT_MS || 3_000);
const started = performance.now();

const socket = connect({ host: host.replace(/^\[|\]$/g, ""), port: Number(port) });
setTimeout(() => end(1, `no answer within ${timeoutMs} ms`), timeoutMs);
socket.on("error", (error) => end(1, error.message));
socket.on("close", () => end(1, "the connection was closed before the answer"));
socket.on("connect", () => {
  const token = process.env.COPILOT_CONNECTION_TOKEN || undefined;
  request(1, "connect", { token });
  request(2, "ping", { message: "health" });
});

let received = Buffer.alloc(0);
socket.on("data", (bytes) => {
  received = Buffer.concat([received, bytes]);
  for (let message = takeMessage(); message !== undefined; message = takeMessage()) {
    if (message.error) end(1, message.error.message);
    if (message.id === 2) end(0, `answered in ${Math.round(performance.now() - started)} ms`);
  }
});

/** JSON-RPC in frames of a `Content-Length` header, an empty line, and the message. */
function request(id, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** The next message that is there as a whole. */
function takeMessage() {
  const headerEnd = received.indexOf("\r\n\r\n");
  if (headerEnd < 0) return undefined;
  const length = /Content-Length: *(\d+)/i.exec(received.toString("latin1", 0, headerEnd))?.[1];
  if (length === undefined) end(1, "what answers there is not the runtime");
  const bodyStart = headerEnd + 4;
  const bodyEnd = bodyStart + Number(length);
  if (received.length < bodyEnd) return undefined;
  const body = received.toString("utf8", bodyStart, bodyEnd);
  received = received.subarray(bodyEnd);
  return JSON.parse(body);
}

function end(code, line) {
  console.log(`${code === 0 ? "healthy" : "not healthy"}: ${host}:${port} ${line}`);
  process.exit(code);
}
