import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "../event-log.ts";

const fileName = "checkpoint.json";
const shape = /^\{"cursor":(\d{1,16}),"state":/;

/**
 * Replaces the checkpoint, whole or not at all. No fsync: a checkpoint that a power cut spoilt is
 * ignored by `readCheckpoint`, and costs a longer read. `isHeld` is asked last: an owner that lost
 * its lease meanwhile replaces nothing. False if so.
 */
export async function writeCheckpoint(
  directory: string,
  checkpoint: Checkpoint,
  isHeld: () => Promise<boolean>,
): Promise<boolean> {
  const draft = join(directory, `.checkpoint-${randomBytes(6).toString("hex")}`);
  try {
    const text = `{"cursor":${checkpoint.cursor},"state":${checkpoint.state}}\n`;
    await writeFile(draft, text, { mode: 0o600 });
    if (!(await isHeld())) return false;
    await rename(draft, join(directory, fileName));
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The checkpoint, if it can be read and fits a log of `end` bytes; undefined otherwise. */
export async function readCheckpoint(
  directory: string,
  logPath: string,
  end: number,
): Promise<Checkpoint | undefined> {
  const checkpoint = parseCheckpoint(await readFile(join(directory, fileName), "utf8").catch(() => ""));
  if (!checkpoint || checkpoint.cursor > end) return undefined;
  return (await isLineBoundary(logPath, checkpoint.cursor)) ? checkpoint : undefined;
}

function parseCheckpoint(text: string): Checkpoint | undefined {
  const head = shape.exec(text);
  if (!head) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  // The state as it was given, not as it would be written again.
  const state = text.slice(head[0].length, text.lastIndexOf("}"));
  return { cursor: Number(head[1]), state };
}

async function isLineBoundary(logPath: string, cursor: number): Promise<boolean> {
  if (cursor === 0) return true;
  let file: FileHandle | undefined;
  try {
    file = await open(logPath, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, cursor - 1);
    return bytesRead === 1 && buffer[0] === 0x0a;
  } finally {
    await file?.close();
  }
}
