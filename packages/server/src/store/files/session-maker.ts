import { randomBytes } from "node:crypto";
import {
  close,
  constants,
  mkdir,
  open,
  openSync,
  rename,
  renameSync,
  rm,
  writeFile,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import { errorCode } from "./errors.ts";
import { eventsFileName, sessionDirectory, stateDirectory } from "./layout.ts";

const removePath = promisify(rm);
const makeDirectory = promisify(mkdir);
const writeText = promisify(writeFile);
const openFile = promisify(open);
const renamePath = promisify(rename);

/** A disk that takes longer for one name may take so long for the next that nothing else is answered meanwhile. */
const SLOW_MS = 20;

/**
 * Makes a session's directory with an empty log and its first claim, under a name of its own, and
 * then gives it its id in one step: nobody ever sees half a session. Returns the log's descriptor.
 *
 * The first step goes by a thread of the pool: a disk that does not answer holds nobody else up. When it comes back
 * at once, the others are synchronous: they change names and write no data to the disk, each cheaper than the way
 * to a thread and back.
 * @throws StoreError `conflict` if the session exists.
 */
export async function makeSession(
  home: string,
  key: SessionKey,
  firstClaim: { readonly name: string; readonly text: string },
  openFlags: number,
): Promise<number> {
  const state = stateDirectory(home, key.tenant);
  const draft = join(state, `.new-${randomBytes(8).toString("hex")}`);
  const startedMs = performance.now();
  await makeDraft(draft, state);
  const isSlow = performance.now() - startedMs > SLOW_MS;
  const [claim, log, place] = [
    join(draft, firstClaim.name),
    join(draft, eventsFileName),
    sessionDirectory(home, key),
  ];
  const flags = openFlags | constants.O_CREAT;
  let fd = -1;
  try {
    if (isSlow) {
      await writeText(claim, firstClaim.text, { mode: 0o600 });
      fd = await openFile(log, flags, 0o600);
      await renamePath(draft, place);
    } else {
      writeFileSync(claim, firstClaim.text, { mode: 0o600 });
      fd = openSync(log, flags, 0o600);
      renameSync(draft, place);
    }
    return fd;
  } catch (error) {
    if (fd >= 0) close(fd, () => undefined);
    await removePath(draft, { recursive: true, force: true });
    const code = errorCode(error);
    // What systems say of a rename onto a directory that is not empty.
    const exists = ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code ?? "");
    if (exists || (process.platform === "win32" && code === "EPERM")) {
      throw new StoreError("conflict", `session ${key.sessionId} exists already`, { cause: error });
    }
    throw error;
  }
}

async function makeDraft(draft: string, state: string): Promise<void> {
  try {
    await makeDirectory(draft, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    await makeDirectory(state, { recursive: true, mode: 0o700 });
    await makeDirectory(draft, { mode: 0o700 });
  }
}
