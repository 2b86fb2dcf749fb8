import { expect, test } from "vitest";
import { Governor } from "./governor.ts";

function governor(childProcesses: number): Governor {
  return new Governor({
    config: { server: {}, default: { childProcesses }, tenants: {} },
    mayStore: async () => true,
    onWaited: () => undefined,
  });
}

test("a place that is about to be free is waited for, by as many as it is for", async () => {
  const limits = governor(1);
  const giveBack = await limits.takeProcess("a");
  const waiting = [limits.takeProcess("a"), limits.takeProcess("a")];
  giveBack();
  giveBack();
  const taken = await Promise.allSettled(waiting);
  expect(taken.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(taken[1]).toMatchObject({ reason: { reason: "limit_exceeded" } });
  expect(limits.processes).toBe(1);
});

test("another tenant's places are its own", async () => {
  const limits = governor(1);
  await limits.takeProcess("a");
  await limits.takeProcess("b");
  expect(limits.processes).toBe(2);
});
