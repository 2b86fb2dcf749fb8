/**
 * Tenants' texts × what reads them: with the largest text that each is given, made for it, each ends. One
 * that took time proportional to a square or worse would not within a test's time.
 */
import { expect, test } from "vitest";
import { parseFrontMatter } from "../src/discovery/front-matter.ts";
import { answerByRules } from "../src/models/demo/rules.ts";
import { trimSlashes } from "../src/models/openai-client.ts";
import { rankTools } from "../src/session/abilities/tools/rank-tools.ts";
import { parseRemoteUrl } from "../src/session/abilities/workspace/working-context.ts";
import { renderPrompt } from "../src/session/runs/attachments.ts";
import { findOnce } from "../src/tools/files/find-once.ts";
import { commandIntention } from "../src/tools/intention.ts";
import { summarizeCommand } from "../src/tools/shell/command-line.ts";
import { pathsOfSteps } from "../src/tools/shell/command-paths.ts";
import { knownCommand } from "../src/tools/shell/known-commands.ts";
import { askShellPermission } from "../src/tools/shell/permission.ts";
import { possibleCommands } from "../src/tools/shell/possible-commands.ts";
import { splitCommand } from "../src/tools/shell/split-command.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const many = (text: string, characters: number) => text.repeat(characters / text.length);

test.each([
  ["white space before what is no comment", `a: x${many(" ", 63 * KIB)}y`],
  ["a separator that ends lines elsewhere", `a:${many(" ", 31 * KIB)}${many("x", 31 * KIB)}\u2028`],
  ["brackets", `a: [${many("]#", 62 * KIB)}\u2028`],
  ["quotes", `a: '${many("''", 62 * KIB)}x`],
  ["escapes", `a: "${many("\\\\", 62 * KIB)}x`],
  ["lines", `a: |\n${many(" \n", 62 * KIB)}`],
  ["lists in lists", `a: ${many("[", 16_000)}`],
  ["maps in maps", `a: ${many("{b: ", 16_000)}`],
  ["items of items", `a:\n ${many("- ", 16_000)}`],
  ["keys of keys", `a:\n ${many("? ", 16_000)}`],
  [
    "maps below maps",
    `a:\n${Array.from({ length: 170 }, (_, index) => `${" ".repeat(index + 1)}b:`).join("\n")}`,
  ],
  ["ends without a beginning", `a: ${many("{]", 16_000)}`],
  ["escapes that are none", `a: "${many("\\q", 16_000)}"`],
  ["a key again and again", many("a: b\n", 62 * KIB)],
  ["a key again and again, and no YAML", `${many("a: *b\n", 16_000)}a: [`],
  ["names of values", `a: ${many("&b ", 16_000)}`],
  ["values by name", `a: [&b c, ${many("*b ,", 16_000)}]`],
])("front matter with %s", async (_, block) => {
  expect(Object.keys((await parseFrontMatter(`---\n${block}\n---\nbody`)).attributes)).toEqual(["a"]);
});

test.each([many("/", MIB), `${many("/", MIB)}x`, many("/a", MIB)])(
  "a provider's address of slashes",
  (path) => {
    expect(trimSlashes(`https://a.b/c${path}`)).toMatch(/[a-z]$/);
  },
);

test.each([
  `https://a.b/${many("/", MIB)}x`,
  `${many("a@", MIB)}b:c`,
  `ssh://${many("a@", MIB)}`,
  `git@a.b:${many("/x", MIB)}/`,
])("a repository's remote", (url) => {
  expect(typeof parseRemoteUrl(url)).toBe("object");
});

test("a query of a search for tools, and descriptions", () => {
  const tools = Array.from({ length: 500 }, (_, index) => ({
    name: `t${index}`,
    description: many("word ", 100 * KIB),
  }));
  expect(rankTools(tools, many("find words of ", 2 * MIB), 5)).toHaveLength(5);
});

test("a selection of backticks", async () => {
  const text = many("` ", MIB);
  const attachments = [
    {
      type: "selection" as const,
      filePath: "/f",
      displayName: "f",
      text,
      selection: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    },
  ];
  expect(String(await renderPrompt({ prompt: "p", workingDirectory: "/", attachments }))).toContain("```");
});

test.each([
  ["a part that the file nearly holds", many("a", 16 * MIB), `b${many("a", 4 * MIB)}`],
  ["white space", many(" \n", 16 * MIB), `${many("\n ", MIB)}x`],
])("an edit of %s", (_, text, oldText) => {
  expect(findOnce(text, { oldText, newText: "" })).toHaveProperty("problem");
});

test.each([
  ["tags without an end", many("<a>", 2 * MIB)],
  ["tags of many names", Array.from({ length: 200_000 }, (_, index) => `<a${index} b>`).join("")],
  ["brackets", many("(", 2 * MIB)],
  ["sums", many("1+", 2 * MIB)],
  ["spaces", `my a is b${many(" ", 2 * MIB)}`],
  ["facts", many("my a is ", 2 * MIB)],
  ["words", many("Aa-b, and ", 2 * MIB)],
])("the demo model reads %s", (_, content) => {
  const request = { model: "demo", system: "", tools: [], stream: false };
  const messages = [{ role: "user" as const, content }];
  expect(answerByRules({ ...request, messages })).toHaveProperty("text");
});

test.each([
  ["homes", many("~", MIB)],
  ["homes behind quotes", many("''~", MIB)],
  ["wildcards", many("*[", MIB)],
  ["expansions", many("$a", MIB)],
  ["quotes", many("''", MIB)],
  ["escapes", many("\\a", MIB)],
])("a command of %s is read in time that grows with it", (_, text) => {
  expect(splitCommand(text).segments).toHaveLength(1);
});

test("a command of more words than anybody reads is not read to its end, and may run anything", () => {
  const text = `xargs ${many("a ", 4 * MIB)}`;
  const words = splitCommand(text).segments.flatMap((segment) => segment.words);
  expect(words).toHaveLength(4096);
  const summary = summarizeCommand(text);
  expect(summary).toMatchObject({ isPlain: false, hidesCommands: true });
  expect(possibleCommands(text, summary)).toEqual({ lines: [], areExact: false, hidesMore: true });
  expect(commandIntention(text, "")).toHaveLength("Run ".length + 201);
});

test.each([
  ["zeros", `%${many("0", MIB)}y`],
  ["digits", `%${many("01", MIB)}y`],
  ["text", `${many("a", MIB)}%y`],
])("a format of %s for printf", (_, format) => {
  expect(knownCommand("printf")?.accepts?.([format])).toBe(false);
});

test("a name of a path that is as long as a command may be, in one that is not understood", async () => {
  const path = `/${many("a", 32_000)}`;
  for (let time = 0; time < 4; time += 1)
    expect(await askShellPermission(`x ${path}`, "", "/")).toMatchObject({
      possiblePaths: [path],
      canOfferSessionApproval: false,
    });
});

test("a pattern of directories, each with a wildcard", async () => {
  const text = many("a*/", MIB);
  const wildcards = Array.from({ length: text.length / 3 }, (_, index) => index * 3 + 1);
  const word = { text, wildcards, start: 0, end: text.length, isQuoted: false, isExpanded: false };
  const step = { paths: [word], onlyFiles: false, before: "", behind: "" };
  expect((await pathsOfSteps([step], "/")).areAll).toBe(false);
});
