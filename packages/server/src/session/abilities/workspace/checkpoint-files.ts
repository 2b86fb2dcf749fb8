/**
 * The summaries of a session's compactions, as files: `checkpoints/001-some-title.md`, and
 * `checkpoints/index.md` with a table of them. For people and other programs; the context is made of
 * the log alone. The layout is the Copilot CLI's.
 */
import { join } from "node:path";
import { withFileLock } from "../../../tools/file-lock.ts";
import type { OwnedFiles } from "./owned-files.ts";

export interface CheckpointFile {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  /** Within `checkpoints/`. */
  readonly filename: string;
}

export interface WrittenCheckpoint extends CheckpointFile {
  /** Absolute. */
  readonly path: string;
}

const FOLDER = "checkpoints";
const INDEX = "index.md";
const NAME = /^(\d{3,9})-.*\.md$/;
const ROW = /^\| (\d{1,9}) \| ([^|\n]*) \| ([^|\s]+) \|$/gm;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const SLUG_CHARACTERS = 40;

interface CheckpointText {
  readonly title: string;
  readonly content: string;
}

/**
 * Writes the next one.
 * @param announce told its number before there is a file; when it rejects, none is written.
 */
export function writeCheckpointFile(
  owned: OwnedFiles,
  text: CheckpointText,
  announce: (number: number) => Promise<void>,
): Promise<WrittenCheckpoint> {
  return withFileLock(folderOf(owned), () => writeNext(owned, text, announce));
}

async function writeNext(
  owned: OwnedFiles,
  { title, content }: CheckpointText,
  announce: (number: number) => Promise<void>,
): Promise<WrittenCheckpoint> {
  const known = await listCheckpointFiles(owned);
  const number = (known.at(-1)?.number ?? 0) + 1;
  const filename = `${String(number).padStart(3, "0")}-${slug(title)}.md`;
  await announce(number);
  await owned.files.put(owned.lease, `${FOLDER}/${filename}`, `${content}\n`);
  // A title with a bar in it would be two columns.
  const entry = { number, title: title.replaceAll("|", "/").replace(/\s+/g, " "), filename };
  await writeIndex(owned, [...known, entry]);
  return { ...entry, path: join(folderOf(owned), filename) };
}

/** All there are, oldest first. */
export async function listCheckpointFiles({ files, key }: OwnedFiles): Promise<CheckpointFile[]> {
  const there = await files.list(key, FOLDER);
  const index = await files.read(key, `${FOLDER}/${INDEX}`, MAX_FILE_BYTES);
  const titles = new Map(
    [...toText(index ?? new Uint8Array()).matchAll(ROW)].map(([, , title, filename]) => [filename, title]),
  );
  return there
    .flatMap(({ name: filename }) => {
      const number = NAME.exec(filename)?.[1];
      return number === undefined
        ? []
        : [{ number: Number(number), title: titles.get(filename) ?? filename, filename }];
    })
    .sort((one, other) => one.number - other.number);
}

/** What one says; undefined when there is none of that number. */
export async function readCheckpointFile(owned: OwnedFiles, number: number): Promise<string | undefined> {
  const file = (await listCheckpointFiles(owned)).find((candidate) => candidate.number === number);
  const content = file && (await owned.files.read(owned.key, `${FOLDER}/${file.filename}`, MAX_FILE_BYTES));
  return content && toText(content);
}

/** Removes some of them by their numbers; numbers that there are not are no matter. */
export async function removeCheckpointFiles(owned: OwnedFiles, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return;
  await withFileLock(folderOf(owned), () => removeNumbers(owned, numbers));
}

async function removeNumbers(owned: OwnedFiles, numbers: readonly number[]): Promise<void> {
  const gone = new Set(numbers);
  const known = await listCheckpointFiles(owned);
  const left = known.filter(({ number }) => !gone.has(number));
  if (left.length === known.length) return;
  for (const { number, filename } of known)
    if (gone.has(number)) await owned.files.remove(owned.lease, `${FOLDER}/${filename}`);
  await writeIndex(owned, left);
}

function writeIndex({ files, lease }: OwnedFiles, entries: readonly CheckpointFile[]): Promise<void> {
  return files.put(lease, `${FOLDER}/${INDEX}`, toIndex(entries));
}

function folderOf({ files, key }: OwnedFiles): string {
  return join(files.directoryOf(key), FOLDER);
}

function toText(content: Uint8Array): string {
  return Buffer.from(content).toString("utf8");
}

function toIndex(files: readonly CheckpointFile[]): string {
  const rows = files
    .map(({ number, title, filename }) => `| ${number} | ${title} | ${filename} |\n`)
    .join("");
  return `# Checkpoints\n\nSummaries of the conversation, oldest first.\n\n| # | Title | File |\n|---|-------|------|\n${rows}`;
}

function slug(title: string): string {
  const words = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, SLUG_CHARACTERS)
    .replace(/^-+|-+$/g, "");
  return words === "" ? "checkpoint" : words;
}
