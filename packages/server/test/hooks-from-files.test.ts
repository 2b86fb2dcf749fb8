/** Hooks that a repository keeps in files (`enableFileHooks`), with real commands. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answer, callLookup, type Fields, lookup, runTools, useHookWorld } from "./support/hook-world.ts";

const w = useHookWorld();

let repo: string;
beforeEach(async () => {
  repo = await mkdtemp(join(tmpdir(), "rightseat-file-hooks-"));
  await mkdir(join(repo, ".github/hooks"), { recursive: true });
});
afterEach(() => rm(repo, { recursive: true, force: true }));

const put = (name: string, text: string) => writeFile(join(repo, ".github/hooks", name), text);
const putHooks = (hooks: object, more: object = {}) =>
  put("test.json", JSON.stringify({ version: 1, ...more, hooks }));
/** A command that prints the object. */
const print = (output: object) => ({ bash: `cat > /dev/null; echo '${JSON.stringify(output)}'` });

const create = async (more: object = {}) =>
  (
    await w.create(
      {},
      { workingDirectory: repo, hooks: false, enableFileHooks: true, tools: [lookup], ...more },
    )
  ).sessionId;

/** One prompt, in which the model calls the tool once; what the model reads of the call. */
async function lookUp(sessionId: string): Promise<string | undefined> {
  runTools(w.client, () => "found");
  w.model.use([callLookup(), { text: "done" }]);
  await w.client.ask(sessionId, "look");
  return w.told().findLast((message) => message.startsWith("tool: "));
}

/** Whether the process runs whose id the file holds; one that is dead and not collected does not. */
async function isRunning(pidFile: string): Promise<boolean> {
  const pid = (await readFile(pidFile, "utf8")).trim();
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

test("are run only in sessions that ask for them", async () => {
  await putHooks({ preToolUse: [print({ permissionDecision: "deny", permissionDecisionReason: "no" })] });
  expect(await lookUp(await create({ enableFileHooks: false }))).toBe("tool: found");
  expect(await lookUp(await create({ enableFileHooks: undefined, hooks: true }))).toBe("tool: found");
  expect(await lookUp(await create())).toBe("tool: Denied by preToolUse hook: no");
});

test.each([
  ["a line without end", "yes | tr -d '\\n'"],
  ["lines without end", "yes"],
  ["progress without end", `yes '{"type":"progress","message":"on"}'`],
  ["complaints without end", "yes >&2"],
])("one that prints %s is ended, and has not allowed anything", async (_what, bash) => {
  await putHooks({ preToolUse: [{ bash: `${bash} & wait`, timeoutSec: 600 }] });
  expect(await lookUp(await create())).toContain("printed more than");
});

test("are turned on and off while the session is open", async () => {
  await putHooks({ preToolUse: [print({ permissionDecision: "deny", permissionDecisionReason: "no" })] });
  const sessionId = await create({ enableFileHooks: false });
  for (const enableFileHooks of [true, false]) {
    await w.client.request("session.options.update", { sessionId, enableFileHooks });
    const expected = enableFileHooks ? "tool: Denied by preToolUse hook: no" : "tool: found";
    expect(await lookUp(sessionId)).toBe(expected);
  }
});

test("are told of every step on their standard input, in the directory that they name", async () => {
  const note = [
    { command: 'cat >> "$OUT"; echo >> "$OUT"; pwd >> "$OUT"', env: { OUT: `${repo}/out` }, cwd: ".github" },
  ];
  const events = [
    "sessionStart",
    "userPromptSubmitted",
    "preToolUse",
    "postToolUse",
    "agentStop",
    "sessionEnd",
  ];
  await putHooks(Object.fromEntries(events.map((event) => [event, note])));
  const sessionId = await create();
  await lookUp(sessionId);
  await w.client.request("session.detach", { sessionId });
  const lines = (await readFile(join(repo, "out"), "utf8")).trim().split("\n");
  expect(lines.filter((_, index) => index % 2 === 1)).toEqual(events.map(() => join(repo, ".github")));
  const inputs = lines.filter((_, index) => index % 2 === 0).map((line) => JSON.parse(line) as Fields);
  expect(inputs).toMatchObject([
    { sessionId, cwd: repo, source: "new", initialPrompt: "look" },
    { prompt: "look" },
    { toolName: "lookup", toolArgs: { key: "a" } },
    { toolResult: { resultType: "success", textResultForLlm: "found" } },
    { stopReason: "end_turn", stop_hook_active: false },
    { reason: "user_exit" },
  ]);
});

describe("before a tool call", () => {
  test("change its arguments, and what becomes of it", async () => {
    await putHooks({
      preToolUse: [print({ permissionDecision: "allow", modifiedArgs: { key: "b" } })],
      postToolUse: [
        print({
          modifiedResult: { resultType: "success", textResultForLlm: "less" },
          additionalContext: "from a file",
        }),
      ],
    });
    expect(await lookUp(await create())).toBe("tool: less\n\nA postToolUse hook adds:\nfrom a file");
    expect(w.told()).toContain('calls {"key":"b"}');
  });

  test.each([
    { how: "exits with 2", command: "echo not here >&2; exit 2", reason: "not here" },
    { how: "exits with 1", command: "exit 1", reason: "the hook ended with exit code 1" },
    {
      how: "exits with 2 and gives a reason",
      command: `echo '{"permissionDecision":"allow","permissionDecisionReason":"so there"}'; exit 2`,
      reason: "so there",
    },
    { how: "is killed", command: "kill -9 $BASHPID", reason: "the hook ended with a signal" },
  ])("one that $how denies", async ({ command, reason }) => {
    await putHooks({ preToolUse: [{ bash: command }] });
    expect(await lookUp(await create())).toBe(`tool: Denied by preToolUse hook: ${reason}`);
  });

  test("one that cannot be started denies", async () => {
    await putHooks({ preToolUse: [{ bash: "true", cwd: "/nowhere/at/all" }] });
    expect(await lookUp(await create())).toMatch(
      /^tool: Denied by preToolUse hook: the hook could not be run/,
    );
  });

  test("one whose time runs out does not deny, and is ended with all that it started", async () => {
    await putHooks({
      preToolUse: [{ bash: `sleep 1000 & echo $! > ${repo}/pid; wait`, timeoutSec: 0.3 }],
    });
    const sessionId = await create();
    expect(await lookUp(sessionId)).toBe("tool: found");
    expect(w.dataOf(sessionId, "hook.end")).toMatchObject([
      { success: false, error: { message: expect.stringContaining("timed out after 0.3 s") } },
    ]);
    expect(await isRunning(join(repo, "pid"))).toBe(false);
  });

  test("one that leaves something behind has answered all the same, and that is ended", async () => {
    const reason = JSON.stringify({ permissionDecision: "deny", permissionDecisionReason: "quick" });
    await putHooks({ preToolUse: [{ bash: `sleep 1000 & echo $! > ${repo}/pid; echo '${reason}'` }] });
    expect(await lookUp(await create())).toBe("tool: Denied by preToolUse hook: quick");
    expect(await isRunning(join(repo, "pid"))).toBe(false);
  });

  test("an abort of the run ends it with all that it started", async () => {
    await putHooks({
      preToolUse: [
        { bash: `sleep 1000 & echo $! > ${repo}/pid; echo '{"type":"progress","message":"on it"}'; wait` },
      ],
    });
    const sessionId = await create();
    w.model.use([callLookup(), { text: "done" }]);
    await w.client.request("session.send", { sessionId, prompt: "look" });
    await w.client.event(sessionId, "hook.progress");
    await w.client.request("session.abort", { sessionId });
    expect(await isRunning(join(repo, "pid"))).toBe(false);
  });

  test.each([
    { matcher: "lookup", denied: true },
    { matcher: "look.*|bash", denied: true },
    { matcher: "look", denied: false },
  ])("a matcher has to match the whole name: $matcher", async ({ matcher, denied }) => {
    await putHooks({ preToolUse: [{ bash: "exit 1", matcher }] });
    const read = await lookUp(await create());
    if (denied) expect(read).toContain("Denied");
    else expect(read).toBe("tool: found");
  });

  test("a program is run without a shell", async () => {
    const reason = "$HOME; not expanded";
    const output = JSON.stringify({ permissionDecision: "deny", permissionDecisionReason: reason });
    await putHooks({ preToolUse: [{ exec: "printf", args: ["%s", output] }] });
    expect(await lookUp(await create())).toBe(`tool: Denied by preToolUse hook: ${reason}`);
  });
});

test("what they print of their progress is told, and is no part of their output", async () => {
  const progress = (fields: object) => `echo '${JSON.stringify({ type: "progress", ...fields })}'`;
  await putHooks({
    sessionStart: [
      {
        bash: [
          progress({ message: "reading" }),
          progress({ message: "soon", temporary: true }),
          `printf '{\\n "additionalContext":\\n "many lines" }\\n'`,
        ].join("\n"),
      },
    ],
  });
  const sessionId = await create();
  await w.client.ask(sessionId, "hi");
  expect(w.dataOf(sessionId, "hook.progress")).toEqual([
    { message: "reading", temporary: false },
    { message: "soon", temporary: true },
  ]);
  expect(w.told()).toEqual(["user: many lines", "user: hi"]);
});

test("what they print beside one JSON object is no output, nor is what their event has no use for", async () => {
  await putHooks({
    sessionStart: [{ bash: "echo plain text" }],
    userPromptSubmitted: [print({ modifiedPrompt: "changed", additionalContext: "more" })],
    preToolUse: [{ bash: "echo '{}'; echo '{}'" }, print({ suppressOutput: true })],
  });
  expect(await lookUp(await create())).toBe("tool: found");
  expect(w.told()[0]).toBe("user: look");
});

test("a failed call is commented by exit code 2", async () => {
  await putHooks({ postToolUseFailure: [{ bash: "cat > /dev/null; echo try b; exit 2" }] });
  const sessionId = await create();
  w.model.use([{ toolCalls: [{ name: "nowhere", arguments: {} }] }, { text: "done" }]);
  await w.client.ask(sessionId, "go");
  expect(w.told().at(-1)).toMatch(/^user: .*postToolUseFailure hooks:\ntry b$/s);
});

test("may open their input and their outputs by name", async () => {
  await putHooks({
    sessionStart: [
      {
        bash: `cat /dev/stdin > /dev/null && echo aside > /dev/stderr && echo '{"additionalContext":"in"}' > /dev/stdout`,
      },
    ],
  });
  await w.client.ask(await create(), "hi");
  expect(w.told()).toEqual(["user: in", "user: hi"]);
});

test("the agent goes on when one blocks", async () => {
  await putHooks({
    agentStop: [
      { bash: `grep -q '"stop_hook_active":true' || echo '{"decision":"block","reason":"echo check"}'` },
    ],
  });
  expect(await w.client.ask(await create(), "echo done")).toBe("check");
});

test("clients are asked before them, and deny wins", async () => {
  await putHooks({
    preToolUse: [print({ permissionDecision: "deny", permissionDecisionReason: "by file" })],
  });
  const sessionId = await create({ hooks: true });
  const asked = answer(w.client, { preToolUse: { permissionDecision: "allow" } });
  expect(await lookUp(sessionId)).toBe("tool: Denied by preToolUse hook: by file");
  expect(asked.map(({ hookType }) => hookType)).toContain("preToolUse");
  const names = w.dataOf(sessionId, "hook.start").map(({ hookType }) => hookType);
  expect(names.filter((name) => name === "preToolUse")).toHaveLength(2);
});

test("what cannot be used is told when the session starts, and the rest is", async () => {
  await put("broken.json", "{");
  await put(
    "disabled.json",
    JSON.stringify({ version: 1, disableAllHooks: true, hooks: { preToolUse: [{}] } }),
  );
  await put("old.json", JSON.stringify({ version: 2, hooks: {} }));
  await writeFile(join(repo, "../outside.json"), "{}");
  await symlink(join(repo, "../outside.json"), join(repo, ".github/hooks/outside.json"));
  await putHooks({
    sessionStart: [{ type: "prompt", prompt: "hello" }, print({ additionalContext: "still here" })],
    preToolUse: [
      { type: "http", url: "https://127.0.0.1:1" },
      { bash: "true", matcher: "(" },
    ],
    PreToolUse: [{ bash: "true" }],
  });
  const sessionId = await create();
  await w.client.ask(sessionId, "hi");
  expect(w.told()).toEqual(["user: still here", "user: hi"]);
  const warnings = w.dataOf(sessionId, "session.warning");
  const told = warnings.map(({ message }) =>
    message.replace(/^A hook cannot be used as it is: \.github\/hooks\//, ""),
  );
  expect(told).toEqual([
    expect.stringMatching(/^broken\.json: expected JSON/),
    "old.json: expected an object with version 1.",
    expect.stringMatching(/^outside\.json: it is a link that leads out of/),
    'test.json: hooks.sessionStart[0]: hooks of the type "prompt" are not supported.',
    'test.json: hooks.preToolUse[0]: hooks of the type "http" are not supported.',
    "test.json: hooks.preToolUse[1]: matcher: expected a regular expression.",
    "test.json: hooks.PreToolUse[0]: this event is not supported.",
  ]);
  await rm(join(repo, "../outside.json"));
});

test("commands get no credentials, and the variables that they name", async () => {
  await putHooks({
    sessionStart: [
      {
        bash: `printf '{"additionalContext":"%s %s %s"}' "$GREETING" "$KEPT" "\${RIGHTSEAT_TEST_TOKEN-none}"`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the file that means a variable
        env: { GREETING: "hello", KEPT: "$GREETING-${GREETING}" },
      },
    ],
  });
  process.env.RIGHTSEAT_TEST_TOKEN = "secret";
  await w.client.ask(await create(), "hi");
  delete process.env.RIGHTSEAT_TEST_TOKEN;
  expect(w.told()[0]).toBe("user: hello hello-hello none");
});
