import { describe, expect, test } from "vitest";
import { parseHookFile } from "./hook-files.ts";

const parse = (file: unknown) => parseHookFile(typeof file === "string" ? file : JSON.stringify(file), "f");
const entry = (fields: object) => parse({ version: 1, hooks: { preToolUse: [fields] } });

describe("an entry", () => {
  test("says what is run, where, with what, for how long, and on which tools", async () => {
    const { hooks, errors } = await entry({
      type: "command",
      bash: "./check.sh",
      powershell: "./check.ps1",
      cwd: "scripts",
      env: { LEVEL: "info" },
      timeoutSec: 5,
      matcher: "bash|edit",
    });
    expect(errors).toEqual([]);
    expect(hooks).toEqual([
      {
        event: "preToolUse",
        command: "./check.sh",
        cwd: "scripts",
        env: { LEVEL: "info" },
        timeoutMs: 5000,
        matcher: expect.objectContaining({ source: "bash|edit" }),
        source: "f",
      },
    ]);
  });

  test.each([
    { fields: { command: "for all" }, command: "for all" },
    { fields: { command: "for all", bash: "for bash" }, command: "for bash" },
    { fields: { exec: "node", args: ["a b"] }, command: { program: "node", args: ["a b"] } },
    { fields: { exec: "node" }, command: { program: "node", args: [] } },
  ])("$fields runs $command", async ({ fields, command }) => {
    expect((await entry(fields)).hooks).toMatchObject([{ command, timeoutMs: 30_000 }]);
  });

  test.each([
    { fields: { bash: "a", timeout: 7 }, timeoutMs: 7000 },
    { fields: { bash: "a", timeout: 7, timeoutSec: 9 }, timeoutMs: 9000 },
    { fields: { bash: "a", timeoutSec: 1e9 }, timeoutMs: 3_600_000 },
  ])("$fields may take $timeoutMs ms", async ({ fields, timeoutMs }) => {
    expect((await entry(fields)).hooks).toMatchObject([{ timeoutMs }]);
  });

  test.each([
    { fields: {}, why: "expected 'bash', 'command', or 'exec' with 'args'" },
    {
      fields: { powershell: "for another system" },
      why: "expected 'bash', 'command', or 'exec' with 'args'",
    },
    { fields: { exec: "a", bash: "b" }, why: "expected 'bash', 'command', or 'exec' with 'args'" },
    { fields: { exec: "a", args: [1] }, why: "expected 'bash', 'command', or 'exec' with 'args'" },
    { fields: { bash: "a", cwd: 1 }, why: "cwd: expected text" },
    { fields: { bash: "a", env: { A: 1 } }, why: "env: expected an object of texts" },
    { fields: { bash: "a", timeoutSec: 0 }, why: "timeoutSec: expected a number of seconds" },
    { fields: { bash: "a", matcher: "(" }, why: "matcher: expected a regular expression" },
    { fields: { bash: "a", matcher: 1 }, why: "matcher: expected a regular expression" },
    { fields: { type: "http", url: "u" }, why: 'hooks of the type "http" are not supported' },
  ])("$fields is left out, and said why", async ({ fields, why }) => {
    expect(await entry(fields)).toEqual({ hooks: [], errors: [`hooks.preToolUse[0]: ${why}`] });
  });

  test("that is wrong leaves those beside it alone", async () => {
    const { hooks, errors } = await parse({
      version: 1,
      hooks: { preToolUse: [7, { bash: "a" }], somethingElse: [{ bash: "b" }] },
    });
    expect(hooks).toMatchObject([{ command: "a" }]);
    expect(errors).toEqual([
      "hooks.preToolUse[0]: expected an object",
      "hooks.somethingElse[0]: this event is not supported",
    ]);
  });
});

test.each([
  { file: "{", why: /^expected JSON/ },
  { file: `{"a":${"[".repeat(200_000)}`, why: /at most 128 deep/ },
  { file: "[]", why: /version 1/ },
  { file: { version: 2, hooks: {} }, why: /version 1/ },
  { file: { version: 1 }, why: /'hooks'/ },
  { file: { version: 1, hooks: { preToolUse: { bash: "a" } } }, why: /^hooks\.preToolUse: expected a list/ },
])("a file that is not what it should be has no hooks: $file", async ({ file, why }) => {
  const { hooks, errors } = await parse(file);
  expect(hooks).toEqual([]);
  expect(errors).toEqual([expect.stringMatching(why)]);
});

test("a file may turn all its hooks off", async () => {
  expect(await parse({ version: 1, disableAllHooks: true, hooks: { preToolUse: [{ bash: "a" }] } })).toEqual({
    hooks: [],
    errors: [],
  });
});

describe("a matcher", () => {
  const matcherOf = async (matcher: string) => (await entry({ bash: "a", matcher })).hooks[0]?.matcher;

  test.each([
    ["bash|edit", "edit", "edits"],
    ["look.*|bash", "lookup", "alook"],
    ["[\\w-]+_\\d{2,3}", "a-b_12", "a-b_1"],
    ["^mcp__.+$", "mcp__x", "mcp__"],
    ["(?<name>a)\\u0062", "ab", "b"],
  ])("%s has to match the whole name: %s, not %s", async (source, yes, no) => {
    const matcher = await matcherOf(source);
    expect([matcher?.matches(yes), matcher?.matches(no)]).toEqual([true, false]);
  });

  // With names as long as they are matched; longer ones are asked about in any case.
  test.each(["(a+)+b", "((a*)*)*b", "(a|aa)+b", "(.*a){12}b", "(a|a|a|b|ab)*c", "(a?){60}a{60}b"])(
    "made to take forever ends: %s",
    async (source) => {
      expect((await matcherOf(source))?.matches("a".repeat(128))).toBe(false);
      expect((await matcherOf(source))?.matches("a".repeat(1_000_000))).toBe(true);
    },
  );

  test.each(["(?!bash).*", "(a)\\1", "a{999}", "((x{30}){30}){1}", `a|${"b".repeat(1000)}`])(
    "that cannot be bounded has its hook asked about every tool: %s",
    async (matcher) => {
      const { hooks, errors } = await entry({ bash: "a", matcher });
      expect(hooks).toMatchObject([{ command: "a" }]);
      expect(hooks[0]?.matcher).toBeUndefined();
      expect(errors).toEqual([expect.stringMatching(/matcher: it .*; the hook is asked about every tool$/)]);
    },
  );
});
