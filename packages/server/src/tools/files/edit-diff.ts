/** Unified diffs of one edit, for the person who is asked to allow it. This file loads a library: import it when it is needed. */
import { type StructuredPatchHunk, structuredPatch } from "diff";
import { prefixed, toLines } from "../new-file-diff.ts";

const CONTEXT_LINES = 3;
/** How many lines may differ: what it takes to find the shortest diff grows with their square. */
const MAX_DIFFERENT_LINES = 1000;

export interface PlacedReplacement {
  readonly before: string;
  /** Where `oldText` is in `before`. */
  readonly at: number;
  readonly oldText: string;
  readonly newText: string;
}

export function diffOfReplacement(path: string, change: PlacedReplacement): string {
  const part = changedPart(change, CONTEXT_LINES);
  const options = { context: CONTEXT_LINES, maxEditLength: MAX_DIFFERENT_LINES };
  const patch = structuredPatch("", "", part.oldPart, part.newPart, undefined, undefined, options);
  const texts = patch
    ? patch.hunks.map((hunk) => toText(hunk, part.linesBefore))
    : [replacedAsWhole(changedPart(change, 0))];
  return [`--- ${path}\n+++ ${path}`, ...texts].join("\n");
}

/** What would be replaced, when it is not known where: the file cannot be read, or does not hold it once. */
export function diffOfUnplaced(path: string, oldText: string, newText: string): string {
  const hunk = replacedAsWhole({ linesBefore: 0, oldPart: oldText, newPart: newText });
  return `--- ${path}\n+++ ${path}\n${hunk}`;
}

interface ChangedPart {
  /** The lines of the file before the part. */
  readonly linesBefore: number;
  readonly oldPart: string;
  readonly newPart: string;
}

/** The lines that a change is in, and some around them: the others of a large file are the same. */
function changedPart({ before, at, oldText, newText }: PlacedReplacement, contextLines: number): ChangedPart {
  let start = lineStart(before, at);
  for (let line = 0; line < contextLines && start > 0; line++) start = lineStart(before, start - 1);
  const behind = at + oldText.length;
  // One line more, for a change that ends where a line does.
  let end = behind;
  for (let line = 0; line <= contextLines && end < before.length; line++) end = lineEnd(before, end);
  return {
    linesBefore: countLines(before, start),
    oldPart: before.slice(start, end),
    newPart: before.slice(start, at) + newText + before.slice(behind, end),
  };
}

function replacedAsWhole({ linesBefore, oldPart, newPart }: ChangedPart): string {
  const [removed, added] = [toLines(oldPart), toLines(newPart)];
  const lines = [...prefixed("-", removed), ...prefixed("+", added)];
  const hunk = { oldStart: 1, oldLines: removed.length, newStart: 1, newLines: added.length, lines };
  return toText(hunk, linesBefore);
}

function toText({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk, linesBefore: number) {
  const removed = range(oldStart + linesBefore, oldLines);
  return [`@@ -${removed} +${range(newStart + linesBefore, newLines)} @@`, ...lines].join("\n");
}

/** An empty range is said to be behind the line before it. */
function range(first: number, count: number): string {
  return `${count === 0 ? first - 1 : first},${count}`;
}

function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

/** Behind the line break that is next, or the end of the text. */
function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at + 1;
}

function countLines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
