/** Paths that a model names, and where they lead. */
import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Access, Reach } from "./reach.ts";
import type { ToolContext } from "./tool.ts";
import { requiredText, toArguments, withoutNul } from "./tool-arguments.ts";
import { systemErrorCode } from "./tool-results.ts";

export interface NamedPath {
  /** As it was named, made absolute; what is shown. */
  readonly path: string;
  /** With every link followed, and in the file system's own case: what is opened. */
  readonly canonical: string;
}

/** What was asked about for a call, so that nothing else is done when a link has changed since. */
const asked = new WeakMap<ToolContext, string>();

export interface PathUse {
  readonly access: Access;
  /** The session's tools' host, which says what they may reach. */
  readonly host: { reach?(): Reach };
  /** Taken when the call names no path. */
  readonly fallback?: string;
}

/** @throws ToolArgumentError when the argument is no path; when it leads to where tools have no access. */
async function namedPath(args: unknown, context: ToolContext, use: PathUse): Promise<NamedPath> {
  const given = toArguments(args);
  const { fallback, host, access } = use;
  const text = fallback !== undefined && !given.path ? fallback : requiredText(given, "path");
  const path = resolve(context.workingDirectory, withoutNul(text, "path"));
  const canonical = await canonicalPath(path);
  const refusal = host.reach?.().refuses(canonical, access);
  if (refusal !== undefined) throw new Error(`${path} cannot be used. ${refusal}`);
  return { path, canonical };
}

/** The path, for the permission that is asked now. @throws as `namedPath`. */
export async function pathToAskFor(args: unknown, context: ToolContext, use: PathUse): Promise<NamedPath> {
  const named = await namedPath(args, context, use);
  asked.set(context, named.canonical);
  return named;
}

/** The path, for use now. @throws as `namedPath`, and when it leads elsewhere than what was asked about. */
export async function pathToUse(args: unknown, context: ToolContext, use: PathUse): Promise<NamedPath> {
  const named = await namedPath(args, context, use);
  const before = asked.get(context);
  if (before !== undefined && before !== named.canonical) {
    throw new Error(`${named.path} led to ${before} when permission was asked, and now leads elsewhere.`);
  }
  return named;
}

/** Follows all links; of a path that does not exist, those of the part that does. */
export async function canonicalPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    const isMissing = ["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "");
    if (!isMissing || parent === path) throw error;
    return join(await canonicalPath(parent), basename(path));
  }
}

/** Whether a path is the directory or below it; both absolute and canonical. */
export function isInside(path: string, directory: string): boolean {
  const rest = relative(directory, path);
  return rest === "" || (rest !== ".." && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}
