/** Starts the runtime that is measured, and the clients and the model beside it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { approveAll, CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { cpuMs, descriptorCount, kill, peakRssMb, processTree, rssMb } from "./processes.mjs";

const START_TIMEOUT_MS = 60_000;
const SAMPLE_MS = 500;
const STOP_TIMEOUT_MS = 8_000;
const modelServer = fileURLToPath(new URL("model-server.mjs", import.meta.url));

/** Starts the model provider as a process of its own. */
export async function startModel() {
  const child = spawn(process.execPath, [modelServer], { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = await once(createInterface(child.stdout), "line");
  return { baseUrl: `http://127.0.0.1:${port}/v1`, stop: () => child.kill("SIGKILL") };
}

/** What every session of the benchmark is created with. */
export function sessionConfig(model, workingDirectory, extra = {}) {
  return {
    model: "bench",
    streaming: true,
    onPermissionRequest: approveAll,
    provider: { type: "openai", baseUrl: model.baseUrl, apiKey: "none" },
    workingDirectory,
    availableTools: ["custom:*"],
    infiniteSessions: { enabled: false },
    ...extra,
  };
}

/**
 * Starts a runtime and one SDK client of it.
 * @param {{command: string, home: string, work: string, connectionToken?: string}} options
 *   `command` is run by the shell and serves on $PORT
 */
export async function startRuntime({ command, home, work, connectionToken }) {
  mkdirSync(work, { recursive: true });
  const port = await freePort();
  const started = performance.now();
  const child = spawn("sh", ["-c", `exec ${command.replaceAll("$PORT", String(port))}`], {
    cwd: work,
    env: { ...process.env, PORT: String(port), COPILOT_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await untilListening(child);
  const client = await connect(port, connectionToken);
  await client.getStatus();
  const firstAnswerMs = performance.now() - started;
  const pid = child.pid;
  return {
    pid,
    port,
    client,
    firstAnswerMs,
    rssMb: () => rssMb(pid),
    peakRssMb: () => peakRssMb(pid),
    cpuMs: () => cpuMs(pid),
    descriptors: () => descriptorCount(pid),
    settledRssMb: (settle) => settledRssMb(pid, settle),
    stop: () => stop(child, client),
  };
}

async function connect(port, connectionToken) {
  const connection = RuntimeConnection.forUri(`localhost:${port}`, { connectionToken });
  const client = new CopilotClient({ connection });
  await client.start();
  return client;
}

async function untilListening(child) {
  let said = "";
  const deadline = performance.now() + START_TIMEOUT_MS;
  const hear = (piece) => {
    said = (said + piece).slice(-4096);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  while (!/listening on/i.test(said)) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`the runtime did not start: ${said}`);
    await sleep(1);
  }
}

/** As a service manager does it: asks the runtime to end, and ends it when it does not. */
async function stop(child, client) {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
  // Not `stop`, which takes leave of one session after the other.
  await client.forceStop();
  // Taken down first: a launcher that ends before what it launched leaves nobody to ask.
  const tree = processTree(child.pid);
  child.kill("SIGTERM");
  await Promise.race([ended, sleep(STOP_TIMEOUT_MS)]);
  for (const pid of tree) kill(pid);
}

/** Memory once it no longer falls: when `quietMs` brought no new low, or after `atMostMs`. */
async function settledRssMb(pid, { atMostMs, quietMs }) {
  let lowest = rssMb(pid);
  let quietFor = 0;
  for (let waited = 0; waited < atMostMs && quietFor < quietMs; waited += SAMPLE_MS) {
    await sleep(SAMPLE_MS);
    const now = rssMb(pid);
    quietFor = now < lowest * 0.99 ? 0 : quietFor + SAMPLE_MS;
    lowest = Math.min(lowest, now);
  }
  return lowest;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** A directory for one run of one question. */
export function runDirectories(root) {
  return { home: join(root, "home"), work: join(root, "work") };
}
