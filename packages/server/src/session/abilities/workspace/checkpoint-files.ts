/**
 * The summaries of a session's compactions, as files: `checkpoints/001-some-title.md`, and
 * `checkpoints/index.md` with a table of them. For people and other programs; the context is made of
 * the log alone. The layout is the Copilot CLI's.
 */
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withFileLock } from "../../../tools/file-lock.ts";
import { readRegularFile } from "../../../tools/regular-file.ts";

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
 * @param directory the session's own.
 * @param announce told its number before there is a file; when it rejects, none is written.
 */
export function writeCheckpointFile(
  directory: string,
  text: CheckpointText,
  announce: (number: number) => Promise<void>,
): Promise<WrittenCheckpoint> {
  return withFileLock(join(directory, FOLDER), () => writeNext(directory, text, announce));
}

async function writeNext(
  directory: string,
  { title, content }: CheckpointText,
  announce: (number: number) => Promise<void>,
): Promise<WrittenCheckpoint> {
  const folder = join(directory, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = await listCheckpointFiles(directory);
  const number = (files.at(-1)?.number ?? 0) + 1;
  const filename = `${String(number).padStart(3, "0")}-${slug(title)}.md`;
  const path = join(folder, filename);
  await announce(number);
  await replaceFile(path, `${content}\n`);
  // A title with a bar in it would be two columns.
  const entry = { number, title: title.replaceAll("|", "/").replace(/\s+/g, " "), filename };
  await replaceFile(join(folder, INDEX), toIndex([...files, entry]));
  return { ...entry, path };
}

/** All there are, oldest first. */
export async function listCheckpointFiles(directory: string): Promise<CheckpointFile[]> {
  const folder = join(directory, FOLDER);
  const names = await readdir(folder).catch(() => []);
  const index = (await readRegularFile(join(folder, INDEX), MAX_FILE_BYTES).catch(() => undefined)) ?? "";
  const titles = new Map(
    [...index.toString().matchAll(ROW)].map(([, , title, filename]) => [filename, title]),
  );
  return names
    .flatMap((filename) => {
      const number = NAME.exec(filename)?.[1];
      return number === undefined
        ? []
        : [{ number: Number(number), title: titles.get(filename) ?? filename, filename }];
    })
    .sort((one, other) => one.number - other.number);
}

/** What one says; undefined when there is none of that number. */
export async function readCheckpointFile(directory: string, number: number): Promise<string | undefined> {
  const file = (await listCheckpointFiles(directory)).find((candidate) => candidate.number === number);
  if (!file) return undefined;
  return (await readRegularFile(join(directory, FOLDER, file.filename), MAX_FILE_BYTES))?.toString("utf8");
}

/** Removes some of them by their numbers; numbers that there are not are no matter. */
export async function removeCheckpointFiles(directory: string, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return;
  await withFileLock(join(directory, FOLDER), () => removeNumbers(directory, numbers));
}

async function removeNumbers(directory: string, numbers: readonly number[]): Promise<void> {
  const gone = new Set(numbers);
  const files = await listCheckpointFiles(directory);
  const folder = join(directory, FOLDER);
  const kept = files.filter(({ number }) => !gone.has(number));
  if (kept.length === files.length) return;
  for (const { number, filename } of files)
    if (gone.has(number)) await rm(join(folder, filename), { force: true });
  await replaceFile(join(folder, INDEX), toIndex(kept));
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

/** Whole or not at all, whoever reads meanwhile. */
async function replaceFile(path: string, content: string): Promise<void> {
  await writeFile(`${path}.tmp`, content, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
