import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { afterEach, describe, expect, test, vi } from "vitest";
import { giveWay, giveWayAsGroup, setChildNiceness } from "./child-priority.ts";

const OWN = getPriority();
const NICER = Math.min(19, OWN + 7);
let children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  setChildNiceness(() => 0);
});

function start(): number {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  children.push(child);
  return child.pid as number;
}

const autogroup = (pid: number | "self") =>
  existsSync(`/proc/${pid}/autogroup`) ? readFileSync(`/proc/${pid}/autogroup`, "latin1") : `nice ${NICER}`;

describe("a child", () => {
  test("is nicer than the server by what is set, and so is its automatic group", async () => {
    setChildNiceness(() => 7);
    // More at once than Linux takes of users other than root.
    const pids = Array.from({ length: 3 }, start);
    for (const pid of pids) giveWayAsGroup(pid, () => true);
    for (const pid of pids) {
      expect(getPriority(pid)).toBe(NICER);
      await vi.waitFor(() => expect(autogroup(pid)).toContain(`nice ${NICER}`), { timeout: 5_000 });
    }
  });

  test("in the server's own group gets a lower priority, and the group stays as it is", () => {
    setChildNiceness(() => 7);
    const before = autogroup("self");
    const pid = start();
    giveWay(pid);
    expect(getPriority(pid)).toBe(NICER);
    expect(autogroup("self")).toBe(before);
  });

  test("is as the server is when none are to give way", () => {
    setChildNiceness(() => 0);
    const pid = start();
    giveWayAsGroup(pid, () => true);
    expect(getPriority(pid)).toBe(OWN);
  });

  test("that has ended is nothing to fail of", () => {
    setChildNiceness(() => 7);
    giveWayAsGroup(2 ** 22 - 1, () => true);
  });
});
