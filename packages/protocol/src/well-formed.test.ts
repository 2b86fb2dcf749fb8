import { describe, expect, it } from "vitest";
import { cutText, endOfText, toJson, wellFormedJson } from "./well-formed.ts";

describe("JSON of text with half a surrogate pair", () => {
  it("has U+FFFD in its place, in values and in keys", () => {
    const value = { ["k\ud83d"]: "a\ud83d", b: ["\ude00b", "\ud83d\ud83d\ude00"], c: "😀" };
    expect(JSON.parse(toJson(value))).toEqual({ "k\ufffd": "a\ufffd", b: ["\ufffdb", "\ufffd😀"], c: "😀" });
  });

  it("keeps text that only looks like an escape", () => {
    const value = "C:\\ud83d\\\\ud83d \\uD83D";
    expect(JSON.parse(toJson(value))).toBe(value);
  });

  it("keeps pairs that another program has escaped, and is as many bytes as before", () => {
    const json = String.raw`{"a":"\ud83d\ude00","b":"\uD83D","c":"\ude00\ud83d\uDE00"}`;
    const mended = wellFormedJson(json);
    expect(JSON.parse(mended)).toEqual({ a: "😀", b: "\ufffd", c: "\ufffd😀" });
    expect(mended).toHaveLength(json.length);
  });

  it("is the very text where there is none", () => {
    expect(wellFormedJson('{"a":"\\n😀"}')).toBe('{"a":"\\n😀"}');
  });
});

describe("a text that is cut", () => {
  it("does not end in half a pair", () => {
    expect(cutText("ab😀c", 3)).toBe("ab");
    expect(cutText("ab😀c", 4)).toBe("ab😀");
    expect(cutText("😀", 1)).toBe("");
    expect(cutText("ab", 2)).toBe("ab");
    expect(cutText("ab", 0)).toBe("");
  });

  it("does not begin with half a pair", () => {
    expect(endOfText("a😀bc", 3)).toBe("bc");
    expect(endOfText("a😀bc", 4)).toBe("😀bc");
    expect(endOfText("ab", 5)).toBe("ab");
    expect(endOfText("ab", 0)).toBe("");
  });
});
