/** `create`: a new file. */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { shownIn } from "../intention.ts";
import { diffOfNewFile } from "../new-file-diff.ts";
import { canonicalPath, pathToAskFor, pathToUse } from "../paths.ts";
import type { ToolResult } from "../tool.ts";
import { optionalText, ToolArgumentError, toArguments } from "../tool-arguments.ts";
import { failure, success, systemErrorCode } from "../tool-results.ts";
import { assertSame } from "./open-file.ts";
import { askWritePermission } from "./write-permission.ts";

export const create: BuiltInToolBody = {
  async permission(args, context, { host }) {
    const newFileContents = parseText(args);
    const named = await pathToAskFor(args, context, { access: "write", host });
    const diff = diffOfNewFile(named.path, newFileContents);
    return askWritePermission({
      ...named,
      intention: `Create ${shownIn(named.path)}`,
      diff,
      newFileContents,
      planned: { after: newFileContents },
    });
  },

  async run(args, context, { host }) {
    const text = parseText(args);
    const { path, canonical } = await pathToUse(args, context, { access: "write", host });
    try {
      if (await lstat(canonical).catch(() => undefined)) return exists(path);
      await host.onFileChange?.({ path: canonical, before: undefined, after: Buffer.from(text) });
      const handle = await makeFile(canonical);
      try {
        await handle.writeFile(text);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      return exists(path);
    }
    // The wording is what recorded conversations hold.
    const created = success(`Created file ${path} with ${text.length} characters`, diffOfNewFile(path, text));
    return { ...created, fileEdits: [{ kind: "create", path: canonical }] };
  },
};

function exists(path: string): ToolResult {
  return failure(`Path ${path} exists already. Use edit to change it, or choose another path.`, "exists");
}

/** @throws EEXIST when there is anything of that name, a link that leads nowhere included. */
async function makeFile(canonical: string): Promise<FileHandle> {
  const directory = dirname(canonical);
  await mkdir(directory, { recursive: true });
  if ((await canonicalPath(directory)) !== directory) throw new Error(`${directory} was replaced by a link.`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(canonical, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  try {
    await assertSame(handle, canonical);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws ToolArgumentError when it is missing; it may be empty. */
function parseText(args: unknown): string {
  const text = optionalText(toArguments(args), "file_text");
  if (text === undefined) throw new ToolArgumentError('"file_text" is required and must be text');
  return text;
}
