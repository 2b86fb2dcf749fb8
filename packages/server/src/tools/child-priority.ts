/**
 * How much the server goes before the processes that it starts, where both want the processor: one tenant's commands
 * are not to slow down everybody's turns.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** Linux lets users other than root change it ten times a second, all of them together. */
const AGAIN_MS = 150;
const MAX_TRIES = 10;

const LOWEST = 19;

const OWN = getPriority();

let beyond: () => number = () => 0;
let hasAutogroups: boolean | undefined;

/** @param niceness how much nicer than the server a child is, asked when it begins: 0 to 19. */
export function setChildNiceness(niceness: () => number): void {
  beyond = niceness;
}

/** The niceness of a child that begins now; undefined when it is the server's. */
function nicenessNow(): number | undefined {
  const more = beyond();
  return more === 0 ? undefined : Math.min(LOWEST, OWN + more);
}

/**
 * Lets a process that was just started give way to the server, with all that it starts. One that has ended, or that the
 * system leaves alone, stays as it is. @returns whether there is more to do.
 */
export function giveWay(pid: number): boolean {
  const niceness = nicenessNow();
  if (niceness === undefined) return false;
  try {
    setPriority(pid, niceness);
    return true;
  } catch {
    return false;
  }
}

/** The same for one that leads a session of its own. @param isThere whether the id is still the process's. */
export function giveWayAsGroup(pid: number, isThere: () => boolean): void {
  if (!giveWay(pid)) return;
  hasAutogroups ??= readAutogroups();
  if (hasAutogroups) lowerAutogroup(pid, isThere, MAX_TRIES);
}

/** With automatic groups each session has its share of the processor, and a priority counts within it alone. */
function lowerAutogroup(pid: number, isThere: () => boolean, tries: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nicenessNow() ?? OWN));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || tries <= 1) return;
    setTimeout(() => {
      if (isThere()) lowerAutogroup(pid, isThere, tries - 1);
    }, AGAIN_MS).unref();
  }
}

function readAutogroups(): boolean {
  try {
    return readFileSync("/proc/sys/kernel/sched_autogroup_enabled", "latin1").trim() === "1";
  } catch {
    return false;
  }
}
