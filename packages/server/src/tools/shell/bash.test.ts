import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type BuiltInTools, createBuiltInTools } from "../built-in.ts";
import type { ToolContext, ToolResult } from "../tool.ts";

let directory = "";
let tools: BuiltInTools;
let largeOutput: string | undefined;
const environment: Record<string, string> = { PATH: process.env.PATH ?? "" };

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "shell-tools-")));
  largeOutput = join(directory, "large");
  tools = createBuiltInTools({
    sessionId: "s",
    workingDirectory: () => directory,
    largeOutputDirectory: () => largeOutput,
    environment: () => environment,
  });
});

afterEach(async () => {
  await tools.dispose();
  // Every process of a shell has this directory, or its path in the command line.
  await vi.waitFor(() => expect(processesOf(directory)).toEqual([]), { timeout: 5000 });
  await rm(directory, { recursive: true });
});

function context(signal = new AbortController().signal, onOutput = (_: string) => {}): ToolContext {
  const ask = async () => ({ allowed: false, message: "nobody is asked here" });
  return { sessionId: "s", toolCallId: "t", signal, workingDirectory: directory, onOutput, ask };
}

function call(name: string, args: Record<string, unknown>, using = context()): Promise<ToolResult> {
  return tools.tools.find((tool) => tool.definition.name === name)!.run(args, using);
}

const bash = (command: string, more: Record<string, unknown> = {}) =>
  call("bash", { command, description: "", ...more });

/** The process ids that have the text in their command lines. */
function processesOf(text: string): string[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 1 << 26 });
  return lines.split("\n").filter((line) => line.includes(text) && !line.includes("ps -A"));
}

/** A command that shows in the list of processes and ends when it is killed. */
const sleeper = () => `bash -c 'sleep 1000; true' ${directory}`;

describe("bash", () => {
  test("gives stdout and stderr in the order of writing, and the exit code", async () => {
    expect((await bash("echo hello && echo world")).text).toBe("hello\nworld\n<exited with exit code 0>");
    expect((await bash("echo a >&2; echo b; echo c >/dev/stderr; printf d; exit 3")).text).toBe(
      "a\nb\nc\nd\n<exited with exit code 3>",
    );
    const { text, contents } = await bash("true");
    expect(text).toBe("<exited with exit code 0>");
    expect(contents).toEqual([
      { type: "shell_exit", shellId: "3", exitCode: 0, cwd: directory, outputPreview: "" },
    ]);
    expect((await bash("kill -9 $BASHPID")).text).toContain("<exited with exit code 137>");
    expect((await bash("kill -9 $$; sleep 1000")).text).toContain("<exited with exit code 137>");
    expect((await bash("if")).text).toContain("<exited with exit code 2>");
  });

  test("runs in the working directory, with no input, no arguments and several lines", async () => {
    expect((await bash("pwd\ncat\nread x || echo none $#\nsleep 0 &\nwait\necho end")).text).toBe(
      `${directory}\nnone 0\nend\n<exited with exit code 0>`,
    );
  });

  test("takes commands longer than an argument may be", async () => {
    const long = "x".repeat(300_000);
    expect((await bash(`printf %s ${long} | wc -c | tr -d ' '`)).text).toBe(
      "300000\n<exited with exit code 0>",
    );
  });

  test("gives commands the environment of the host, and nothing of the server's own", async () => {
    environment.PLAIN = "1";
    process.env.OF_THE_SERVER = "1";
    try {
      const { text } = await bash("env | sort");
      expect(text).toContain("PLAIN=1\n");
      expect(text).not.toContain("OF_THE_SERVER");
    } finally {
      delete process.env.OF_THE_SERVER;
      delete environment.PLAIN;
    }
  });

  test("shows output while the command runs", async () => {
    const shown: string[] = [];
    const running = call(
      "bash",
      { command: `echo one; until [ -e go ]; do sleep 0.01; done; echo two` },
      context(undefined, (text) => shown.push(text)),
    );
    await vi.waitFor(() => expect(shown).toEqual(["one\n"]), { timeout: 10_000 });
    await writeFile(join(directory, "go"), "");
    expect((await running).text).toBe("one\ntwo\n<exited with exit code 0>");
  });

  test("makes text of binary output", async () => {
    expect((await bash("printf 'a\\377b\\0c'; printf '\\303'; printf '\\244'")).text).toBe(
      "a\ufffdb\ufffdcä\n<exited with exit code 0>",
    );
  });

  test("keeps large output in a file, and shows its start, end and exit code", async () => {
    const { text } = await bash("for i in {1..20000}; do echo line $i; done; exit 4");
    const [file] = await readdir(largeOutput!);
    const whole = Array.from({ length: 20000 }, (_, index) => `line ${index + 1}\n`).join("");
    expect(await readFile(join(largeOutput!, file!), "utf8")).toBe(whole);
    expect(text.split("\n")[0]).toBe(
      `Output too large to read at once (${(whole.length / 1024).toFixed(1)} KB). Saved to: ${join(largeOutput!, file!)}`,
    );
    expect(text).toContain(`\n\nPreview (first 500 chars):\nline 1\n`);
    expect(text.endsWith("line 20000\n<exited with exit code 4>")).toBe(true);
    expect(text.length).toBeLessThan(2000);
    largeOutput = undefined;
    expect((await bash("yes | head -c 100000")).text).toContain("Only its start and end are shown");
  });

  test("an abort ends the command with all of its processes", async () => {
    const abort = new AbortController();
    const running = call(
      "bash",
      { command: `trap '' TERM; ${sleeper()} & ${sleeper()}` },
      context(abort.signal),
    );
    await vi.waitFor(() => expect(processesOf(`sleep 1000; true ${directory}`).length).toBe(2), {
      timeout: 10_000,
    });
    abort.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    expect(processesOf(directory)).toEqual([]);
  });

  test("a directory that is gone is a failure that says so", async () => {
    const gone = { ...context(), workingDirectory: join(directory, "gone") };
    await expect(call("bash", { command: "true" }, gone)).rejects.toThrow(
      /bash could not be started in .*gone/,
    );
  });

  test("asks before it runs", async () => {
    const tool = tools.tools.find((candidate) => candidate.definition.name === "bash")!;
    expect(
      await tool.permission!(
        { command: "git log >out.txt; curl https://a.b/c | tee 'x/y'", description: "Look" },
        context(),
      ),
    ).toEqual({
      kind: "shell",
      fullCommandText: "git log >out.txt; curl https://a.b/c | tee 'x/y'",
      intention: expect.stringMatching(/^Look: .+/),
      commands: [
        { identifier: "git", readOnly: false },
        { identifier: "curl", readOnly: false },
        { identifier: "tee", readOnly: false },
      ],
      commandSegments: [
        { identifier: "git", fullCommandText: "git log" },
        { identifier: "curl", fullCommandText: "curl https://a.b/c" },
        { identifier: "tee", fullCommandText: "tee 'x/y'" },
      ],
      possiblePaths: ["out.txt", "x/y"],
      resolvedPaths: { "out.txt": join(directory, "out.txt"), "x/y": join(directory, "x/y") },
      resolvedWorkingDirectory: directory,
      possibleUrls: [{ url: "https://a.b/c" }],
      hasWriteFileRedirection: true,
      canOfferSessionApproval: false,
    });
  });
});

describe("shells that go on", () => {
  test("a command that takes longer is followed with read_bash", async () => {
    const first = await bash("echo one; until [ -e go ]; do sleep 0.01; done; echo two", {
      initial_wait: 0.3,
      shellId: "mine",
    });
    expect(first.text).toContain("one\n<still running with shellId: mine.");
    expect((await call("list_bash", {})).text).toMatch(/^mine: running: echo one/);
    await expect(bash("true", { shellId: "mine" })).rejects.toThrow('The shell "mine" still runs.');
    await writeFile(join(directory, "go"), "");
    expect((await call("read_bash", { shellId: "mine", delay: 10 })).text).toBe(
      "two\n<exited with exit code 0>",
    );
    expect((await call("read_bash", { shellId: "other" })).text).toBe(
      'There is no shell "other". These exist: mine.',
    );
  });

  test("an async command takes input and is stopped with its processes", async () => {
    expect((await bash(`read line; echo "got $line"; ${sleeper()}`, { mode: "async" })).text).toContain(
      "<started with shellId: 1.",
    );
    let { text } = await call("write_bash", { shellId: "1", input: "hi{enter}", delay: 0 });
    while (!text.includes("got hi")) text = (await call("read_bash", { shellId: "1", delay: 0.1 })).text;
    expect(text).toContain("got hi\n<still running");
    expect((await call("stop_bash", { shellId: "1" })).text).toBe('The shell "1" has been stopped.');
    expect(processesOf(directory)).toEqual([]);
    expect((await call("write_bash", { shellId: "1", input: "x" })).text).toContain("has exited");
    expect((await call("list_bash", {})).text).toMatch(/^1: exited with 143:/);
  });

  test("an async command runs nothing that the user's startup files say", async () => {
    await writeFile(join(directory, ".bashrc"), "echo from the startup file\n");
    environment.HOME = directory;
    try {
      await bash('read line; echo "got $line"', { mode: "async" });
      let { text } = await call("write_bash", { shellId: "1", input: "hi{enter}", delay: 0 });
      while (!text.includes("exited")) text += (await call("read_bash", { shellId: "1", delay: 0.1 })).text;
      expect(text).toContain("got hi");
      expect(text).not.toContain("startup");
    } finally {
      delete environment.HOME;
    }
  });

  test("what a finished command leaves in the background lives until the session ends", async () => {
    expect((await bash(`${sleeper()} & echo left`)).text).toBe("left\n<exited with exit code 0>");
    expect((await bash(`nohup ${sleeper()} >/dev/null 2>&1 & echo left`)).text).toBe(
      "left\n<exited with exit code 0>",
    );
    await vi.waitFor(() => expect(processesOf(directory).length).toBe(2), { timeout: 10_000 });
    expect((await call("list_bash", {})).text).toContain("1: exited with 0, left processes that run");
    await tools.dispose();
    expect(processesOf(directory)).toEqual([]);
    await expect(bash("true")).rejects.toThrow("The session has ended.");
  });
});

test("shells die with a server that is killed", async () => {
  const contents = `
    import { createBuiltInTools } from "./built-in.ts";
    const workingDirectory = process.cwd();
    const { tools } = createBuiltInTools({ sessionId: "s", workingDirectory: () => workingDirectory,
      largeOutputDirectory: () => undefined, environment: () => process.env });
    const bash = tools.find((tool) => tool.definition.name === "bash");
    const { signal } = new AbortController();
    const context = { sessionId: "s", toolCallId: "t", signal, workingDirectory, onOutput: () => {} };
    const command = ${JSON.stringify(`trap '' HUP TERM; ${sleeper()} & ${sleeper()}`)};
    void bash.run({ command }, context);
    void bash.run({ command, mode: "async" }, context);`;
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    outfile: join(directory, "server.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
  });
  const server = spawn(process.execPath, ["server.mjs"], { cwd: directory, stdio: "ignore" });
  const sleepers = () => processesOf(`sleep 1000; true ${directory}`);
  await vi.waitFor(() => expect(sleepers().length).toBe(4), { timeout: 10_000 });
  server.kill("SIGKILL");
  await vi.waitFor(() => expect(sleepers()).toEqual([]), { timeout: 5000 });
});
