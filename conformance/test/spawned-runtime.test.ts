import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { CopilotClient } from "@github/copilot-sdk";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { type RuntimeExit, runtimeEnvironment, runtimePath } from "../src/runtime-process.ts";
import { type Command, newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import type { Speaker } from "../src/wire-checker.ts";
import { byok, createWireChecker } from "../src/world.ts";

type Recorded = { args: string[] } | { from: Speaker; piece: string } | RuntimeExit;

interface Recording {
  /** What the SDK gave the runtime on its command line. */
  readonly args: string[];
  /** What the client called, in order. */
  readonly methods: string[];
  readonly violations: string[];
  readonly exit: RuntimeExit;
}

interface SpawnWorld extends AsyncDisposable {
  readonly command: Command;
  readonly model: ScriptedModelServer;
  /** What passed between the SDK and the runtime; resolves once the runtime has ended. */
  readonly recording: Promise<Recording>;
}

/** A runtime that an SDK starts itself; between the two sits a recorder. */
async function prepareSpawn(): Promise<SpawnWorld> {
  const home = await mkdtemp(join(tmpdir(), "rightseat-conformance-"));
  const model = await startScriptedModelServer();
  const recorder = createServer().listen(0, "127.0.0.1");
  const recorded = once(recorder, "connection").then(async ([socket]) =>
    toRecording(await text(socket as Socket)),
  );
  await once(recorder, "listening");
  const env = runtimeEnvironment({
    COPILOT_HOME: home,
    RECORDING_PORT: String((recorder.address() as AddressInfo).port),
    RECORDED_RUNTIME: runtimePath,
  });
  return {
    model,
    command: { path: fileURLToPath(new URL("../src/recorded-runtime.js", import.meta.url)), env },
    recording: recorded,
    async [Symbol.asyncDispose]() {
      await recorded;
      recorder.close();
      await model.close();
      await rm(home, { recursive: true });
    },
  };
}

function toRecording(lines: string): Recording {
  const entries = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded);
  const wire = createWireChecker();
  const hear = wire.listen(1);
  // On TCP standard output carries words for people and no frames.
  const isWire = (entries[0] as { args: string[] }).args.includes("--stdio");
  for (const entry of entries)
    if ("piece" in entry && isWire) hear(entry.from, Buffer.from(entry.piece, "base64"));
  return {
    args: (entries[0] as { args: string[] }).args,
    methods: wire.messages
      .filter(({ from }) => from === "client")
      .flatMap(({ message }) => message.method ?? []),
    violations: wire.violations,
    exit: entries.at(-1) as RuntimeExit,
  };
}

async function converse(client: CopilotClient, world: SpawnWorld): Promise<string | undefined> {
  await client.start();
  const session = await client.createSession(byok(world.model));
  const answer = await session.sendAndWait({ prompt: "echo over here" });
  return answer?.data.content;
}

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a runtime that the SDK starts by its path speaks on standard input and output, and ends with code 0", async () => {
    await using world = await prepareSpawn();
    const client = sdk.spawnStdio(world.command);
    expect(await converse(client, world)).toBe("over here");
    expect(await client.stop()).toEqual([]);
    const { args, violations, exit } = await world.recording;
    expect(args).toEqual([
      "--headless",
      "--no-auto-update",
      "--log-level",
      "none",
      "--stdio",
      "--no-auto-login",
    ]);
    expect(violations).toEqual([]);
    expect(exit).toEqual({ code: 0, signal: null });
  });

  test("a runtime that COPILOT_CLI_PATH names is started in place of the SDK's own", async () => {
    await using world = await prepareSpawn();
    const client = sdk.spawnNamed(world.command);
    expect(await converse(client, world)).toBe("over here");
    expect(await client.stop()).toEqual([]);
    const { violations, exit } = await world.recording;
    expect(violations).toEqual([]);
    expect(exit).toEqual({ code: 0, signal: null });
  });

  test("a runtime that the SDK starts on TCP is found by the port that it prints", async () => {
    await using world = await prepareSpawn();
    const client = sdk.spawnTcp(world.command);
    expect(await converse(client, world)).toBe("over here");
    expect(await client.stop()).toEqual([]);
    expect((await world.recording).exit).toEqual({ code: 0, signal: null });
  });

  test("a runtime whose application is gone without a word ends by itself with code 0", async () => {
    await using world = await prepareSpawn();
    const client = sdk.spawnStdio(world.command);
    await client.start();
    const { cliProcess } = client as unknown as { cliProcess: import("node:child_process").ChildProcess };
    const gone = new Promise((resolve) => cliProcess.once("exit", resolve));
    cliProcess.stdin?.end();
    expect(await gone).toBe(0);
    await client.forceStop();
    expect((await world.recording).exit).toEqual({ code: 0, signal: null });
  });
});

test("the newest SDK asks the runtime that it started to shut down before it closes the connection", async () => {
  await using world = await prepareSpawn();
  const client = newestSdk.spawnStdio(world.command);
  await converse(client, world);
  await client.stop();
  expect((await world.recording).methods.slice(-2)).toEqual(["session.detach", "runtime.shutdown"]);
});
