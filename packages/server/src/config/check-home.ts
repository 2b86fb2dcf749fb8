/** Whether sessions can be kept where they are to be. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** These pass: the server starts, and what is in the home can be deleted. */
const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Makes the folder when it is missing. @returns what is wrong with it; undefined when nothing is, or it is only full. */
export function homeProblem(home: string): string | undefined {
  try {
    makeFolder(home);
    accessSync(home, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (FULL.has(code)) return undefined;
    return `sessions cannot be kept in ${home}: ${message}; name a folder that this user can write with COPILOT_HOME`;
  }
}

/** With those above it. Node's own `recursive` never ends where the system says that a folder which is there is not, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}
