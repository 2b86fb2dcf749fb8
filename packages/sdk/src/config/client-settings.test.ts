import { describe, expect, test } from "vitest";
import { type CopilotClientOptions, RuntimeConnection } from "../types/client-options.ts";
import { resolveConnection, timesOf } from "./client-settings.ts";

const ONE = RuntimeConnection.forUri("localhost:1");
const TWO = RuntimeConnection.forUris(["localhost:1", "localhost:2"]);
const timesWith = (options: CopilotClientOptions) => timesOf(options, resolveConnection(options));

describe("times that nobody chose", () => {
  test("of one address: a ping after 3 seconds of silence, and 7 for its answer", () => {
    expect(timesWith({ connection: ONE })).toEqual({
      heartbeat: { silenceMs: 3000, answerMs: 7000, idleMs: 15_000 },
      connectTimeoutMs: 10_000,
      tokenTimeoutMs: 10_000,
      maxAdmissionMs: 10_000,
    });
  });

  test("of several addresses: a ping after 350 ms of silence, and 600 for its answer", () => {
    expect(timesWith({ connection: TWO })).toEqual({
      heartbeat: { silenceMs: 350, answerMs: 600, idleMs: 15_000 },
      connectTimeoutMs: 900,
      tokenTimeoutMs: 10_000,
      maxAdmissionMs: 10_000,
    });
  });
});

test("with connectTimeoutMs a token has so long, and a server that holds its answer back three times", () => {
  const { connectTimeoutMs, tokenTimeoutMs, maxAdmissionMs } = timesWith({
    connection: TWO,
    connectTimeoutMs: 50,
  });
  expect([connectTimeoutMs, tokenTimeoutMs, maxAdmissionMs]).toEqual([50, 50, 150]);
});

test("a runtime in the process is refused, and what to do is said", () => {
  const connection = RuntimeConnection.forInProcess();
  expect(() => resolveConnection({ connection })).toThrow(
    /^RuntimeConnection.forInProcess\(\) is not supported by @rightseat\/sdk: .*forUri/,
  );
});
