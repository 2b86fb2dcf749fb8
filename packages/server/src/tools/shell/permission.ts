/** What is asked before a command runs. */
import { lstat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { PermissionRequestShell } from "@rightseat/protocol";
import { canonicalPath } from "../paths.ts";
import type { PermissionAsk } from "../tool.ts";
import { summarizeCommand } from "./command-line.ts";

const MAX_WORDS = 64;

/** @param cwd absolute; where the command runs. */
export async function askShellPermission(
  fullCommandText: string,
  intention: string,
  cwd: string,
): Promise<PermissionAsk> {
  const { isPlain, words, ...summary } = summarizeCommand(fullCommandText);
  const possiblePaths = [...new Set([...summary.possiblePaths, ...(await existing(words, cwd))])];
  const request: PermissionRequestShell = {
    kind: "shell",
    fullCommandText,
    intention,
    ...summary,
    possiblePaths,
    resolvedWorkingDirectory: await canonicalPath(cwd).catch(() => cwd),
    resolvedPaths: await resolvePaths(possiblePaths, cwd),
    canOfferSessionApproval: isPlain && !summary.hasWriteFileRedirection,
  };
  return { ...request };
}

/** Words that do not look like paths, and are the names of something that is there. */
async function existing(words: readonly string[], cwd: string): Promise<string[]> {
  const found = await Promise.all(
    words.slice(0, MAX_WORDS).map((word) =>
      lstat(join(cwd, word)).then(
        () => word,
        () => undefined,
      ),
    ),
  );
  return found.filter((word) => word !== undefined);
}

/** Where paths lead; of a pattern, the directory that it starts from. */
async function resolvePaths(paths: readonly string[], cwd: string): Promise<Record<string, string>> {
  const resolved: Record<string, string> = Object.create(null);
  for (const path of paths) {
    const literal = path.replace(/[^/]*[*?[].*$/, "").replace(/^~(?=\/|$)/, homedir());
    const absolute = resolve(cwd, literal.startsWith("~") ? join("/", literal) : literal);
    resolved[path] = await canonicalPath(absolute).catch(() => absolute);
  }
  return resolved;
}
