/** Volumes for sessions that are mounted where the server does not look. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where manifests for the Copilot CLI mount a volume: in the home of whichever user they have in mind. */
const MOUNTED = /\/\.copilot(?:\/session-state)?$/;

/**
 * Mount points that are made for sessions and are not in use, since the server's home is another folder.
 * @param mounts the text of /proc/self/mountinfo.
 */
export function unusedVolumes(mounts: string, home: string): string[] {
  return mounts
    .split("\n")
    .map((line) => unescaped(line.split(" ")[4] ?? ""))
    .filter((path) => MOUNTED.test(path) && path !== home && path !== join(home, "session-state"));
}

/** The same of this process; nothing where the system does not tell. */
export async function findUnusedVolumes(home: string): Promise<string[]> {
  return unusedVolumes(await readFile("/proc/self/mountinfo", "utf8").catch(() => ""), home);
}

/** Blanks are octal numbers there. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
