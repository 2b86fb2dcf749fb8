/**
 * Puts files back to what they were. A file that holds anything else than what was last written to it
 * is left alone: somebody else changed it. All or none: when one fails, those before it are put forth again.
 */
import { constants } from "node:fs";
import { type FileHandle, open, realpath, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type KeptFiles, sha256Of } from "./kept-files.ts";

export interface FileToRestore {
  /** Absolute and canonical: a path that leads elsewhere by now is left alone. */
  readonly path: string;
  /** SHA-256 of what to put back; null for a file that there was not, undefined when it was not kept. */
  readonly before: string | null | undefined;
  /** SHA-256 of what was last written. */
  readonly after: string;
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: "user-modified" | "skipped-capture";
}

export interface RestoredFiles {
  /** Paths. */
  readonly restored: readonly string[];
  readonly skipped: readonly SkippedFile[];
  /** Why one could not be written; all others are as they were, unless `isRolledBack` is false. */
  readonly error?: Error;
  readonly isRolledBack?: boolean;
}

interface Step {
  readonly path: string;
  /** As in `FileToRestore`, and known to be kept. */
  readonly goal: string | null;
}

/** What it takes to put a file forth again: what it held, or the name that it is kept by; null for no file. */
interface Undo {
  readonly path: string;
  readonly now: Uint8Array | string | null;
}

export async function restoreFiles(kept: KeptFiles, files: readonly FileToRestore[]): Promise<RestoredFiles> {
  const steps: Step[] = [];
  const skipped: SkippedFile[] = [];
  const there = await kept.list();
  for (const file of files) {
    const step = await plan(there, file);
    if (typeof step === "string") skipped.push({ path: file.path, reason: step });
    else if (step) steps.push(step);
  }
  const undo: Undo[] = [];
  for (const { path, goal } of steps) {
    try {
      const now = await contentOf(path);
      if (now === "strange") throw new Error(`${path} was replaced while files were put back`);
      undo.push({ path, now: now === undefined ? null : ((await kept.keep(now)) ?? now) });
      await put(path, goal === null ? undefined : await readKept(kept, goal));
    } catch (error) {
      return { restored: [], skipped, error: toError(error), isRolledBack: await rollBack(kept, undo) };
    }
  }
  return { restored: steps.map(({ path }) => path), skipped };
}

/** What to do; undefined when it is as it was already, or the reason to leave it. */
async function plan(
  there: ReadonlySet<string>,
  { path, before, after }: FileToRestore,
): Promise<Step | SkippedFile["reason"] | undefined> {
  const now = await contentOf(path);
  if (now === "strange") return "user-modified";
  const hash = now === undefined ? null : sha256Of(now);
  if (hash === before) return undefined;
  if (hash !== after) return "user-modified";
  if (before === undefined || (before !== null && !there.has(before))) return "skipped-capture";
  return { path, goal: before };
}

async function readKept(kept: KeptFiles, sha256: string): Promise<Uint8Array> {
  const content = await kept.read(sha256);
  if (content === undefined) throw new Error(`what a file held (${sha256}) is not kept any more`);
  return content;
}

/** Undefined when there is no file; "strange" when there is something else, or the path leads elsewhere. */
async function contentOf(path: string): Promise<Uint8Array | undefined | "strange"> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && real !== path) return "strange";
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "strange";
  }
  try {
    return (await handle.stat()).isFile() ? await handle.readFile() : "strange";
  } finally {
    await handle.close();
  }
}

/** In place where there is a file, so that owner and mode stay as they are. */
async function put(path: string, content: Uint8Array | undefined): Promise<void> {
  if (content === undefined) return rm(path);
  if ((await realpath(dirname(path))) !== dirname(path)) throw new Error(`${path} leads elsewhere by now`);
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
  try {
    for (let written = 0; written < content.length; )
      written += (await handle.write(content, written, content.length - written, written)).bytesWritten;
    await handle.truncate(content.length);
  } finally {
    await handle.close();
  }
}

async function rollBack(kept: KeptFiles, undo: readonly Undo[]): Promise<boolean> {
  let isWhole = true;
  for (const { path, now } of [...undo].reverse()) {
    try {
      const content = typeof now === "string" ? await readKept(kept, now) : now;
      if (content !== null) await put(path, content);
      else await rm(path, { force: true });
    } catch {
      isWhole = false;
    }
  }
  return isWhole;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
