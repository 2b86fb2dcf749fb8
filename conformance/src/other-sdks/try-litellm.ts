/**
 * A real model server between the runtime and the scripted one: LiteLLM's proxy, on all three wires. What the scripted
 * server says reaches the runtime as LiteLLM says it: its streams, its ids, its errors.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { startOwnRuntime } from "../own-runtime.ts";
import { RawClient } from "../raw-client.ts";
import { runtimeEnvironment } from "../runtime-process.ts";
import { endOf } from "./end-of-prompt.ts";
import { runCommand } from "./run-command.ts";

export interface ModelServerOutcome {
  readonly result: "passed" | "failed" | "skipped";
  readonly reason: string;
}

const INSTALL_TIMEOUT_MS = 15 * 60_000;
const START_TIMEOUT_MS = 120_000;

/** @param at the address of the proxy. */
const providers = (at: string): Readonly<Record<string, object>> => ({
  completions: { type: "openai", baseUrl: `${at}/v1` },
  responses: { type: "openai", wireApi: "responses", baseUrl: `${at}/v1` },
  messages: { type: "anthropic", baseUrl: at },
});

/** @param sourceFolder `conformance`. Never throws for what LiteLLM or the runtime does. */
export async function tryLiteLlm(sourceFolder: string): Promise<ModelServerOutcome> {
  const folder = join(tmpdir(), "rightseat-conformance-sdks", "litellm");
  const env = runtimeEnvironment({ LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: "true" });
  await mkdir(folder, { recursive: true });
  await cp(join(sourceFolder, "litellm"), folder, { recursive: true });
  const installed = join(folder, "venv", "bin");
  for (const command of [
    ["python3", "-m", "venv", "venv"],
    [join(installed, "pip"), "install", "--quiet", "-r", "requirements.txt"],
  ] as const) {
    const made = await runCommand([...command], { cwd: folder, env, timeoutMs: INSTALL_TIMEOUT_MS });
    if (!made.ok) return { result: "skipped", reason: "it cannot be installed" };
  }
  await using model = await startScriptedModelServer();
  const port = await freePort();
  await writeFile(join(folder, "config.json"), JSON.stringify(configFor(model.url)));
  const args = ["--config", "config.json", "--host", "127.0.0.1", "--port", String(port)];
  const proxy = spawn(join(installed, "litellm"), args, { cwd: folder, env, stdio: "ignore" });
  try {
    const at = `http://127.0.0.1:${port}`;
    if (!(await isUp(at, proxy))) return { result: "skipped", reason: "it does not start" };
    const problems = await tryWires(model, at);
    return { result: problems.length === 0 ? "passed" : "failed", reason: problems.join("\n") };
  } finally {
    proxy.kill("SIGKILL");
  }
}

/** JSON is YAML. */
function configFor(url: string): object {
  const parameters = { model: "openai/scripted", api_base: `${url}/v1`, api_key: "k" };
  // An error is told at once, and the next call is taken.
  const router = { num_retries: 0, disable_cooldowns: true };
  return {
    model_list: [{ model_name: "scripted", litellm_params: parameters }],
    router_settings: router,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isUp(at: string, { exitCode }: ChildProcess): Promise<boolean> {
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end && exitCode === null; ) {
    const answer = await fetch(`${at}/health/liveliness`).catch(() => undefined);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}

async function tryWires(model: ScriptedModelServer, at: string): Promise<string[]> {
  const runtime = await startOwnRuntime({ args: ["--allow-all"] });
  const problems: string[] = [];
  {
    await using client = await RawClient.connect(runtime.process.port);
    for (const [wire, provider] of Object.entries(providers(at)))
      problems.push(...(await tryWire(client, model, { wire, provider })));
  }
  return [...problems, ...(await runtime.end())];
}

async function tryWire(
  client: RawClient,
  model: ScriptedModelServer,
  { wire, provider }: { wire: string; provider: object },
): Promise<string[]> {
  const settings = { sessionId: wire, model: "scripted", streaming: true, availableTools: ["builtin:*"] };
  await client.request("session.create", { ...settings, provider: { ...provider, apiKey: "sk-key" } });
  const problems: string[] = [];
  const expectEnd = async (prompt: string, expected: RegExp) => {
    const said = await endOf(client, wire, prompt);
    if (!expected.test(said)) problems.push(`${wire}: ${prompt}: expected ${expected}, got ${said}`);
  };
  model.use(undefined);
  await expectEnd("echo Grüße ✓", /^Grüße ✓$/);
  await expectEnd("words 200", /^w0 w1 .* w199 $/);
  const command = "echo run-$((40 + 2))";
  model.use(({ body }) =>
    JSON.stringify(body).includes("run-42")
      ? { text: "done" }
      : { toolCalls: [{ name: "bash", arguments: { command, description: "runs" } }] },
  );
  await expectEnd("use the tool", /^done$/);
  model.use([{ status: 401, body: { error: { message: "bad key" } } }]);
  await expectEnd("a bad key", /^authentication: .*bad key/s);
  model.use(undefined);
  await expectEnd("echo it goes on", /^it goes on$/);
  return problems;
}
