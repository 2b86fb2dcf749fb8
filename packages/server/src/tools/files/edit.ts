/** `edit`: replaces one piece of text in a file. */
import type { FileHandle } from "node:fs/promises";
import { readFile } from "node:fs/promises";
import type { BuiltInToolBody, BuiltInToolHost } from "../built-in-tool.ts";
import { withFileLock } from "../file-lock.ts";
import { shownIn } from "../intention.ts";
import { type NamedPath, pathToAskFor, pathToUse } from "../paths.ts";
import type { ToolResult } from "../tool.ts";
import { optionalText, requiredText, ToolArgumentError, toArguments } from "../tool-arguments.ts";
import { failure, success, systemErrorCode } from "../tool-results.ts";
import { diffOfReplacement, diffOfUnplaced } from "./edit-diff.ts";
import { findOnce, type PlacedText, type Replacement } from "./find-once.ts";
import { missingFile } from "./messages.ts";
import { openFile } from "./open-file.ts";
import { askWritePermission, type PlannedWrite } from "./write-permission.ts";

const MAX_FILE_BYTES = 16 * 1024 * 1024;

export const edit: BuiltInToolBody = {
  async permission(args, context, { host }) {
    const replacement = parse(args);
    const named = await pathToAskFor(args, context, { access: "write", host });
    const plan = await planEdit(named, replacement);
    return askWritePermission({ ...named, intention: `Edit ${shownIn(named.path)}`, ...plan });
  },

  async run(args, context, { host }) {
    const replacement = parse(args);
    const named = await pathToUse(args, context, { access: "write", host });
    return withFileLock(named.canonical, async () => {
      let handle: FileHandle;
      try {
        handle = await openFile(named.canonical, "write");
      } catch (error) {
        if (systemErrorCode(error) === "ENOENT") return missingFile(named.path);
        if (systemErrorCode(error) === "EISDIR")
          return failure(`${named.path} is a directory.`, "is_directory");
        throw error;
      }
      try {
        return await replaceIn(handle, named, replacement, host);
      } finally {
        await handle.close();
      }
    });
  },
};

/** In place, so that owner, mode, other names and watchers of the file stay as they are. */
async function replaceIn(
  handle: FileHandle,
  { path, canonical }: NamedPath,
  wanted: Replacement,
  host: BuiltInToolHost,
): Promise<ToolResult> {
  const { size } = await handle.stat();
  if (size > MAX_FILE_BYTES) return failure(`${path} is too large to edit: ${size} bytes.`, "file_too_large");
  const bytes = await handle.readFile();
  const before = decode(bytes);
  if (before === undefined)
    return failure(`${path} is not UTF-8 text. Use bash to change it.`, "binary_file");
  const found = findOnce(before, wanted);
  if ("problem" in found) return failure(`${path} was not changed: ${found.problem}`, "no_single_match");
  const { at, oldText, newText } = found;
  const after = Buffer.from(replaced(before, found));
  await host.onFileChange?.({ path: canonical, before: bytes, after });
  for (let written = 0; written < after.length; ) {
    written += (await handle.write(after, written, after.length - written, written)).bytesWritten;
  }
  await handle.truncate(after.length);
  // The wording is what recorded conversations hold.
  const updated = success(
    `File ${path} updated with changes.`,
    diffOfReplacement(path, { before, at, oldText, newText }),
  );
  return { ...updated, fileEdits: [{ kind: "edit", path: canonical }] };
}

async function planEdit(
  { path, canonical }: NamedPath,
  wanted: Replacement,
): Promise<Pick<PlannedWrite, "diff" | "planned">> {
  const before = await readText(canonical);
  const found = before === undefined ? undefined : findOnce(before, wanted);
  if (before === undefined || !found || "problem" in found) {
    return { diff: diffOfUnplaced(path, wanted.oldText, wanted.newText) };
  }
  const diff = diffOfReplacement(path, { before, ...found });
  return { diff, planned: { before, after: replaced(before, found) } };
}

function replaced(before: string, { at, oldText, newText }: PlacedText): string {
  return before.slice(0, at) + newText + before.slice(at + oldText.length);
}

async function readText(canonical: string): Promise<string | undefined> {
  const handle = await openFile(canonical, "read").catch(() => undefined);
  try {
    if (!handle || (await handle.stat()).size > MAX_FILE_BYTES) return undefined;
    return decode(await readFile(handle));
  } finally {
    await handle?.close();
  }
}

/** Undefined when writing the text back would not give the same bytes. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parse(args: unknown): Replacement {
  const given = toArguments(args);
  const oldText = requiredText(given, "old_str");
  const newText = optionalText(given, "new_str") ?? "";
  if (oldText === newText) throw new ToolArgumentError('"old_str" and "new_str" are the same');
  return { oldText, newText };
}
