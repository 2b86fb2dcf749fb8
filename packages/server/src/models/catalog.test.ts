import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL_FACTS, isKnownModel, lookUpModel } from "./catalog.ts";
import { MODEL_FAMILIES } from "./catalog-data.ts";

describe("lookUpModel", () => {
  it.each([
    ["gpt-4o-2024-08-06", "gpt-4o"],
    ["gpt-4o-mini", "gpt-4o"],
    ["gpt-5-2025-08-07", "gpt-5"],
    ["openai/gpt-5-mini", "gpt-5"],
    ["gpt-5.6-sol", "gpt-5.6"],
    ["claude-sonnet-4-20250514", "claude-sonnet-4"],
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"],
    ["eu.anthropic.claude-opus-4-1-20250805-v1:0", "claude-opus-4-1"],
    ["models/gemini-2.5-flash", "gemini-2.5"],
    ["llama3.1:8b", "llama3.1"],
    ["gpt-oss:20b", "gpt-oss"],
    ["Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3-coder"],
  ])("takes %s for %s", (id, family) => {
    expect(isKnownModel(id)).toBe(true);
    expect(lookUpModel(id)).toBe(MODEL_FAMILIES.find(([name]) => name === family)?.[1]);
  });

  it("does not take a longer number for a shorter one", () => {
    expect(isKnownModel("gpt-50")).toBe(false);
    expect(isKnownModel("o10")).toBe(false);
  });

  it("has a default for what it does not know", () => {
    expect(lookUpModel("my-own-model")).toEqual(DEFAULT_MODEL_FACTS);
  });

  it("lets overrides correct single facts, the longest match first", () => {
    const overrides = {
      "my-model": { contextWindowTokens: 1 },
      "my-model-large": { supportsVision: true },
      "gpt-4o": { maxOutputTokens: 5 },
    };
    expect(lookUpModel("my-model-large-v2", overrides)).toEqual({
      ...DEFAULT_MODEL_FACTS,
      supportsVision: true,
    });
    expect(lookUpModel("my-model", overrides)).toEqual({ ...DEFAULT_MODEL_FACTS, contextWindowTokens: 1 });
    expect(lookUpModel("gpt-4o-mini", overrides)).toMatchObject({ maxOutputTokens: 5, supportsVision: true });
  });
});

describe("the catalogue", () => {
  it("has each family once, with limits that make sense", () => {
    const names = MODEL_FAMILIES.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [name, facts] of MODEL_FAMILIES) {
      expect(facts.maxOutputTokens, name).toBeLessThanOrEqual(facts.contextWindowTokens);
      expect(facts.maxPromptTokens ?? 1, name).toBeLessThanOrEqual(facts.contextWindowTokens);
    }
  });
});
