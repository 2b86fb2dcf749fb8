/** A unified diff that says a file is new. */

export function diffOfNewFile(path: string, text: string): string {
  const lines = toLines(text);
  return `--- /dev/null\n+++ ${path}\n@@ -0,0 +1,${lines.length} @@\n${prefixed("+", lines).join("\n")}`;
}

export function prefixed(prefix: string, lines: readonly string[]): string[] {
  return lines.map((line) => prefix + line);
}

/** The lines of a text as a diff has them. A newline at the end ends the last line; one that lacks it is marked as diff does. */
export function toLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines[lines.length - 1] += "\n\\ No newline at end of file";
  return lines;
}
