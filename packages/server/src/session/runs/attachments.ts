/**
 * How attachments enter the model's user message. Editor selections stand before the prompt, pointers
 * (files, directories, GitHub objects) in blocks behind it, images and documents as parts of their own.
 * Files are named, not quoted: the model reads what it needs with its tools.
 *
 * The layout of `<tagged_files>`, `<ide_selection>` and `<github_references>`, spacing included, is the
 * one in the recordings of the official suite (test/snapshots/session/should_send_with_*), so that a
 * conversation reads the same whichever runtime it began in. Shapes: `PromptAttachment` in api.schema.json.
 */
import { constants, type Stats } from "node:fs";
import { open, opendir, stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { clip, oneLine, toBlock, toListBlock } from "../../agent/prompt-blocks.ts";
import type { ModelContentPart } from "../../models/model-provider.ts";
import { canonicalPath } from "../../tools/paths.ts";
import type { Reach } from "../../tools/reach.ts";
import {
  type GitHubAttachment,
  type LineRange,
  toReferenceLine,
} from "../abilities/github/github-references.ts";

interface SelectionPosition {
  /** 0-based. */
  readonly line: number;
  readonly character: number;
}

interface PathAttachment {
  readonly path: string;
  readonly displayName?: string;
  /** The line in `<tagged_files>` as it was when the message was sent; used again as it is. */
  readonly taggedFilesEntry?: string;
}

export type PromptAttachment =
  | (PathAttachment & { readonly type: "file"; readonly lineRange?: LineRange })
  | (PathAttachment & { readonly type: "directory" })
  | {
      readonly type: "selection";
      readonly filePath: string;
      readonly displayName?: string;
      readonly text: string;
      readonly selection: { readonly start: SelectionPosition; readonly end: SelectionPosition };
    }
  | {
      readonly type: "blob";
      readonly data?: string;
      readonly mimeType: string;
      readonly displayName?: string;
    }
  | {
      readonly type: "extension_context";
      readonly extensionId: string;
      readonly title: string;
      readonly payload?: unknown;
      readonly capturedAt: string;
    }
  | GitHubAttachment;

export interface RenderPromptOptions {
  readonly prompt: string;
  readonly attachments?: readonly PromptAttachment[];
  /** Relative paths start here; selections inside it are named relative to it. */
  readonly workingDirectory: string;
  /** Which files may be read at all; any when left out. */
  readonly reach?: Reach | undefined;
  /** Images become parts of the message; without it they are only named. Default true. */
  readonly supportsVision?: boolean;
  /** PDF blobs become parts unless this is false, PDF files only when it is true: those can be read with tools. */
  readonly supportsDocuments?: boolean;
  /** The size of one decoded image or document; default 5 MiB. */
  readonly maxPartBytes?: number;
}

const DEFAULT_MAX_PART_BYTES = 5 * 1024 * 1024;
/** The size of one message's parts together: they go out with every later request, too. */
const MAX_PARTS_BYTES = 20 * 1024 * 1024;

/** Lines are counted up to here, directory entries up to there. */
const MAX_COUNTED_BYTES = 16 * 1024 * 1024;
const MAX_COUNTED_ENTRIES = 10_000;

const MAX_INLINE_TEXT_CHARACTERS = 256 * 1024;

/** Around the prompt; the recordings have three blank lines there. */
const PROMPT_GAP = "\n\n\n\n";

/**
 * The content of the user message: text when text is all there is, otherwise parts, of which the first is
 * that text, empty or not. Texts among the others are captions.
 * Never fails for an attachment: a missing file, or one of an unknown shape, is a line that says so.
 */
export async function renderPrompt(options: RenderPromptOptions): Promise<string | ModelContentPart[]> {
  const rendered: Rendered = {
    selections: [],
    tagged: [],
    references: [],
    blocks: [],
    parts: [],
    partsBytes: 0,
  };
  for (const attachment of options.attachments ?? []) {
    try {
      await render(attachment, options, rendered);
    } catch {
      // This version does not know its shape; the prompt itself is still worth an answer.
      rendered.blocks.push(toBlock("attachment", `${oneLine(String(attachment?.type))}: could not be read`));
    }
  }
  const after = [
    ...toListBlock("tagged_files", rendered.tagged),
    ...toListBlock("github_references", rendered.references),
    ...rendered.blocks,
  ];
  const text = [...rendered.selections, options.prompt, after.join("\n\n")]
    .filter((piece) => piece.length > 0)
    .join(PROMPT_GAP);
  if (rendered.parts.length === 0) return text;
  return [{ type: "text", text }, ...rendered.parts];
}

interface Rendered {
  readonly selections: string[];
  readonly tagged: string[];
  readonly references: string[];
  readonly blocks: string[];
  readonly parts: ModelContentPart[];
  partsBytes: number;
}

async function render(
  attachment: PromptAttachment,
  options: RenderPromptOptions,
  out: Rendered,
): Promise<void> {
  switch (attachment.type) {
    case "file":
    case "directory":
      return renderPath(attachment, options, out);
    case "selection":
      out.selections.push(toSelectionBlock(attachment, options.workingDirectory));
      return;
    case "blob":
      return renderBlob(attachment, options, out);
    case "extension_context":
      out.blocks.push(toExtensionBlock(attachment));
      return;
    default:
      out.references.push(toReferenceLine(attachment));
  }
}

async function renderPath(
  attachment: PromptAttachment & { type: "file" | "directory" },
  options: RenderPromptOptions,
  out: Rendered,
): Promise<void> {
  if (attachment.taggedFilesEntry !== undefined) {
    out.tagged.push(oneLine(attachment.taggedFilesEntry));
    return;
  }
  const path = resolve(options.workingDirectory, attachment.path);
  const line = (note: string) => out.tagged.push(`* ${oneLine(path)} (${note})`);
  try {
    if (options.reach?.refuses(await canonicalPath(path), "read") !== undefined)
      return void line("not accessible");
    const found = await stat(path);
    if (found.isDirectory()) line(await countEntries(path));
    else if (!found.isFile()) line("not a regular file");
    else {
      const part = await readPart(path, found, options, out);
      if (part !== undefined) out.parts.push({ type: "text", text: oneLine(path) }, part);
      else line(await countLines(path, attachment.type === "file" ? attachment.lineRange : undefined));
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    line(
      code === "ENOENT" || code === "ENOTDIR" ? "not found" : `cannot be read: ${code ?? "unknown error"}`,
    );
  }
}

/** The file as a part of the message, if it is one that the model can take. */
async function readPart(
  path: string,
  found: Stats,
  options: RenderPromptOptions,
  out: Rendered,
): Promise<ModelContentPart | undefined> {
  if (found.size > (options.maxPartBytes ?? DEFAULT_MAX_PART_BYTES)) return undefined;
  if (out.partsBytes + found.size > MAX_PARTS_BYTES) return undefined;
  const mimeType = /\.(png|jpe?g|gif|webp|pdf)$/i.test(path) ? sniff(await readStart(path, 1024)) : undefined;
  if (mimeType === undefined) return undefined;
  const isImage = mimeType.startsWith("image/");
  if (isImage ? options.supportsVision === false : options.supportsDocuments !== true) return undefined;
  out.partsBytes += found.size;
  const base64 = (await readStart(path, found.size)).toString("base64");
  return isImage
    ? { type: "image", mimeType, base64 }
    : { type: "document", mimeType, base64, name: path.slice(path.lastIndexOf("/") + 1) };
}

function renderBlob(
  blob: PromptAttachment & { type: "blob" },
  options: RenderPromptOptions,
  out: Rendered,
): void {
  const mimeType = blob.mimeType.toLowerCase().split(";")[0]?.trim() ?? "";
  const name = blob.displayName === undefined ? undefined : oneLine(blob.displayName);
  const refuse = (why: string) =>
    out.blocks.push(toBlock("attachment", `${name ?? "unnamed"} (${oneLine(mimeType)}): ${why}`));
  const data = blob.data ?? "";
  if (data.length === 0) return void refuse("no content was sent");
  if (isTextType(mimeType)) {
    const text = clip(Buffer.from(data, "base64").toString("utf8"), MAX_INLINE_TEXT_CHARACTERS);
    out.blocks.push(toBlock("attachment", text, { name: name ?? "unnamed", type: mimeType }));
    return;
  }
  const sniffed = sniff(Buffer.from(data.slice(0, 1400), "base64"));
  const limit = options.maxPartBytes ?? DEFAULT_MAX_PART_BYTES;
  // Content that is not what its type says, or of a type the model does not know, would fail every later request of the session.
  if (mimeType.startsWith("image/")) {
    if (options.supportsVision === false) return void refuse("not shown, the model takes no images");
    if (sniffed?.startsWith("image/") !== true)
      return void refuse("not shown, only PNG, JPEG, GIF and WebP images can be");
  } else if (mimeType !== "application/pdf" || options.supportsDocuments === false) {
    return void refuse("not shown, the model takes no content of this type");
  } else if (sniffed !== mimeType) return void refuse("not shown, it is not a PDF");
  const bytes = Buffer.byteLength(data, "base64");
  if (bytes > limit) return void refuse(`not shown, it is larger than ${limit} bytes`);
  if (out.partsBytes + bytes > MAX_PARTS_BYTES)
    return void refuse(`not shown, the attachments together are larger than ${MAX_PARTS_BYTES} bytes`);
  out.partsBytes += bytes;
  if (mimeType === "application/pdf") {
    out.parts.push({ type: "document", mimeType, base64: data, name: name ?? "document.pdf" });
    return;
  }
  if (name !== undefined) out.parts.push({ type: "text", text: name });
  out.parts.push({ type: "image", mimeType: sniffed, base64: data });
}

function isTextType(mimeType: string): boolean {
  return (
    mimeType.startsWith("text/") ||
    /[/+](?:json|xml|yaml|x-yaml|toml|javascript|typescript|x-sh|sql)$/.test(mimeType)
  );
}

/** What the first bytes say, whatever the name says: providers refuse a wrong type. */
function sniff(start: Buffer): string | undefined {
  const ascii = start.toString("latin1");
  if (ascii.startsWith("\x89PNG\r\n")) return "image/png";
  if (ascii.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (ascii.startsWith("GIF8")) return "image/gif";
  if (ascii.startsWith("RIFF") && ascii.slice(8, 12) === "WEBP") return "image/webp";
  // Readers take a header anywhere in the first kilobyte.
  return ascii.slice(0, 1024).includes("%PDF-") ? "application/pdf" : undefined;
}

async function countEntries(path: string): Promise<string> {
  let count = 0;
  for await (const _ of await opendir(path))
    if (++count > MAX_COUNTED_ENTRIES) return `more than ${MAX_COUNTED_ENTRIES} items`;
  return `${count} items`;
}

async function countLines(path: string, range: LineRange | undefined): Promise<string> {
  const counted = await readLineCount(path);
  if (counted === "binary") return "binary";
  const total = counted.isWhole ? `${counted.lines}` : `more than ${counted.lines}`;
  if (range === undefined) return `${total} lines`;
  return `${range.start === range.end ? `line ${range.start}` : `lines ${range.start}-${range.end}`} of ${total} lines`;
}

async function readLineCount(
  path: string,
): Promise<"binary" | { readonly lines: number; readonly isWhole: boolean }> {
  const file = await openRegular(path);
  try {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    let read = 0;
    let breaks = 0;
    let last = 10;
    while (read < MAX_COUNTED_BYTES) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, read);
      if (bytesRead === 0) return { lines: last === 10 ? breaks : breaks + 1, isWhole: true };
      const piece = buffer.subarray(0, bytesRead);
      if (read === 0 && piece.includes(0)) return "binary";
      for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) breaks++;
      last = piece[bytesRead - 1] ?? 10;
      read += bytesRead;
    }
    return { lines: breaks, isWhole: false };
  } finally {
    await file.close();
  }
}

async function readStart(path: string, length: number): Promise<Buffer> {
  const file = await openRegular(path);
  try {
    const buffer = Buffer.alloc(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await file.read(buffer, at, length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  } finally {
    await file.close();
  }
}

/** Without blocking on a pipe that took the file's place since it was looked at. */
async function openRegular(path: string) {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const isFile = await file.stat().then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return file;
  await file.close();
  throw Object.assign(new Error("not a regular file"), { code: "not a regular file" });
}

function toSelectionBlock(
  attachment: PromptAttachment & { type: "selection" },
  workingDirectory: string,
): string {
  const inside = relative(workingDirectory, resolve(workingDirectory, attachment.filePath));
  const file = oneLine(inside.length === 0 || inside.startsWith("..") ? attachment.filePath : inside);
  const start = attachment.selection.start.line + 1;
  const end = attachment.selection.end.line + 1;
  const where = start === end ? `line ${start}` : `lines ${start}-${end}`;
  const fence = fenceFor(attachment.text);
  return toBlock(
    "ide_selection",
    [
      "The user has the following text selected in their IDE. This may or may not be related to their request.",
      `File: ${file} (${where})`,
      fence,
      attachment.text,
      fence,
    ].join("\n"),
  );
}

/** Longer than every run of backticks in the text, so that the text cannot end it. */
function fenceFor(text: string): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  return "`".repeat(longest + 1);
}

function toExtensionBlock(attachment: PromptAttachment & { type: "extension_context" }): string {
  const payload =
    attachment.payload === undefined
      ? ""
      : clip(JSON.stringify(attachment.payload, undefined, 2), MAX_INLINE_TEXT_CHARACTERS);
  return toBlock("extension_context", payload, {
    extension: attachment.extensionId,
    title: attachment.title,
    captured_at: attachment.capturedAt,
  });
}
