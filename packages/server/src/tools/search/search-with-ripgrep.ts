/** Searches with ripgrep. */
import { spawn } from "node:child_process";
import { relative } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { forgetGroup, watchGroup } from "../group-watchdog.ts";
import { endGroup } from "../process-group.ts";
import { type GrepLine, type GrepPlace, type GrepQuery, MAX_LINE_CHARS } from "./grep-query.ts";

const MAX_ERROR_CHARS = 2000;

/** @throws what ripgrep says, of a bad pattern say; the signal's reason. Ends it when it is left early. */
export async function* searchWithRipgrep(
  ripgrep: string,
  query: GrepQuery,
  place: GrepPlace,
  signal: AbortSignal,
): AsyncGenerator<GrepLine | "gap"> {
  signal.throwIfAborted();
  const child = spawn(ripgrep, toOptions(query, place), {
    cwd: place.directory,
    env: {},
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  exit.catch(() => {});
  const { pid } = child;
  if (pid === undefined) throw await exit.then(() => new Error("ripgrep could not be started."));
  watchGroup(pid);
  let isDone = false;
  const stop = () => void endGroup(pid);
  signal.addEventListener("abort", stop, { once: true });
  const problems = readStart(child.stderr);
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const parsed = parseLine(line, query);
      if (parsed) yield parsed;
    }
    const code = await exit;
    isDone = true;
    signal.throwIfAborted();
    // 1: no match. 2: a problem, which some unreadable file is as well.
    if (
      code !== 0 &&
      code !== 1 &&
      !(code === 2 && place.file === undefined && isOnlyAboutFiles(problems.text))
    ) {
      throw new Error(`ripgrep failed: ${problems.text.trim() || `exit code ${code}`}`);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    if (!isDone) {
      await endGroup(pid);
      child.stdout.destroy();
      child.stderr.destroy();
    }
    forgetGroup(pid);
  }
}

function toOptions(query: GrepQuery, place: GrepPlace): string[] {
  const mode = {
    content: [
      "--null",
      "--line-number",
      `--before-context=${query.before}`,
      `--after-context=${query.after}`,
    ],
    files_with_matches: ["--files-with-matches"],
    count: ["--null", "--count"],
  }[query.mode];
  return [
    "--no-config",
    "--color=never",
    "--no-heading",
    "--with-filename",
    "--sort=path",
    "--no-require-git",
    "--glob=!node_modules",
    `--max-columns=${MAX_LINE_CHARS}`,
    "--max-columns-preview",
    ...mode,
    ...(query.ignoreCase ? ["--ignore-case"] : []),
    ...(query.multiline ? ["--multiline", "--multiline-dotall"] : []),
    ...(query.glob ? [`--glob=${query.glob}`] : []),
    ...(query.type ? [`--type=${query.type}`] : []),
    // The last of the globs counts.
    ...leftOut(place),
    `--regexp=${query.pattern}`,
    "--",
    `./${place.file ?? ""}`,
  ];
}

/** The hidden folder, where the search begins above it. */
function leftOut({ directory, hidden }: GrepPlace): string[] {
  if (hidden === undefined) return [];
  const below = relative(directory, hidden);
  if (below === "" || below === ".." || below.startsWith("../")) return [];
  const literal = below.replace(/[\\*?[\]{}!]/g, "\\$&");
  return [`--glob=!/${literal}`];
}

/** `path NUL number : text`, with `-` for context; `path NUL count`; or just the path. */
function parseLine(line: string, query: GrepQuery): GrepLine | "gap" | undefined {
  const start = line.startsWith("./") ? 2 : 0;
  if (query.mode === "files_with_matches") return { path: line.slice(start), text: "" };
  if (line === "--") return "gap";
  const end = line.indexOf("\0");
  if (end < 0) return undefined;
  const path = line.slice(start, end);
  const rest = line.slice(end + 1);
  if (query.mode !== "content") return { path, text: rest };
  const [, number, mark, text = ""] = /^(\d+)([:-])(.*)$/s.exec(rest) ?? [];
  return { path, number: Number(number), isMatch: mark === ":", text };
}

/** Whether the pattern and the options were fine. */
function isOnlyAboutFiles(problems: string): boolean {
  return problems.split("\n").every((line) => line === "" || line.startsWith("rg: ./"));
}

function readStart(stream: Readable): { readonly text: string } {
  const read = { text: "" };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    if (read.text.length < MAX_ERROR_CHARS) read.text += chunk;
  });
  return read;
}
