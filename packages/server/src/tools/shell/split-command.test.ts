import { describe, expect, test } from "vitest";
import { splitCommand } from "./split-command.ts";

const words = (text: string) =>
  splitCommand(text).segments.map((segment) => segment.words.map((word) => word.text));

describe("words are split as bash splits them", () => {
  test("at spaces, tabs and newlines", () => {
    expect(words("a b\tc\nd")).toEqual([["a", "b", "c"], ["d"]]);
    expect(words("a \\\n b")).toEqual([["a", "b"]]);
    expect(words("a'b c'\"d e\"\\ f")).toEqual([["ab cd e f"]]);
    expect(words("a#b #c\nd")).toEqual([["a#b"], ["d"]]);
    expect(words("a 2>&1 >x <y")).toEqual([["a"]]);
    expect(words("echo \"a$|b$\" '$x'")).toEqual([["echo", "a$|b$", "$x"]]);
  });

  test.each(["\u00a0", "\v", "\f", "\r", "\u2003", "\u2028", "\u3000", "\ufeff", "\u200b", "\x1b", "\x01"])(
    "%j is no blank of bash: it ends, and is not plain",
    (char) => {
      const { isPlain, isReadable } = splitCommand(`echo${char}hello ${char}# ; rm x`);
      expect([isPlain, isReadable]).toEqual([false, false]);
    },
  );

  test.each([
    "a >\\\n>b",
    "a >\\\n&ls",
    "a >\\\n|ls",
    "a &\\\n& b",
    "a |\\\n| b",
    "a <\\\n(b)",
    "a\\\nb",
    "\\\na",
  ])("%j may be one operator or word to bash: it is not read", (text) => {
    const { isPlain, isReadable } = splitCommand(text);
    expect([isPlain, isReadable]).toEqual([false, false]);
  });

  test("a redirection without a target is not read", () => {
    expect(splitCommand("a > ; b").isReadable).toBe(false);
    expect(splitCommand("a >").isReadable).toBe(false);
  });

  test("whatever character comes, reading ends", () => {
    for (let code = 0; code < 0x10000; code += 1) {
      const char = String.fromCharCode(code);
      splitCommand(`a${char}b ${char}${char}`);
    }
  });

  test("letters and signs of other languages are text", () => {
    expect(splitCommand("cat größe.txt '→ 日本'").isPlain).toBe(true);
  });
});

describe("words that stand for something else are marked", () => {
  const last = (text: string) => splitCommand(text).segments.at(-1)?.words.at(-1);

  test.each(["$x", '"$x"', "a{b,c}", "~root", "a=~/b", "~+", "$'a'", "`a`", "x{1..3}"])("%s", (text) => {
    expect(last(`echo ${text}`)?.isExpanded).toBe(true);
    expect(splitCommand(`echo ${text}`).isPlain).toBe(false);
  });

  test.each(["'$x'", "\\$x", "HEAD~1", "'a{b}'", "~/a", "a$"])("%s is not", (text) => {
    expect(last(`echo ${text}`)?.isExpanded).toBe(false);
  });

  test("wildcards are, unless they are quoted", () => {
    expect(last("ls a*b?[c]")?.wildcards).toEqual([1, 3, 4, 6]);
    expect(last("ls 'a*'\\?\"[\"")?.wildcards).toEqual([]);
  });
});

test.each(["$(", "(", '"', "'", "`", "a;", "<<A ", "${", "\\", "<(", "\\\n", "$", "[[ ", "{", "a'b'", "#"])(
  "100,000 characters of %j are split",
  (part) => {
    expect(typeof splitCommand(part.repeat(100_000 / part.length)).isPlain).toBe("boolean");
  },
);
