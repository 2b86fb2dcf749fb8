import { describe, expect, it } from "vitest";
import { parseSpanMs, waitToldIn } from "./retry-wait.ts";

describe("parseSpanMs", () => {
  it.each([
    ["20s", 20_000],
    ["1m30.5s", 90_500],
    ["250ms", 250],
    ["2h", 7_200_000],
    ["34.074824224s", 34_075],
    ["20", undefined],
    ["-20s", undefined],
    ["soon", undefined],
    ["", undefined],
  ])("%s is %s", (text, spanMs) => {
    expect(parseSpanMs(text)).toBe(spanMs);
  });
});

describe("waitToldIn", () => {
  const google = (retryDelay: unknown) => ({
    error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [null, { retryDelay }] },
  });
  it.each([
    ["Gemini", google("34s"), 34_000],
    ["Gemini, in a list", [google("1.5s")], 1500],
    ["OpenAI", { error: { message: "Rate limit reached. Please try again in 20s. Visit …" } }, 20_000],
    ["Groq", { error: { message: "Limit 6000. Please try again in 7m12.5s." } }, 432_500],
    ["Azure", { error: { message: "Please retry after 12 seconds." } }, 12_000],
    ["a broken delay", google(5), undefined],
    ["no word of it", { error: { message: "Slow down." } }, undefined],
  ])("%s: %j", (_, body, waitMs) => {
    expect(waitToldIn(JSON.stringify(body))).toBe(waitMs);
  });

  it("reads texts that are no JSON, and nothing for ever", () => {
    expect(waitToldIn("try again in 3s")).toBe(3000);
    expect(waitToldIn("[".repeat(100_000))).toBeUndefined();
  });
});
