import { describe, expect, test } from "vitest";
import { listAttribute, parseFrontMatter, textAttribute } from "./front-matter.ts";

describe("parseFrontMatter", () => {
  test("reads text, quotes, booleans, lists and blocks, and gives the body without them", () => {
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
flow: {a: 1}
---

Body: with a colon
---
`;
    expect(parseFrontMatter(text)).toEqual({
      attributes: {
        name: "reviewer",
        description: 'Says "no": often',
        single: "it's",
        infer: false,
        tools: ["view", "grep", "glob"],
        paths: ["src/**", "docs/*.md"],
        long: "folded text\n\nand more",
        kept: "one\n  two",
        empty: "",
      },
      body: "Body: with a colon\n---\n",
    });
  });

  test("takes Windows line ends and a byte order mark", () => {
    expect(parseFrontMatter("\uFEFF---\r\napplyTo: '**'\r\n---\r\nText\r\n")).toEqual({
      attributes: { applyTo: "**" },
      body: "Text\n",
    });
  });

  test("leaves text alone that has no such block, or one without an end", () => {
    for (const text of ["# Title\n---\n", "---\nname: x\n", "", " ---\na: b\n---\n"])
      expect(parseFrontMatter(text)).toEqual({ attributes: {}, body: text });
  });

  test("is not confused by names of Object's own", () => {
    expect(parseFrontMatter("---\n__proto__: x\nconstructor: y\n---\n").attributes.constructor).toBe("y");
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
