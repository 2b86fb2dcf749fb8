/** The paths that a question is about, and which of them are outside of the allowed directories. */
import { resolve } from "node:path";
import { canonicalPath, isInside } from "../tools/paths.ts";
import type { PermissionAsk } from "../tools/tool.ts";

/** Canonical paths, with how they were named. */
export function pathsOf(ask: PermissionAsk): Map<string, string> {
  const paths = new Map<string, string>();
  if (ask.kind === "read" || ask.kind === "write") {
    const named = String(ask.path ?? ask.fileName);
    paths.set(typeof ask.resolvedPath === "string" ? ask.resolvedPath : named, named);
  }
  if (ask.kind === "shell" && ask.resolvedPaths) {
    for (const [named, canonical] of Object.entries(ask.resolvedPaths)) paths.set(canonical, named);
  }
  return paths;
}

/** Those that are in none of the directories. @param directories absolute; they need not exist. */
export async function pathsOutside(
  paths: ReadonlyMap<string, string>,
  directories: readonly string[],
): Promise<Map<string, string>> {
  if (paths.size === 0) return new Map();
  const roots = await Promise.all(
    directories.map((directory) => canonicalPath(resolve(directory)).catch(() => undefined)),
  );
  return new Map(
    [...paths].filter(
      ([canonical]) => !roots.some((root) => root !== undefined && isInside(canonical, root)),
    ),
  );
}
