import { describe, expect, test } from "vitest";
import { listAttribute, parseFrontMatter, textAttribute } from "./front-matter.ts";

describe("parseFrontMatter", () => {
  test("reads text, quotes, booleans, lists, maps and blocks, and gives the body without them", async () => {
    const text = `---
# a comment
name: reviewer  # behind a value
description: "Says \\"no\\": often"
single: 'it''s'
infer: false
tools: [view, "grep", 'glob']
paths:
  - src/**
  # between
  - "docs/*.md"
long: >-
  folded
  text

  and more
kept: |
  one
    two
empty:
deep:
  map: value
  in:
    map: [a, b]
  list:
    - one: 1
      two: true
flow: {a: 1}
version: 4.10
---

Body: with a colon
---
`;
    expect(await parseFrontMatter(text)).toEqual({
      attributes: {
        name: "reviewer",
        description: 'Says "no": often',
        single: "it's",
        infer: false,
        tools: ["view", "grep", "glob"],
        paths: ["src/**", "docs/*.md"],
        long: "folded text\nand more",
        kept: "one\n  two\n",
        empty: "",
        deep: { map: "value", in: { map: ["a", "b"] }, list: [{ one: "1", two: true }] },
        flow: { a: "1" },
        version: "4.10",
      },
      body: "Body: with a colon\n---\n",
    });
  });

  test("takes Windows line ends and a byte order mark", async () => {
    expect(await parseFrontMatter("\uFEFF---\r\napplyTo: '**'\r\n---\r\nText\r\n")).toEqual({
      attributes: { applyTo: "**" },
      body: "Text\n",
    });
  });

  test("leaves text alone that has no such block, or one without an end", async () => {
    for (const text of ["# Title\n---\n", "---\nname: x\n", "", " ---\na: b\n---\n"])
      expect(await parseFrontMatter(text)).toEqual({ attributes: {}, body: text });
  });

  test("is not confused by names of Object's own", async () => {
    const { attributes } = await parseFrontMatter("---\n__proto__: x\nconstructor: y\n---\n");
    expect(attributes.constructor).toBe("y");
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
  });

  test.each([
    ["applyTo: **/*.ts # all", { applyTo: "**/*.ts" }],
    ["description: Use it when: asked, @home", { description: "Use it when: asked, @home" }],
    ["paths: [**/*.{ts,tsx}, 'docs/**']", { paths: ["**/*.{ts,tsx}", "docs/**"] }],
    ['paths:\n  - **/*.ts\n  # between\n  - "docs/**"', { paths: ["**/*.ts", "docs/**"] }],
    ["a: \"no end\nb: {c: [d]}\ne: 'it''s'", { a: '"no end', b: { c: ["d"] }, e: "it's" }],
    ["a: [b\nc: d", { a: "[b", c: "d" }],
  ])("takes a value that is no YAML as it stands, and reads the others: %s", async (block, attributes) => {
    expect((await parseFrontMatter(`---\n${block}\n---\n`)).attributes).toEqual(attributes);
  });

  test("takes aliases as text: they may stand for more than memory holds, or for what they are in", async () => {
    const names = [..."abcdefghijklm"];
    const lines = names.map((name, at) => {
      const items = Array.from({ length: 10 }, () => (at === 0 ? "x" : `*${names[at - 1]}`));
      return `${name}: &${name} [${items.join(", ")}]`;
    });
    const { attributes } = await parseFrontMatter(`---\n${lines.join("\n")}\nz: [1]\n---\n`);
    expect(attributes).toMatchObject({ b: `&b [${Array(10).fill("*a").join(", ")}]`, z: ["1"] });
    expect((await parseFrontMatter("---\na: &a [*a]\n---\n")).attributes).toEqual({ a: "&a [*a]" });
  });
});

describe("attributes", () => {
  test("a list may be text with commas, but not inside braces", () => {
    expect(listAttribute("**/*.{ts,tsx}, docs/** ,")).toEqual(["**/*.{ts,tsx}", "docs/**"]);
    expect(listAttribute(["a,b"])).toEqual(["a,b"]);
    expect(listAttribute(true)).toBeUndefined();
  });

  test("text is text that is there", () => {
    expect([textAttribute("x"), textAttribute(""), textAttribute(true), textAttribute(["x"])]).toEqual([
      "x",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
