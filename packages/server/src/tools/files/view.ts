/** `view`: a file, an image or a directory. */
import type { FileHandle } from "node:fs/promises";
import { stat } from "node:fs/promises";
import type { BuiltInToolBody, BuiltInToolHost } from "../built-in-tool.ts";
import { maxOutputBytes } from "../large-output.ts";
import { type NamedPath, pathToUse } from "../paths.ts";
import { askReadPermission } from "../read-permission.ts";
import type { ToolResult } from "../tool.ts";
import { ToolArgumentError, toArguments } from "../tool-arguments.ts";
import { failure, success } from "../tool-results.ts";
import { imageTypeOf, isBinary } from "./image-type.ts";
import { listDirectory } from "./list-directory.ts";
import { missingFile } from "./messages.ts";
import { openFile } from "./open-file.ts";
import { type LineRange, readLines } from "./read-lines.ts";

/** The least that providers take. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const SNIFFED_BYTES = 8192;

export const view: BuiltInToolBody = {
  permission: (args, context, { host }) =>
    askReadPermission((path) => `View ${path}`, args, context, { host }),

  async run(args, context, session) {
    const range = parseRange(toArguments(args).view_range);
    const named = await pathToUse(args, context, { access: "read", host: session.host });
    const found = await stat(named.canonical).catch(() => undefined);
    if (!found) return missingFile(named.path);
    if (found.isDirectory())
      return success(await listDirectory(named.canonical, session.host.reach?.().hidden));
    const handle = await openFile(named.canonical, "read");
    try {
      return await viewFile(handle, named, range, session.host);
    } finally {
      await handle.close();
    }
  },
};

async function viewFile(
  handle: FileHandle,
  { path }: NamedPath,
  range: LineRange,
  host: BuiltInToolHost,
): Promise<ToolResult> {
  const sniffed = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
  const start = sniffed.buffer.subarray(0, sniffed.bytesRead);
  const mimeType = imageTypeOf(start);
  if (mimeType) return viewImage(handle, path, mimeType);
  if (isBinary(start)) return failure(`${path} is not a text file. Use bash to inspect it.`, "binary_file");
  const { lines, isCut, total } = await readLines(handle, range, maxOutputBytes(host));
  if (lines.length === 0) {
    return failure(`${path} has only ${total} lines; view_range starts at ${range.from}.`, "out_of_range");
  }
  const text = lines.map((line, index) => `${range.from + index}. ${line}`).join("\n");
  if (!isCut) return success(text);
  const last = range.from + lines.length - 1;
  return success(
    `${text}\n(Cut in line ${last}: too long to show at once. Use view_range [${last}, -1] for what follows.)`,
  );
}

async function viewImage(handle: FileHandle, path: string, mimeType: string): Promise<ToolResult> {
  const { size } = await handle.stat();
  if (size > MAX_IMAGE_BYTES) {
    return failure(`${path} has ${size} bytes; images may have ${MAX_IMAGE_BYTES}.`, "image_too_large");
  }
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await handle.read(buffer, 0, size, 0);
  const base64 = buffer.toString("base64", 0, bytesRead);
  // The wording is what recorded conversations hold.
  return {
    ...success("Viewed image file successfully."),
    images: [{ mimeType, base64, description: `Image file at path ${path}` }],
  };
}

/** @throws ToolArgumentError unless it is missing or a range of lines. */
function parseRange(value: unknown): LineRange {
  if (value === undefined || value === null) return { from: 1, to: Number.POSITIVE_INFINITY };
  const [from, to, ...more] = toNumbers(value);
  if (from === undefined || to === undefined || more.length > 0 || from < 1 || (to < from && to !== -1)) {
    throw new ToolArgumentError('"view_range" must be [first, last], with 1 ≤ first ≤ last, or -1 as last');
  }
  return { from, to: to === -1 ? Number.POSITIVE_INFINITY : to };
}

function toNumbers(value: unknown): number[] {
  const list = typeof value === "string" ? value.replace(/[[\]\s]/g, "").split(",") : value;
  const numbers = Array.isArray(list) ? list.map(Number) : [];
  return numbers.every(Number.isSafeInteger) ? numbers : [];
}
