/** Process groups: every shell leads one, and is ended as one. */
import { setTimeout as sleep } from "node:timers/promises";

const TERM_GRACE_MS = 400;
const KILL_GRACE_MS = 400;
const POLL_MS = 10;

/** Whether any process of the group is left. */
export function groupExists(groupId: number): boolean {
  return signalGroup(groupId, 0);
}

/**
 * SIGTERM, then SIGKILL after 400 ms. Resolves when the group is gone, and in any case within a second:
 * what is left then is dead and waits for a parent that does not collect it. Does not throw.
 */
export async function endGroup(groupId: number): Promise<void> {
  if (signalGroup(groupId, "SIGTERM") && !(await isGone(groupId, TERM_GRACE_MS))) {
    signalGroup(groupId, "SIGKILL");
    await isGone(groupId, KILL_GRACE_MS);
  }
}

async function isGone(groupId: number, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!groupExists(groupId)) return true;
  }
  return !groupExists(groupId);
}

/** False when there is no such group. */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-groupId, signal);
  } catch (error) {
    // It belongs to another user, which a command can arrange (sudo): it exists, and we may not touch it.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
