import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { diffOfReplacement, diffOfUnplaced } from "./edit-diff.ts";

const directory = mkdtempSync(join(tmpdir(), "edit-diff-"));
afterAll(() => rmSync(directory, { recursive: true }));

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");
const diffOf = (before: string, oldText: string, newText: string) =>
  diffOfReplacement("f", { before, at: before.indexOf(oldText), oldText, newText });

test("an edit of many lines that changes few of them shows those", () => {
  const oldText = numbers(20);
  const newText = oldText.replace("3\n", "three\n").replace("17\n", "");
  expect(diffOf(`${oldText}21\n`, oldText, newText)).toBe(
    [
      "--- f\n+++ f",
      "@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6",
      "@@ -14,7 +14,6 @@\n 14\n 15\n 16\n-17\n 18\n 19\n 20",
    ].join("\n"),
  );
});

test.each([
  ["at the beginning", "\n\na\nb\n", "\n\na", "c"],
  ["of the first character", "\nabc\n", "\n", ""],
  ["of a part of a line", numbers(30), "15\n1", "x\ny\n"],
  ["of a line's end, which joins two", numbers(30), "15\n", "15"],
  ["at the end", numbers(9), "8\n9\n", "8\n9"],
  ["of a last line without an end", "a\nb", "b", "b\nc"],
  ["of everything", "a\nb\n", "a\nb\n", ""],
  ["of Windows lines", "a\r\nb\r\nc\r\n", "b\r\n", "x\r\ny\r\n"],
  ["of one line of many that are the same", "a\n".repeat(20), `${"a\n".repeat(20)}`, "a\n".repeat(19)],
  ["of more lines than are compared", `x\n${numbers(3000)}y\n`, numbers(3000), "z\n".repeat(3000)],
])(
  "patch makes the new text of the old one with the diff of an edit %s",
  async (_, before, oldText, newText) => {
    const file = join(directory, "f");
    writeFileSync(file, before);
    execFileSync("git", ["init", "--quiet", directory]);
    const diff = diffOf(before, oldText, newText).replace("--- f\n+++ f", "--- a/f\n+++ b/f");
    // Line numbers are believed as they are: no context may be looked for elsewhere.
    execFileSync("git", ["apply", "--unidiff-zero", "-"], { cwd: directory, input: `${diff}\n` });
    const at = before.indexOf(oldText);
    expect(await readFile(file, "utf8")).toBe(
      before.slice(0, at) + newText + before.slice(at + oldText.length),
    );
  },
);

test("an edit whose place is not known shows what would go and what would come", () => {
  expect(diffOfUnplaced("f", "a\nb", "c\n")).toBe(
    "--- f\n+++ f\n@@ -1,2 +1,1 @@\n-a\n-b\n\\ No newline at end of file\n+c",
  );
});
