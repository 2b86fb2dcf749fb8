/** Lines that a change of a file adds and removes; of content that is no text, none. */
export interface LineChanges {
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** What is the same at the beginning and at the end is not changed; all between is. */
export function countLineChanges(before: Uint8Array | undefined, after: Uint8Array): LineChanges {
  if (before?.includes(0) || after.includes(0)) return { linesAdded: 0, linesRemoved: 0 };
  const [old, now] = [toLines(before), toLines(after)];
  const shared = Math.min(old.length, now.length);
  let start = 0;
  while (start < shared && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < shared - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return { linesAdded: now.length - start - end, linesRemoved: old.length - start - end };
}

function toLines(content: Uint8Array | undefined): string[] {
  if (content === undefined || content.length === 0) return [];
  const lines = Buffer.from(content).toString("utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
