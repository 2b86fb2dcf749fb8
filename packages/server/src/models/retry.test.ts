import { describe, expect, it } from "vitest";
import { ModelError, type ModelErrorKind } from "./model-provider.ts";
import { abortableSleep, DEFAULT_RETRY_POLICY, nextRetryDelay } from "./retry.ts";

const policy = {
  ...DEFAULT_RETRY_POLICY,
  maxAttempts: 4,
  baseDelayMs: 100,
  maxDelayMs: 350,
  maxTotalMs: 10_000,
  maxRetryAfterMs: 5_000,
};
const failure = (kind: ModelErrorKind, retryAfterMs?: number) => new ModelError(kind, "x", { retryAfterMs });
const ask = (question: Partial<Parameters<typeof nextRetryDelay>[0]>) =>
  nextRetryDelay({
    error: failure("server"),
    attempt: 1,
    elapsedMs: 0,
    policy,
    random: () => 0.5,
    ...question,
  });

describe("nextRetryDelay", () => {
  it.each([
    ["rate-limit", true],
    ["server", true],
    ["network", true],
    ["timeout", true],
    ["quota", false],
    ["authentication", false],
    ["invalid-request", false],
    ["context-length", false],
    ["not-found", false],
  ] as const)("retries %s: %s", (kind, expected) => {
    expect(ask({ error: failure(kind) }) !== undefined).toBe(expected);
  });

  it("doubles its bound up to the maximum, and jitters over all of it", () => {
    expect([1, 2, 3].map((attempt) => ask({ attempt, random: () => 1 }))).toEqual([100, 200, 350]);
    expect([1, 2, 3].map((attempt) => ask({ attempt, random: () => 0 }))).toEqual([0, 0, 0]);
  });

  it("waits exactly as long as the provider asks", () => {
    expect(ask({ error: failure("rate-limit", 1234), random: () => 0 })).toBe(1234);
  });

  it("is not hurried by a provider that asks for no wait", () => {
    const asked = { error: failure("rate-limit", 0), random: () => 1 };
    expect([1, 2, 3].map((attempt) => ask({ ...asked, attempt }))).toEqual([100, 200, 350]);
  });

  it("gives up at once when the provider asks for too long", () => {
    expect(ask({ error: failure("rate-limit", 5001) })).toBeUndefined();
  });

  it("gives up after the last attempt", () => {
    expect([3, 4, 5].map((attempt) => ask({ attempt }) !== undefined)).toEqual([true, false, false]);
  });

  it("begins no attempt after the total time", () => {
    expect(ask({ elapsedMs: 9_950 })).toBe(50);
    expect(ask({ elapsedMs: 9_951 })).toBeUndefined();
  });
});

describe("abortableSleep", () => {
  it("resolves", async () => {
    await expect(abortableSleep(1, new AbortController().signal)).resolves.toBeUndefined();
  });

  it("throws the signal's reason, before and during the wait", async () => {
    const reason = new Error("enough");
    await expect(abortableSleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = abortableSleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
