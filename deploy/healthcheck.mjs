#!/usr/bin/env node
// node healthcheck.mjs [host:port | http://host:port/readyz]: whether a server is well. One line, and 0 when it is,
// 1 when not. Needs nothing but Node; README.md says what it asks, and which variables it reads.
import { randomBytes } from "node:crypto";
import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const { env } = process;
const started = performance.now();
const target = process.argv[2] ?? env.HEALTHCHECK_TARGET ?? operationsPage() ?? "localhost:4321";
const timeoutMs = Number(env.HEALTHCHECK_TIMEOUT_MS || 3_000);
const token = readToken();
setTimeout(() => end(1, `no answer within ${timeoutMs} ms`), timeoutMs);

if (/^https?:\/\//.test(target)) await askPage(target);
else {
  const [, host = "localhost", port] =
    /^(?:(.+):)?(\d+)$/.exec(target) ?? end(1, "expected host:port, or an address that begins with http://");
  const place = { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  const isLocal = /^(localhost|127\.[\d.]+|::1)$/.test(place.host);
  const tls = env.RIGHTSEAT_TLS_CERT ? true : await ask(() => connect(place), { mayBeTls: true });
  if (tls) await ask(() => connectTls({ ...place, servername: place.host, ...certificates(isLocal) }), {});
  if (isLocal) tryHome(env.COPILOT_HOME || env.RIGHTSEAT_HOME);
}
end(
  0,
  `answered in ${Math.round(performance.now() - started)} ms${token === undefined ? "" : " to its token"}`,
);

/** The HTTP port of a server that is configured as this process is. */
function operationsPage() {
  if (!Number(env.RIGHTSEAT_HTTP_PORT)) return undefined;
  const host = env.RIGHTSEAT_HTTP_HOST ?? "localhost";
  const name = /^(0\.0\.0\.0|::)$/.test(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${env.RIGHTSEAT_HTTP_PORT}/readyz`;
}

/** A principal's token, or the shared secret. */
function readToken() {
  try {
    const read = env.HEALTHCHECK_TOKEN_FILE && readFileSync(env.HEALTHCHECK_TOKEN_FILE, "utf8");
    return (read || env.HEALTHCHECK_TOKEN || env.COPILOT_CONNECTION_TOKEN || "").trim() || undefined;
  } catch (error) {
    end(1, `HEALTHCHECK_TOKEN_FILE: ${error.message}`);
  }
}

/** On this machine a certificate tells nothing that the port does not; elsewhere it has to be valid. */
function certificates(isLocal) {
  const files = { ca: env.HEALTHCHECK_CA, cert: env.HEALTHCHECK_CERT, key: env.HEALTHCHECK_KEY };
  try {
    const named = Object.entries(files).filter(([, path]) => path);
    return {
      ...Object.fromEntries(named.map(([name, path]) => [name, readFileSync(path)])),
      rejectUnauthorized: !isLocal || files.ca !== undefined,
    };
  } catch (error) {
    end(1, `HEALTHCHECK_CA, _CERT, _KEY: ${error.message}`);
  }
}

async function askPage(address) {
  try {
    const response = await fetch(address);
    if (!response.ok) end(1, `${response.status} ${(await response.text()).trim().slice(0, 500)}`);
  } catch (error) {
    end(1, error.cause?.message ?? error.message);
  }
}

/**
 * Asks for `ping`, which needs no secret; a server that wants to know who asks is given the token, if there is one,
 * and is alive in any case. @returns true when what is there may speak TLS.
 */
function ask(open, { mayBeTls = false }) {
  return new Promise((resolve) => {
    const socket = open();
    const done = (isTls) => {
      socket.removeAllListeners();
      socket.on("error", () => undefined).destroy();
      resolve(isTls);
    };
    let received = Buffer.alloc(0);
    const notFrames = (why) => (mayBeTls ? done(true) : end(1, why));
    const send = (id, method, params) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    };
    const onAnswer = ({ id, error }) => {
      const wantsToken = error?.data?.reason === "authentication_failed";
      if (id === 1 && wantsToken && token !== undefined) send(2, "connect", { token });
      else if (id !== 1 && wantsToken) end(1, "the token is refused");
      else if (error && !wantsToken) end(1, error.message);
      else done(false);
    };
    // A server that asks for certificates of its clients does so in TLS, before anything else.
    socket.on("error", (error) => {
      if (error.code === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" && !env.HEALTHCHECK_CERT) done(false);
      else if (error.code === "ECONNRESET") notFrames("the connection was closed before the answer");
      else end(1, error.message);
    });
    socket.on("close", () => notFrames("the connection was closed before the answer"));
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      const head = received.toString("latin1", 0, Math.max(0, received.indexOf("\r\n\r\n")));
      const length = /^Content-Length: *(\d+)/im.exec(head)?.[1];
      if (length === undefined) {
        if (head !== "" || !"Content-Length:".startsWith(received.toString("latin1", 0, 15)))
          notFrames("what answers there is not the runtime");
        return;
      }
      const [begin, size] = [head.length + 4, Number(length)];
      if (received.length < begin + size) return;
      const body = received.toString("utf8", begin, begin + size);
      received = received.subarray(begin + size);
      onAnswer(JSON.parse(body));
    });
    send(1, "ping", { message: "health" });
  });
}

/** Where the server's home is known, and on this machine: whether it takes a file. */
function tryHome(home) {
  if (!home) return;
  const path = `${home}/.healthcheck-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(path, "x", { mode: 0o600 });
    remove(path);
  } catch (error) {
    remove(path);
    end(1, `sessions cannot be kept: ${error.message}`);
  }
}

function remove(path) {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or its disk is gone.
  }
}

function end(code, line) {
  console.log(`${code === 0 ? "healthy" : "not healthy"}: ${target} ${line}`);
  process.exit(code);
}
