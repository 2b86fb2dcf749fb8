/** The command as people and SDKs start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { COMMAND, spawnServer, tempHome } from "./support/servers.ts";
import { WireClient } from "./support/wire-client.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0))
    expect(child.exitCode ?? child.signalCode, "a process was left").not.toBeNull();
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  children.push(child);
  return child;
}

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = start(args, env);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  child.stdin?.end();
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

describe("what goes wrong at the start is one line and a non-zero exit", () => {
  test("an unknown flag", async () => {
    const { code, stdout, stderr } = await run(["--headless", "--nonsense"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe("rightseat: Unknown option '--nonsense'; 'rightseat --help' lists the options\n");
  });

  test.each([
    [["-p", "hello"], "-p: the server takes no prompt on its command line; start it with --headless or"],
    [["--acp"], "--acp: the Agent Client Protocol is not spoken; use --stdio or --port with a Copilot SDK"],
    [["--plugin-dir", "./plugins/lint"], "--plugin-dir: plugins are not loaded; give sessions"],
    [["--additional-mcp-config={}"], "--additional-mcp-config: MCP servers are not connected"],
    [["--allow-tool", "shell(git)"], "--allow-tool: permissions are settled for each session; use"],
    [["--continue"], "--continue: sessions are resumed by clients"],
    [["--embedded-host"], "--embedded-host: the runtime does not run inside of an application's process"],
    [["--autopilot"], "--autopilot: modes are set for each session; use session.mode.set"],
  ])("an option of the Copilot CLI that is no setting here: %j", async (args, message) => {
    const { code, stdout, stderr } = await run(["--headless", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`rightseat: ${message}`);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("a port in use", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as { port: number };
    await using home = await tempHome();
    const { code, stdout, stderr } = await run(["--headless", "--port", String(port)], {
      COPILOT_HOME: home.path,
    });
    holder.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `rightseat: port ${port} is in use on localhost; choose another with --port, or 0 for a free one\n`,
    );
  });

  test("a home that cannot be written, with its path and the reason", async () => {
    await using home = await tempHome();
    const file = join(home.path, "file");
    await writeFile(file, "");
    const { code, stdout, stderr } = await run(["--headless"], { COPILOT_HOME: join(file, "home") });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`rightseat: sessions cannot be kept in ${join(file, "home")}: ENOTDIR`);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("a config file that is not there", async () => {
    const { code, stderr } = await run(["--headless", "--config", "/nowhere/rightseat.json"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^rightseat: --config: expected a readable file, got \/nowhere\/rightseat\.json .*\n$/,
    );
  });

  test.each([
    ['{"port": "many"}', 'config file: port: expected a whole number from 0 to 65535, got "many"'],
    ['{"prot": 1}', "unknown setting 'prot'"],
    ['\ufeff{"prot": 1}', "unknown setting 'prot'"],
    ["[1]", "expected a JSON object"],
    ["{", "expected JSON in"],
  ])("a config file that says %s", async (text, message) => {
    await using home = await tempHome();
    const path = join(home.path, "rightseat.json");
    await writeFile(path, text);
    const { code, stderr } = await run(["--headless", "--config", path]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

test("--version and --help answer and end with 0", async () => {
  expect(await run(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
  const help = await run(["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const flag of [
    "--port",
    "--host",
    "--stdio",
    "--config",
    "--demo",
    "--log-level",
    "--session-idle-timeout",
  ])
    expect(help.stdout).toContain(flag);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s while a turn runs ends it in order, and the turn can be gone on with",
  async (signal) => {
    await using home = await tempHome();
    const server = await spawnServer(home.path, ["--demo", "--shutdown-grace", "0"]);
    expect(server.output()).toContain(
      `Listening on http://localhost:${server.port}\nCLI server listening on port ${server.port}\n`,
    );
    const client = await server.connect();
    const tool = {
      name: "slow_lookup",
      description: "looks up",
      parameters: { type: "object", properties: {} },
      skipPermission: true,
    };
    await client.request("session.create", { sessionId: "s", tools: [tool] });
    await client.request("session.send", { sessionId: "s", prompt: "call slow_lookup" });
    await client.event("s", "external_tool.requested");
    expect(await server.kill(signal)).toBe(0);
    await client.ended;
    const again = await spawnServer(home.path, ["--demo"]);
    const second = await again.connect();
    await second.request("session.resume", { sessionId: "s", tools: [tool], continuePendingWork: true });
    const asked = await second.event("s", "external_tool.requested");
    const answer = { sessionId: "s", requestId: asked.data.requestId, result: "forty-two" };
    expect(await second.request("session.tools.handlePendingToolCall", answer)).toEqual({ success: true });
    expect((await second.event("s", "assistant.message")).data.content).toContain("forty-two");
    await second.event("s", "session.idle");
    expect(await again.kill("SIGTERM")).toBe(0);
    await second.ended;
  },
);

test.each([
  ["Rust", ["--server", "--stdio", "--no-auto-update", "--log-level", "error", "--no-auto-login"]],
  ["Java", ["--server", "--no-auto-update", "--log-level", "info", "--stdio", "--remote"]],
  [".NET with --yolo", ["--yolo", "--headless", "--no-auto-update", "--stdio"]],
  ["scripts", ["--allow-all-tools", "--disable-builtin-mcps", "--no-color", "--headless", "--stdio"]],
  ["scripts, model and folder", ["--model", "demo", "--config-dir", "HOME", "--headless", "--stdio"]],
])("the runtime starts as %s start it, and ends with its client", async (_who, args) => {
  await using home = await tempHome();
  const flags = args.map((arg) => (arg === "HOME" ? home.path : arg));
  const child = start([...flags, "--demo"], { COPILOT_HOME: home.path });
  const exit = new Promise((resolve) => child.once("close", resolve));
  const [readable, writable] = [child.stdout, child.stdin] as [NodeJS.ReadableStream, NodeJS.WritableStream];
  const client = new WireClient(Duplex.from({ readable, writable }));
  await client.request("session.create", { sessionId: "s" });
  const mode = args.some((arg) => ["--yolo", "--allow-all-tools"].includes(arg)) ? "allow-all" : "manual";
  expect(await client.request("session.permissions.getMode", { sessionId: "s" })).toEqual({ mode });
  child.stdin?.end();
  expect(await exit).toBe(0);
  await client.close();
});

test("--stdio serves one client on standard input and output, and ends when it goes", async () => {
  await using home = await tempHome();
  const child = start(
    ["--headless", "--no-auto-update", "--log-level", "debug", "--stdio", "--no-auto-login", "--demo"],
    { COPILOT_HOME: home.path },
  );
  const exit = new Promise((resolve) => child.once("close", resolve));
  const client = new WireClient(
    Duplex.from({
      readable: child.stdout as NodeJS.ReadableStream,
      writable: child.stdin as NodeJS.WritableStream,
    }),
  );
  expect(await client.request("connect", {})).toMatchObject({ ok: true, protocolVersion: 3 });
  await client.request("session.create", { sessionId: "s" });
  expect(await client.ask("s", "echo over stdio")).toBe("over stdio");
  expect(await client.request("runtime.shutdown")).toBeNull();
  child.stdin?.end();
  expect(await exit).toBe(0);
  await client.close();
});
