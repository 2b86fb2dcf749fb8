import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

const noPrincipals = { principals: [], jwt: [] };

test("an attempt whose client has gone before it is judged is no failure", async () => {
  const gate = new Gate({
    access: noPrincipals,
    sharedSecret: "good",
    attemptDelays: { firstMs: 1, longestMs: 1 },
    onWarning: () => undefined,
  });
  const attempt = (isGone: boolean) => ({ onWait: () => undefined, isGone: () => isGone });
  expect(await gate.admit("bad", "192.0.2.1", attempt(false))).toBeUndefined();
  expect(await gate.admit("good", "192.0.2.1", attempt(true))).toBeUndefined();
  expect(await gate.admit("bad", "192.0.2.1", attempt(true))).toBeUndefined();
  expect(gate.failedAttempts).toBe(1);
  expect(await gate.admit("good", "192.0.2.1", attempt(false))).toMatchObject({ tenant: "default" });
});
