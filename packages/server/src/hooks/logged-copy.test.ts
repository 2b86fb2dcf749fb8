import { expect, test } from "vitest";
import { toLoggedCopy } from "./logged-copy.ts";

test("what is small is logged as it is", () => {
  const input = { toolName: "view", toolArgs: { path: "/a", range: [1, 2], deep: { is: { fine: true } } } };
  expect(toLoggedCopy(input)).toEqual(input);
});

test("texts are clipped, and the whole is bounded, whatever comes", () => {
  expect(toLoggedCopy({ text: "x".repeat(5000) })).toEqual({
    text: `${"x".repeat(1000)}… (5000 characters)`,
  });
  const wide = (depth: number): unknown =>
    depth === 0 ? "x".repeat(5000) : Array.from({ length: 10 }, () => wide(depth - 1));
  expect(JSON.stringify(toLoggedCopy({ wide: wide(3) })).length).toBeLessThan(20_000);
  const round: Record<string, unknown> = {};
  round.self = round;
  expect(JSON.stringify(toLoggedCopy(round))).toContain("…");
});

test("results of tools are left out", () => {
  expect(toLoggedCopy({ toolResult: { textResultForLlm: "secret" }, modifiedResult: "secret" })).toEqual({
    toolResult: true,
    modifiedResult: true,
  });
});
