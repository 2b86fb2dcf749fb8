import { describe, expect, it } from "vitest";
import { isDeeperThan, MAX_JSON_DEPTH, scalarFieldOf } from "./json-depth.ts";

const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${"]}".repeat(depth / 2)}`;

describe("isDeeperThan", () => {
  it("tells the deepest that may come from what is one deeper", () => {
    expect(isDeeperThan(nested(MAX_JSON_DEPTH))).toBe(false);
    expect(isDeeperThan(`[${nested(MAX_JSON_DEPTH)}]`)).toBe(true);
  });

  it("does not count brackets in strings, with whatever is escaped in them", () => {
    const text = JSON.stringify([`"${"[".repeat(500)}\\`, '\\"', "{".repeat(500), '"[[']);
    expect(isDeeperThan(text)).toBe(false);
    expect(isDeeperThan(text, 0)).toBe(true);
  });

  it("does not count what is side by side", () => {
    expect(isDeeperThan(`[${"[],{},".repeat(10_000)}1]`)).toBe(false);
  });

  it("looks at the largest texts in time that grows with them: backslashes, quotes and open strings", () => {
    const size = 4 * 1024 * 1024;
    expect(isDeeperThan(`"${"\\".repeat(size)}`)).toBe(false);
    expect(isDeeperThan(`"${'\\"'.repeat(size / 2)}`)).toBe(false);
    expect(isDeeperThan('"'.repeat(size))).toBe(false);
    expect(isDeeperThan("[".repeat(size))).toBe(true);
  });
});

describe("scalarFieldOf", () => {
  it("reads a text or a number of the object itself, wherever it stands", () => {
    const text = JSON.stringify({ params: { id: 5, s: '"id":6' }, note: "id", id: 'a"b', method: 7 });
    expect([scalarFieldOf(text, "id"), scalarFieldOf(text, "method")]).toEqual(['a"b', 7]);
    expect(scalarFieldOf(`{"params":${"[".repeat(9)}1${"]".repeat(9)} , "id" : -3 }`, "id")).toBe(-3);
  });

  it("has nothing for other values, and for text that is no object", () => {
    for (const text of ['{"id":{}}', '{"id":null}', '["id",3]', '{"id"', "", '{"a":"\\'])
      expect(scalarFieldOf(text, "id")).toBeUndefined();
  });
});
