/** Output too large for a model: kept in a file, of which the model gets the path and a preview. */

import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cutText, RpcError } from "@rightseat/protocol";
import { type BuiltInToolHost, DEFAULT_MAX_OUTPUT_BYTES } from "./built-in-tool.ts";
import { canonicalPath, isInside } from "./paths.ts";

export const PREVIEW_CHARS = 500;
/** The most files of one session. */
const MAX_FILES = 256;
const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

/** The bytes of UTF-8 that a tool may hand to the model as they are. With zero nothing could be read, not even what was kept. */
export function maxOutputBytes(host: BuiltInToolHost): number {
  return host.largeOutputMaxBytes?.() || DEFAULT_MAX_OUTPUT_BYTES;
}

/** A new file for output, for its owner only. Undefined where large output is not kept. */
export async function openOutputFile(
  host: BuiltInToolHost,
): Promise<{ path: string; handle: FileHandle } | undefined> {
  const directory = host.largeOutputDirectory();
  if (directory === undefined) return undefined;
  // It was checked when the session was told of it; a link may have come since.
  if (host.reach?.().refuses(await canonicalPath(directory), "write") !== undefined) return undefined;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The name is what recorded conversations hold.
  const name = `${Date.now()}-copilot-tool-output-${randomBytes(4).toString("hex")}.txt`;
  const path = join(directory, name);
  const handle = await open(path, "wx", 0o600);
  await dropOldest(host, directory, path);
  return { path, handle };
}

const NAME = /^\d+-copilot-tool-output-[0-9a-f]{8}\.txt$/;

/** The files of each session that keeps them elsewhere, oldest first, since it was loaded. */
const files = new WeakMap<BuiltInToolHost, string[]>();

/** Oldest first. In a directory of the session's own all are its files; one that it was told may be others', too. */
async function filesOf(host: BuiltInToolHost, directory: string, added: string): Promise<string[]> {
  const own = host.sessionDirectory?.();
  if (own !== undefined && isInside(directory, own))
    return (await readdir(directory))
      .filter((name) => NAME.test(name))
      .sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
      .map((name) => join(directory, name));
  const paths = [...(files.get(host) ?? []), added];
  files.set(host, paths);
  return paths;
}

/** One session may not fill the disk, however long it lives. What is dropped here a model has long read. */
async function dropOldest(host: BuiltInToolHost, directory: string, added: string): Promise<void> {
  const paths = await filesOf(host, directory, added);
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  for (const size of sizes) {
    if (paths.length <= MAX_FILES && bytes <= MAX_TOTAL_BYTES) break;
    await rm(paths.shift() as string, { force: true });
    bytes -= size;
  }
}

/** Whether so much more output may be kept. */
export async function mayKeepOutput(host: BuiltInToolHost, bytes: number): Promise<boolean> {
  try {
    await host.admitStoring?.(bytes);
    return true;
  } catch (error) {
    if (error instanceof RpcError && error.reason === "limit_exceeded") return false;
    throw error;
  }
}

/** The text itself, or, when it is too large, what the model reads instead. */
export async function limitOutput(text: string, host: BuiltInToolHost): Promise<string> {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxOutputBytes(host)) return text;
  const file = (await mayKeepOutput(host, bytes)) ? await openOutputFile(host) : undefined;
  try {
    await file?.handle.writeFile(text);
  } finally {
    await file?.handle.close();
  }
  return describeLargeOutput({ bytes, path: file?.path, head: cutText(text, PREVIEW_CHARS) });
}

export interface LargeOutput {
  readonly bytes: number;
  /** The file that holds it; undefined when it is not kept. */
  readonly path: string | undefined;
  readonly head: string;
  /** Its end, where the end matters, as it does for a command. */
  readonly tail?: string;
  /** What is missing at the end of the file, which has a bound. */
  readonly droppedBytes?: number;
}

/** The wording, up to the preview of the start, is what recorded conversations hold. */
export function describeLargeOutput(output: LargeOutput): string {
  const size = `${(output.bytes / 1024).toFixed(1)} KB`;
  const where = output.path
    ? `Output too large to read at once (${size}). Saved to: ${output.path}\nConsider using tools like grep (for searching), head/tail (for viewing start/end), view with view_range (for specific sections), or jq (for JSON) to examine portions of the output.`
    : `Output too large to read at once (${size}). Only its start and end are shown; ask for less at once to see the rest.`;
  const dropped = output.droppedBytes
    ? `\nThe file ends ${output.droppedBytes} bytes short of the output.`
    : "";
  const head = `\n\nPreview (first ${PREVIEW_CHARS} chars):\n${output.head}`;
  const tail = output.tail ? `\n\nPreview (last ${PREVIEW_CHARS} chars):\n${output.tail}` : "";
  return where + dropped + head + tail;
}
