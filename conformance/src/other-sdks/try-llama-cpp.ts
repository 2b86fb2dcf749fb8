/**
 * llama.cpp's own server behind the runtime, on all three wires, with a model of random weights: its answers are noise,
 * its streams, counts and errors are what llama.cpp's server says.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOwnRuntime } from "../own-runtime.ts";
import { RawClient } from "../raw-client.ts";
import { runtimeEnvironment } from "../runtime-process.ts";
import { endOf } from "./end-of-prompt.ts";
import { runCommand } from "./run-command.ts";
import type { ModelServerOutcome } from "./try-litellm.ts";

const INSTALL_TIMEOUT_MS = 15 * 60_000;
const START_TIMEOUT_MS = 60_000;
/** The model has a token for each byte, and a window of 24,576. */
const TOO_LONG_CHARS = 30_000;
const TOO_LONG = "x".repeat(TOO_LONG_CHARS);
const MODEL = "model.gguf";

/** @param at the address of the server. */
const providers = (at: string): Readonly<Record<string, object>> => ({
  completions: { type: "openai", baseUrl: `${at}/v1` },
  responses: { type: "openai", wireApi: "responses", baseUrl: `${at}/v1` },
  messages: { type: "anthropic", baseUrl: at },
});

/** @param sourceFolder `conformance`. Never throws for what llama.cpp or the runtime does. */
export async function tryLlamaCpp(sourceFolder: string): Promise<ModelServerOutcome> {
  const folder = join(tmpdir(), "rightseat-conformance-sdks", "llama-cpp");
  const env = runtimeEnvironment({});
  await mkdir(folder, { recursive: true });
  await cp(join(sourceFolder, "llama-cpp"), folder, { recursive: true });
  const installed = join(folder, "venv", "bin");
  for (const command of [
    ["python3", "-m", "venv", "venv"],
    [join(installed, "pip"), "install", "--quiet", "--only-binary", ":all:", "-r", "requirements.txt"],
    [join(installed, "python"), "make_model.py", MODEL],
  ] as const) {
    const made = await runCommand([...command], { cwd: folder, env, timeoutMs: INSTALL_TIMEOUT_MS });
    if (!made.ok) return { result: "skipped", reason: "it cannot be installed" };
  }
  const server = spawn(join(installed, "python"), ["serve.py", MODEL], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const at = await addressOf(server);
    if (at === undefined) return { result: "skipped", reason: "it does not start" };
    const problems = await tryWires(at);
    return { result: problems.length === 0 ? "passed" : "failed", reason: problems.join("\n") };
  } finally {
    server.kill("SIGKILL");
  }
}

/** What it prints when it listens; undefined when it ends before, or takes too long. */
function addressOf(server: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    server.stdout?.on("data", (chunk) => {
      text += chunk;
      const address = /^http:\/\/\S+$/m.exec(text)?.[0];
      if (address) resolve(address);
    });
    server.once("exit", () => resolve(undefined));
    server.once("error", () => resolve(undefined));
    setTimeout(resolve, START_TIMEOUT_MS, undefined).unref();
  });
}

async function tryWires(at: string): Promise<string[]> {
  const problems = await tryRefusal(at);
  const runtime = await startOwnRuntime({ args: ["--allow-all"] });
  {
    await using client = await RawClient.connect(runtime.process.port);
    for (const [wire, provider] of Object.entries(providers(at)))
      problems.push(...(await tryWire(client, { wire, provider })));
  }
  return [...problems, ...(await runtime.end())];
}

/** What the test of a prompt that is too long stands on. */
async function tryRefusal(at: string): Promise<string[]> {
  const body = JSON.stringify({ model: "random", messages: [{ role: "user", content: TOO_LONG }] });
  const answer = await fetch(`${at}/v1/chat/completions`, { method: "POST", body });
  const said = await answer.text();
  return said.includes("exceed_context_size")
    ? []
    : [`the server: too long: expected a refusal, got ${said}`];
}

async function tryWire(
  client: RawClient,
  { wire, provider }: { wire: string; provider: object },
): Promise<string[]> {
  await client.request("session.create", {
    sessionId: wire,
    model: "random",
    streaming: true,
    availableTools: ["builtin:bash"],
    provider: { ...provider, apiKey: "sk-key", maxOutputTokens: 24 },
  });
  const problems: string[] = [];
  const expectEnd = async (what: string, prompt: string, expected: RegExp) => {
    const said = await endOf(client, wire, prompt);
    if (!expected.test(said)) problems.push(`${wire}: ${what}: expected ${expected}, got ${said}`);
  };
  const anAnswer = /^(?!nothing$|[a-z_]+: )/;
  await expectEnd("a prompt", "Grüße ✓", anAnswer);
  await expectEnd("a second one", "again", anAnswer);
  // The server refuses it; it is sent again, shorter.
  await expectEnd("one that is too long", TOO_LONG, anAnswer);
  await expectEnd("the next", "it goes on", anAnswer);
  return problems;
}
