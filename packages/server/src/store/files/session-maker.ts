import { randomBytes } from "node:crypto";
import { close, constants, mkdir, open, rename, rm, writeFile } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type SessionKey, StoreError } from "../event-log.ts";
import { errorCode } from "./errors.ts";
import { eventsFileName, sessionDirectory, stateDirectory } from "./layout.ts";

// Callbacks underneath: half the cost of the file handles of node:fs/promises.
const makeDirectory = promisify(mkdir);
const openFile = promisify(open);
const writeText = promisify(writeFile);
const renamePath = promisify(rename);
const removePath = promisify(rm);

/**
 * Makes a session's directory with an empty log and its first claim, under a name of its own, and
 * then gives it its id in one step: nobody ever sees half a session. Returns the log's descriptor.
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
  await makeDraft(draft, state);
  let fd = -1;
  try {
    const claimed = writeText(join(draft, firstClaim.name), firstClaim.text, { mode: 0o600 });
    const opened = openFile(join(draft, eventsFileName), openFlags | constants.O_CREAT, 0o600);
    const outcomes = await Promise.allSettled([opened, claimed]);
    if (outcomes[0].status === "fulfilled") fd = outcomes[0].value;
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    await renamePath(draft, sessionDirectory(home, key));
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
