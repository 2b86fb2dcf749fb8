/** What is asked before a command runs. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { PermissionRequestShell } from "@rightseat/protocol";
import { canonicalPath } from "../paths.ts";
import { withPossibleCommands } from "../possible-commands.ts";
import type { PermissionAsk } from "../tool.ts";
import { userHome } from "../user-home.ts";
import { type CommandSummary, type Step, summarizeCommand } from "./command-line.ts";
import { leadsTo, pathsOfSteps } from "./command-paths.ts";
import { findGitRepository } from "./git-repository.ts";
import { possibleCommands } from "./possible-commands.ts";

/** @param cwd absolute; where the command runs. */
export async function askShellPermission(
  fullCommandText: string,
  intention: string,
  cwd: string,
): Promise<PermissionAsk> {
  const all = summarizeCommand(fullCommandText);
  const { isPlain, words, steps, hidesCommands, ...summary } = all;
  const found = isPlain ? await lookAround(steps, cwd) : await guessPaths({ ...summary, words }, cwd);
  const request: PermissionRequestShell = {
    kind: "shell",
    fullCommandText,
    intention,
    ...summary,
    commands: found.isCertain ? summary.commands : summary.commands.map(notReadOnly),
    possiblePaths: [...new Set([...summary.possiblePaths, ...Object.keys(found.resolved)])],
    resolvedWorkingDirectory: await canonicalPath(cwd).catch(() => cwd),
    resolvedPaths: found.resolved,
    canOfferSessionApproval: found.isCertain && !summary.hasWriteFileRedirection,
  };
  const staysLocal = found.isCertain && steps.every(({ effect }) => effect !== "runs-project");
  return withPossibleCommands({ ...request }, { ...possibleCommands(fullCommandText, all), staysLocal });
}

interface Surroundings {
  /** Where each path leads, by how it was named. */
  readonly resolved: Record<string, string>;
  /** Whether the command reaches no other. */
  readonly isCertain: boolean;
}

/** What a command that is understood finds where it runs. */
async function lookAround(steps: readonly Step[], cwd: string): Promise<Surroundings> {
  const { resolved, areAll } = await pathsOfSteps(steps, cwd);
  const all: Record<string, string> = Object.assign(Object.create(null), Object.fromEntries(resolved));
  const isCertain = areAll && (await addRepository(steps, cwd, all));
  return { resolved: all, isCertain };
}

/** Adds what git reads outside of the directory. False when git may run more than it shows. */
async function addRepository(
  steps: readonly Step[],
  cwd: string,
  resolved: Record<string, string>,
): Promise<boolean> {
  if (!steps.some((step) => step.usesRepository)) return true;
  // What else changes files may change what git finds: a setting, a hook, another repository.
  if (steps.some(({ usesRepository, effect }) => !usesRepository && /changes|relinks/.test(effect)))
    return false;
  // Where a `cd` leads there may be another one.
  if (steps.some((step) => step.changesTo)) return false;
  const repository = await findGitRepository(cwd);
  const here = await leadsTo(cwd, ".");
  for (const place of repository?.places ?? []) {
    if (place !== here && !place.startsWith(`${here}/`)) resolved[place] = place;
  }
  return repository?.isHarmless ?? true;
}

/** For a command that is not understood: where the paths lead that can be seen. */
async function guessPaths(
  { possiblePaths, words }: Pick<CommandSummary, "possiblePaths" | "words">,
  cwd: string,
): Promise<Surroundings> {
  const resolved: Record<string, string> = Object.create(null);
  for (const path of [...possiblePaths, ...(await existing(words, cwd))]) {
    const literal = beforeWildcards(path).replace(/^~(?=\/|$)/, () => userHome());
    resolved[path] = await leadsTo(cwd, literal.startsWith("~") ? join("/", literal) : literal);
  }
  return { resolved, isCertain: false };
}

/** The directory that a pattern starts from. */
function beforeWildcards(path: string): string {
  const wild = path.search(/[*?[]/);
  return wild < 0 ? path : path.slice(0, path.lastIndexOf("/", wild) + 1);
}

/** Words that do not look like paths, and are the names of something that is there. */
async function existing(words: readonly string[], cwd: string): Promise<string[]> {
  const found = await Promise.all(
    words.map((word) =>
      lstat(join(cwd, word)).then(
        () => word,
        () => undefined,
      ),
    ),
  );
  return found.filter((word) => word !== undefined);
}

function notReadOnly({ identifier }: { identifier: string }): { identifier: string; readOnly: boolean } {
  return { identifier, readOnly: false };
}
