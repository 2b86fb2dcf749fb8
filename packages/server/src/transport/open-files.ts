/** How many files and sockets the system lets this process have open. */
import { readFileSync } from "node:fs";

/** The part of all open files that clients may take up: the rest is for logs, models, tools and the HTTP port. */
const PART_FOR_CLIENTS = 0.75;

/** As many connections as leave the server able to work. Infinite where the system does not tell. */
export function connectionsThatFit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Math.floor(Number(soft) * PART_FOR_CLIENTS);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
