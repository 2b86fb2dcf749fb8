import { describe, expect, test } from "vitest";
import { AgentSlots } from "./agent-slots.ts";

const never = new AbortController().signal;

/** Whether it has settled by the end of this turn of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("AgentSlots", () => {
  test("lets in as many as may work, and the others in their order", async () => {
    const slots = new AgentSlots(() => 2);
    await slots.enter(1, never);
    await slots.enter(1, never);
    const third = slots.enter(1, never);
    const fourth = slots.enter(1, never);
    expect(await isSettled(third)).toBe(false);
    slots.leave(1);
    expect(await isSettled(third)).toBe(true);
    expect(await isSettled(fourth)).toBe(false);
    slots.leave(1);
    slots.leave(1);
    slots.leave(1);
    await fourth;
    await slots.enter(1, never);
    await slots.enter(1, never);
    expect(await isSettled(slots.enter(1, AbortSignal.abort(new Error("enough")))).valueOf()).toBe(true);
  });

  test("gives each level places of its own", async () => {
    const slots = new AgentSlots(() => 1);
    await slots.enter(1, never);
    await slots.enter(2, never);
    expect(await isSettled(slots.enter(1, never))).toBe(false);
  });

  test("forgets who waits no longer", async () => {
    const slots = new AgentSlots(() => 1);
    await slots.enter(1, never);
    const controller = new AbortController();
    const leaving = slots.enter(1, controller.signal);
    const staying = slots.enter(1, never);
    controller.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    slots.leave(1);
    await staying;
  });
});
