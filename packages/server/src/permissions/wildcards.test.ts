import { expect, test } from "vitest";
import { coversPath as coversPathIn, coversText as coversTextIn, Steps } from "./wildcards.ts";

const coversPath = (pattern: string, path: string) => coversPathIn(pattern, path, new Steps());
const coversText = (pattern: string, text: string) => coversTextIn(pattern, text, new Steps());

test.each([
  ["/etc/**", "/etc/passwd", true],
  ["/etc/**", "/etc/a/b", true],
  ["/etc/**", "/etc", true],
  ["/etc/**", "/etcetera/a", false],
  ["/etc/*", "/etc/a", true],
  ["/etc/*", "/etc/a/b", false],
  ["**/secret.txt", "/a/b/secret.txt", true],
  ["**/secret.txt", "/a/b/mysecret.txt", false],
  ["/a/**/b", "/a/b", true],
  ["/a/**/b", "/a/x/y/b", true],
  ["/a/**/b", "/a/xb", false],
  ["/a?.txt", "/ab.txt", true],
  ["/a?.txt", "/a/.txt", false],
  ["/a[b](c)+.txt", "/a[b](c)+.txt", true],
  ["**", "/anything", true],
])("the path pattern %s and %s: %s", (pattern, path, expected) =>
  expect(coversPath(pattern, path)).toBe(expected),
);

test.each([
  ["git push *", "git push origin main", true],
  ["git push *", "git push", true],
  ["git push *", "git pushx", false],
  ["git *", "git", true],
  ["rm*", "rm -rf /a/b", true],
  ["*", "", true],
  ["", "a", false],
])("the pattern %s and %s: %s", (pattern, text, expected) =>
  expect(coversText(pattern, text)).toBe(expected),
);

test("no pattern takes long", () => {
  const text = "a".repeat(20_000);
  expect(coversText(`${"*a".repeat(100)}b`, text)).toBe(false);
  expect(coversPath(`${"**/*a".repeat(50)}b`, `/${text}`)).toBe(false);
});
