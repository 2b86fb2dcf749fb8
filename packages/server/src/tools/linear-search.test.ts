import { expect, test } from "vitest";
import { linearIndexOf, occurrences } from "./linear-search.ts";

test("finds what `indexOf` finds, whatever the texts", () => {
  // Few letters, so that beginnings and ends overlap.
  let seed = 7;
  const next = (max: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % max;
  };
  const word = (length: number) => Array.from({ length }, () => "ab"[next(2)]).join("");
  for (let round = 0; round < 2000; round++) {
    const [text, part] = [word(next(60)), word(1 + next(6))];
    const expected: number[] = [];
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) expected.push(at);
    expect([...occurrences(text, part)]).toEqual(expected);
    const longer = part.repeat(70);
    expect(linearIndexOf(text + longer, longer)).toBe((text + longer).indexOf(longer));
  }
});

test("ends with texts of the largest sizes that were made to hold it up", () => {
  const size = 8 * 1024 * 1024;
  const text = "a".repeat(size);
  expect(linearIndexOf(text, `b${"a".repeat(size / 4)}`)).toBe(-1);
  expect(linearIndexOf(text, `${"a".repeat(size / 4)}b`)).toBe(-1);
  expect(linearIndexOf(text, `${"a".repeat(size / 8)}b${"a".repeat(size / 8)}`)).toBe(-1);
});
