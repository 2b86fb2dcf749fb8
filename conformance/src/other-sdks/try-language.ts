import { randomUUID } from "node:crypto";
import { cp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScriptedModelServer } from "@rightseat/testing";
import { startOwnRuntime } from "../own-runtime.ts";
import { startRecordingProxy } from "../recording-proxy.ts";
import { runtimeEnvironment, runtimePath } from "../runtime-process.ts";
import { tempFolder } from "../temp-folder.ts";
import { createWireChecker } from "../world.ts";
import { type Access, createAccesses } from "./access.ts";
import type { Language } from "./languages.ts";
import { runCommand } from "./run-command.ts";
import { PHASES } from "./scenario.ts";

export interface Verdict {
  readonly language: Language;
  readonly result: "passed" | "failed" | "skipped";
  /** Why, when it did not pass. */
  readonly reason: string;
  readonly seconds: number;
}

/** Keeps SDKs, and their builds, from fetching the runtime that they were made for. */
const WITHOUT_RUNTIME = { COPILOT_SKIP_CLI_DOWNLOAD: "1" };
const PREPARE_TIMEOUT_MS = 15 * 60_000;
const PHASE_TIMEOUT_MS = 60_000;

/** Makes the program of a language and runs its phases against a server of its own. Never throws for what the server or the SDK does. */
export async function tryLanguage(language: Language, sourceFolder: string): Promise<Verdict> {
  const startedAt = Date.now();
  const verdict = (result: Verdict["result"], reason = ""): Verdict => ({
    language,
    result,
    reason,
    seconds: (Date.now() - startedAt) / 1000,
  });
  const env = runtimeEnvironment(WITHOUT_RUNTIME);
  for (const [program, ...args] of language.toolchain) {
    const found = await runCommand([program, ...args], { cwd: tmpdir(), env, timeoutMs: 60_000 });
    if (!found.ok) return verdict("skipped", `no ${program}`);
  }
  // Kept from run to run, so that packages are installed and compiled once.
  const workFolder = join(tmpdir(), "rightseat-conformance-sdks", language.folder);
  await mkdir(workFolder, { recursive: true });
  await cp(join(sourceFolder, language.source ?? language.folder), workFolder, { recursive: true });
  for (const folder of language.beside ?? [])
    await cp(join(sourceFolder, folder), join(workFolder, folder), { recursive: true });
  for (const command of language.prepare(workFolder)) {
    const made = await runCommand(command, { cwd: workFolder, env, timeoutMs: PREPARE_TIMEOUT_MS });
    if (!made.ok && language.isClient) return verdict("skipped", "it cannot be installed");
    if (!made.ok) return verdict("failed", `${command.join(" ")}\n${made.log.trimEnd()}`);
  }
  if (language.startsRuntime) {
    const problem = await tryStarting(language, workFolder);
    return problem === undefined ? verdict("passed") : verdict("failed", problem);
  }
  await using accesses = await createAccesses();
  for (const access of accesses.all) {
    const problem = await tryAccess(language, workFolder, access);
    if (problem !== undefined) return verdict("failed", `${access.name}: ${problem}`);
  }
  return verdict("passed");
}

async function tryStarting(language: Language, workFolder: string): Promise<string | undefined> {
  await using model = await startScriptedModelServer();
  await using home = await tempFolder();
  for (const [phase, expected] of (language.phases ?? PHASES).entries()) {
    const [program, ...args] = language.run(workFolder);
    const { ok, output, log } = await runCommand([program, ...args, String(phase + 1)], {
      cwd: workFolder,
      env: runtimeEnvironment({
        RUNTIME_PATH: runtimePath,
        HOME: home.path,
        COPILOT_HOME: home.path,
        MODEL_URL: `${model.url}/v1`,
        SESSION_ID: randomUUID(),
        ...WITHOUT_RUNTIME,
        ...language.env,
      }),
      timeoutMs: PHASE_TIMEOUT_MS,
    });
    const said = saidBy(output);
    const wrong = expected.findIndex((line, at) => said[at] !== line);
    if (!ok || wrong >= 0 || said.length !== expected.length)
      return `phase ${phase + 1}: expected ${JSON.stringify(expected[wrong] ?? "no more")}\n${log.trimEnd()}`;
  }
  return undefined;
}

/** The lines of the scenario: SDKs say things of their own as well. */
function saidBy(output: string): string[] {
  return output.split(/\r?\n/).filter((line) => /^[a-z]+: /.test(line));
}

async function tryAccess(
  language: Language,
  workFolder: string,
  access: Access,
): Promise<string | undefined> {
  await using model = await startScriptedModelServer();
  const runtime = await startOwnRuntime({ args: access.args, env: access.env });
  const wire = createWireChecker();
  const proxy = await startRecordingProxy(runtime.process.port, (connection) => wire.listen(connection));
  const sessionId = randomUUID();
  const runPhase = async (phase: number, token: string | undefined) => {
    const [program, ...args] = language.run(workFolder);
    const outcome = await runCommand([program, ...args, String(phase + 1)], {
      cwd: workFolder,
      env: runtimeEnvironment({
        RIGHTSEAT_ADDRESS: `127.0.0.1:${proxy.port}`,
        MODEL_URL: `${model.url}/v1`,
        SESSION_ID: sessionId,
        ...(token === undefined ? {} : { CONNECTION_TOKEN: token }),
        ...WITHOUT_RUNTIME,
        ...language.env,
      }),
      timeoutMs: PHASE_TIMEOUT_MS,
    });
    return { ...outcome, said: saidBy(outcome.output) };
  };
  const problems: string[] = [];

  const refused =
    access.token === undefined ? [] : language.bringsToken ? [undefined, "a-guess"] : [undefined];
  for (const token of refused) {
    const { ok, said, log } = await runPhase(0, token);
    if (ok || said.length > 0 || !log.includes("AUTHENTICATION_FAILED"))
      problems.push(`${token ?? "no token"}: expected to be refused\n${log.trimEnd()}`);
  }
  const all = language.phases ?? PHASES;
  const phases = access.token === undefined || language.bringsToken ? all : [];
  for (const [index, expected] of phases.entries()) {
    if (index > 0) {
      await runtime.process.end("SIGTERM");
      await runtime.startAgain();
      proxy.target = runtime.process.port;
    }
    const { ok, said, log, errors } = await runPhase(index, access.token);
    if (language.isQuiet) problems.push(...complaints(errors, runtime.process.log));
    const wrong = expected.findIndex((line, at) => said[at] !== line);
    if (ok && wrong < 0 && said.length === expected.length) continue;
    problems.push(
      `phase ${index + 1}: expected ${JSON.stringify(expected[wrong] ?? "no more")}\n${log.trimEnd()}`,
    );
    break;
  }
  problems.push(...(await runtime.end()), ...wire.violations);
  await proxy.close();
  return problems.length === 0 ? undefined : problems.join("\n");
}

/** What a program and the server say that nobody should have to read. */
function complaints(errors: string, serverLog: string): string[] {
  const lines = serverLog.split("\n").filter((line) => /no effect|not supported/i.test(line));
  return [errors.trim(), ...lines].filter((text) => text !== "").map((text) => `it complains: ${text}`);
}
