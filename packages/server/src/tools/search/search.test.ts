import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBuiltInTools } from "../built-in.ts";
import type { Tool, ToolContext } from "../tool.ts";
import { findRipgrep } from "./find-ripgrep.ts";
import { compileGlob, literalPrefix, MAX_GLOB_CHARACTERS } from "./glob-pattern.ts";
import { parseGrepQuery } from "./grep-query.ts";
import { createLineMatcher } from "./line-matcher.ts";

let home = "";
let directory = "";
const ripgrep = await findRipgrep(process.env.PATH);

const FILES: Record<string, string> = {
  ".gitignore": "dist/\n*.log\n!kept.log\n/only-root.txt\n",
  ".hidden/a.ts": "apple\n",
  "README.md": "# Readme\napple pie\n",
  "a.log": "apple\n",
  "kept.log": "apple\n",
  "only-root.txt": "apple\n",
  "data.txt": "apple\nbanana\napricot\ncherry\n",
  "dist/out.ts": "apple\n",
  "long.txt": `apple${"x".repeat(3000)}\n`,
  "node_modules/m/m.ts": "apple\n",
  "src/index.ts": "one\ntwo\nAPPLE three\nfour\nfive\nsix\nseven\napple eight\r\nnine",
  "src/only-root.txt": "apple\n",
  "src/deep/b.tsx": "(apple)\n",
};

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "search-tools-")));
  directory = join(home, "work");
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  await writeFile(join(directory, "binary.bin"), Buffer.from("apple\0apple"));
  await writeFile(join(home, "outside.txt"), "apple\n");
  await symlink("..", join(directory, "up"));
});
afterAll(() => rm(home, { recursive: true }));

const newContext = (signal = new AbortController().signal): ToolContext => ({
  sessionId: "s",
  toolCallId: "t",
  signal,
  workingDirectory: directory,
  onOutput: () => {},
  ask: async () => ({ allowed: false, message: "nobody is asked here" }),
});

function toolsWith(path: string | undefined): readonly Tool[] {
  return createBuiltInTools({
    sessionId: "s",
    workingDirectory: () => directory,
    largeOutputDirectory: () => undefined,
    environment: () => ({ PATH: path ?? "" }),
  }).tools;
}
const find = (tools: readonly Tool[], name: string) => tools.find((tool) => tool.definition.name === name)!;

// Without ripgrep on this machine its half is skipped; both have the same expectations.
describe.each([["the built-in search", undefined], ...(ripgrep ? [["ripgrep", dirname(ripgrep)]] : [])] as [
  string,
  string | undefined,
][])("grep with %s", (_, path) => {
  const grep = async (args: Record<string, unknown>, context = newContext()) =>
    (await find(toolsWith(path), "grep").run(args, context)).text;

  test("shows matching lines of a named file", async () => {
    const file = join(directory, "data.txt");
    expect(await grep({ pattern: "^ap", path: file, output_mode: "content", "-n": true })).toBe(
      `${file}:1:apple\n${file}:3:apricot`,
    );
    expect(await grep({ pattern: "^ap", path: "data.txt", output_mode: "content", "-n": false })).toBe(
      "data.txt:apple\ndata.txt:apricot",
    );
  });

  test("lists files, without those that are ignored, hidden, binary or linked", async () => {
    expect(await grep({ pattern: "apple" })).toBe(
      "./README.md\n./data.txt\n./kept.log\n./long.txt\n./src/deep/b.tsx\n./src/index.ts\n./src/only-root.txt",
    );
    expect(await grep({ pattern: "nothing like it" })).toBe(`No matches found in ${directory}.`);
    expect(await grep({ pattern: "apple", path: "nowhere" })).toContain("does not exist");
  });

  test("filters by glob and type", async () => {
    expect(await grep({ pattern: "apple", glob: "*.{md,tsx}" })).toBe("./README.md\n./src/deep/b.tsx");
    expect(await grep({ pattern: "apple", glob: "src/*.ts" })).toBe("./src/index.ts");
    expect(await grep({ pattern: "apple", path: "src", type: "ts" })).toBe("src/deep/b.tsx\nsrc/index.ts");
    await expect(grep({ pattern: "apple", type: "nope" })).rejects.toThrow();
  });

  test("counts lines, and stops where it is told to", async () => {
    expect(await grep({ pattern: "a", path: "data.txt", output_mode: "count" })).toBe("data.txt:3");
    expect(await grep({ pattern: "APPLE", "-i": true, path: "src", output_mode: "count" })).toBe(
      "src/deep/b.tsx:1\nsrc/index.ts:2\nsrc/only-root.txt:1",
    );
    expect(await grep({ pattern: "apple", head_limit: 2 })).toBe(
      "./README.md\n./data.txt\n(Only the first 2 lines are shown.)",
    );
  });

  test("shows lines around matches", async () => {
    const args = { pattern: "(?i)apple", path: "src", output_mode: "content", "-C": 1 };
    expect(await grep(args)).toBe(
      [
        "src/deep/b.tsx:1:(apple)",
        "--",
        "src/index.ts-2-two",
        "src/index.ts:3:APPLE three",
        "src/index.ts-4-four",
        "--",
        "src/index.ts-7-seven",
        "src/index.ts:8:apple eight",
        "src/index.ts-9-nine",
        "--",
        "src/only-root.txt:1:apple",
      ].join("\n"),
    );
  });

  test("matches across lines, and cuts long lines", async () => {
    expect(await grep({ pattern: "two.*four", path: "src", multiline: true, output_mode: "content" })).toBe(
      "src/index.ts:2:two\nsrc/index.ts:3:APPLE three\nsrc/index.ts:4:four",
    );
    expect(await grep({ pattern: "^apple", path: "long.txt", output_mode: "content" })).toBe(
      `long.txt:1:apple${"x".repeat(1995)} [... omitted end of long line]`,
    );
  });

  test("a bad pattern is a failure that says so, and an abort ends the search", async () => {
    await expect(grep({ pattern: "(" })).rejects.toThrow(/regular expression|regex parse error/);
    const aborted = AbortSignal.abort(new Error("stopped"));
    await expect(grep({ pattern: "a" }, newContext(aborted))).rejects.toThrow("stopped");
  });
});

test("a pattern that takes forever is stopped by an abort", async () => {
  const abort = new AbortController();
  const matcher = createLineMatcher(parseGrepQuery({ pattern: "^(a+)+$" }), abort.signal);
  expect(await matcher.match("b\naa\n")).toEqual([2]);
  const matching = matcher.match(`${"a".repeat(60)}!`);
  abort.abort(new Error("stopped"));
  await expect(matching).rejects.toThrow("stopped");
  await matcher.dispose();
});

test("grep and glob ask to read where they search", async () => {
  expect(
    await find(toolsWith(undefined), "grep").permission!({ pattern: "a", path: "up" }, newContext()),
  ).toEqual({
    kind: "read",
    intention: `Search for "a" in ${join(directory, "up")}`,
    path: join(directory, "up"),
    resolvedPath: home,
  });
  expect(
    await find(toolsWith(undefined), "glob").permission!({ pattern: "src/../../*.txt" }, newContext()),
  ).toEqual({
    kind: "read",
    intention: `Find files named "*.txt" in ${home}`,
    path: home,
    resolvedPath: home,
  });
});

describe("glob", () => {
  const glob = async (args: Record<string, unknown>) =>
    (await find(toolsWith(undefined), "glob").run(args, newContext())).text;

  test("finds files below the working directory", async () => {
    expect(await glob({ pattern: "**/*.ts" })).toBe("./src/index.ts");
    expect(await glob({ pattern: "*.{md,txt}" })).toBe("./README.md\n./data.txt\n./long.txt");
    expect(await glob({ pattern: "src/**" })).toBe("./src/deep/b.tsx\n./src/index.ts\n./src/only-root.txt");
    expect(await glob({ pattern: "**/?.tsx", path: "src" })).toBe("./src/deep/b.tsx");
    expect(await glob({ pattern: "**/*.rs" })).toBe("No files match the pattern.");
  });

  test("finds what is ignored or hidden when it is named", async () => {
    expect(await glob({ pattern: "dist/*" })).toBe("./dist/out.ts");
    expect(await glob({ pattern: ".hidden/**/*.ts" })).toBe("./.hidden/a.ts");
    expect(await glob({ pattern: join(home, "*.txt") })).toBe(join(home, "outside.txt"));
  });
});

describe("a glob", () => {
  const matches = (pattern: string, path: string, dot = false) => compileGlob(pattern, { dot }).matches(path);

  test.each([
    ["*.ts", "a.ts", "a/b.ts"],
    ["**/*.ts", "a/b/c.ts", "a/.b/c.ts"],
    ["a/**/b", "a/b", "ab"],
    ["a/**", "a/b/c", "a"],
    ["*", "a", ".a"],
    [".*", ".a", "a"],
    ["[!a-c]?", "dx", "ax"],
    ["{a,b{c,d}}/x", "bd/x", "b/x"],
    ["a*b*c", "aXbYbZc", "acb"],
    ["\\*[*]", "**", "a*"],
    ["a.b+c(d)", "a.b+c(d)", "aXb+c(d)"],
    ["{a}", "{a}", "a"],
    ["[z-a]", "[z-a]", "z"],
    ["{a,{b", "{a,{b", "a"],
    ["a,b}", "a,b}", "a"],
    ["{,x}a{\\,,}b", "xa,b", "x"],
    ["**/**/a/**/c", "x/a/y/a/c", "x/a/y"],
    ["a[]]b[^x]", "a]by", "a]bx"],
    ["*", "a*", "a/"],
    ["**/.h/**", ".h/a", ".h/.b"],
  ])("%s matches %s and not %s", (pattern, yes, no) => {
    expect([matches(pattern, yes), matches(pattern, no)]).toEqual([true, false]);
  });

  test("sees hidden names only where it is told to", () => {
    expect([matches("**/a", ".h/a"), matches("**/a", ".h/a", true), matches("**", "a/.h", true)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("refuses too many alternatives, and too long a pattern", () => {
    expect(() => matches("{a,b}".repeat(20), "a")).toThrow("more than 256 alternatives");
    expect(() => matches(`${"x".repeat(900)}${"{a,b}".repeat(6)}`, "a")).toThrow(
      "more than 16384 characters",
    );
    expect(() => matches(`{${",".repeat(1_000_000)}`, "a")).toThrow(`it may have ${MAX_GLOB_CHARACTERS}`);
  });

  // With a pattern as long as may be, and a path as long as the system has them: these end.
  test.each([
    ["many stars in a name", `${"*a".repeat(500)}b`, "a".repeat(4096)],
    ["many directories", `${"**/a/".repeat(200)}b`, "a/".repeat(2047)],
    ["directories, and stars in each", `${"**/*a*a/".repeat(120)}b`, `${"aaa/".repeat(1000)}`],
    ["alternatives of them", `{${"**/a/**/a/b,".repeat(60)}c}`, "a/".repeat(2047)],
    ["braces without a partner", "{".repeat(1024), "{"],
    ["braces in braces", `${"{a,".repeat(200)}b${"}".repeat(200)}c`, "a"],
    ["sets without an end", "[".repeat(1024), "["],
    ["sets of many ranges", `*[${"a-b".repeat(330)}]*c`, "b".repeat(4096)],
  ])("ends with %s", (_, pattern, path) => {
    expect(matches(pattern, path, true)).toBe(false);
  });

  test("literalPrefix is the part without wildcards", () => {
    expect(["src/a/*.ts", "*.ts", "a.ts", "/x/{a,b}"].map(literalPrefix)).toEqual(["src/a/", "", "", "/x/"]);
  });
});
