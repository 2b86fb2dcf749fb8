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

/** Of children; undefined when they are as the server is. */
let niceness: number | undefined;
let hasAutogroups: boolean | undefined;

/** @param beyond how much nicer than the server all are that begin later: 0 to 19. */
export function setChildNiceness(beyond: number): void {
  niceness = beyond === 0 ? undefined : Math.min(LOWEST, getPriority() + beyond);
}

/**
 * Lets a process that was just started give way to the server, with all that it starts. One that has ended, or that the
 * system leaves alone, stays as it is. @returns whether there is more to do.
 */
export function giveWay(pid: number): boolean {
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
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
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
