// Starts devmentorai-server with the runtime that RUNTIME_PATH names. Prints one line for each step that was done.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const { RUNTIME_PATH, MODEL_URL } = process.env;
const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const { port } = probe.address();
probe.close();
await once(probe, "close");

const server = spawn(process.execPath, ["node_modules/devmentorai-server/dist/server.js"], {
  env: {
    ...process.env,
    DEVMENTORAI_PORT: String(port),
    COPILOT_CLI_PATH: RUNTIME_PATH,
    COPILOT_PROVIDER_BASE_URL: MODEL_URL,
    COPILOT_PROVIDER_API_KEY: "a-key",
    COPILOT_MODEL: "scripted",
  },
  stdio: ["ignore", "ignore", "inherit"],
});
const ended = once(server, "exit");

async function call(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${port}/api${path}`, {
    method,
    ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()).data;
}

while (!(await call("GET", "/health").catch(() => undefined))) {
  if (server.exitCode !== null) throw new Error("devmentorai-server has ended");
  await sleep(100);
}
const session = await call("POST", "/sessions", { name: "a session", type: "general" });
console.log("create: done");
for (const [step, word] of [
  ["send", "forty-two"],
  ["again", "and this"],
]) {
  const { content } = await call("POST", `/sessions/${session.id}/chat`, { prompt: `echo ${word}` });
  console.log(`${step}: ${content}`);
}
server.kill("SIGTERM");
await ended;
console.log("end: done");
