/** Unified diffs of one change, for the person who is asked to allow it. */

const CONTEXT_LINES = 3;

export function diffOfNewFile(path: string, text: string): string {
  const lines = toLines(text);
  return `--- /dev/null\n+++ ${path}\n@@ -0,0 +1,${lines.length} @@\n${prefixed("+", lines)}`;
}

/** @param at where `oldText` is in `before`. */
export function diffOfReplacement(
  path: string,
  before: string,
  at: number,
  oldText: string,
  newText: string,
): string {
  const after = before.slice(0, at) + newText + before.slice(at + oldText.length);
  const [oldLines, newLines] = [toLines(before), toLines(after)];
  const shared = Math.min(oldLines.length, newLines.length);
  let start = 0;
  while (start < shared && oldLines[start] === newLines[start]) start++;
  let end = 0;
  while (end < shared - start && oldLines.at(-1 - end) === newLines.at(-1 - end)) end++;
  const first = Math.max(0, start - CONTEXT_LINES);
  const behind = Math.min(end, CONTEXT_LINES);
  const leading = oldLines.slice(first, start);
  const removed = oldLines.slice(start, oldLines.length - end);
  const added = newLines.slice(start, newLines.length - end);
  const trailing = oldLines.slice(oldLines.length - end, oldLines.length - end + behind);
  const unchanged = leading.length + trailing.length;
  return [
    `--- ${path}\n+++ ${path}`,
    `@@ -${hunk(first, removed.length + unchanged)} +${hunk(first, added.length + unchanged)} @@`,
    ...[prefixed(" ", leading), prefixed("-", removed), prefixed("+", added), prefixed(" ", trailing)].filter(
      Boolean,
    ),
  ].join("\n");
}

/** What would be replaced, when it is not known where: the file cannot be read, or does not hold it once. */
export function diffOfUnplaced(path: string, oldText: string, newText: string): string {
  const [removed, added] = [toLines(oldText), toLines(newText)];
  const lines = [prefixed("-", removed), prefixed("+", added)].filter(Boolean).join("\n");
  return `--- ${path}\n+++ ${path}\n@@ -1,${removed.length} +1,${added.length} @@\n${lines}`;
}

/** An empty range is said to be behind the line before it. */
function hunk(first: number, count: number): string {
  return `${count === 0 ? first : first + 1},${count}`;
}

function prefixed(prefix: string, lines: readonly string[]): string {
  return lines.map((line) => prefix + line).join("\n");
}

/** A newline at the end ends the last line; one that lacks it is marked as diff does. */
function toLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines[lines.length - 1] += "\n\\ No newline at end of file";
  return lines;
}
