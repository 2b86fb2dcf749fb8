/**
 * What a session's working directory belongs to: repository, branch, commit. Read from git's own files,
 * since a `git` process costs more than everything else that creating a session does. Formats:
 * gitrepository-layout(5), git-pack-refs(1) and git-config(5). Not followed: `include`,
 * `url.<base>.insteadOf`, GIT_DIR and the reftable format (there, branch and commit stay unknown).
 */
import { constants } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { withoutComment } from "../../../discovery/front-matter.ts";
import { isInside } from "../../../tools/paths.ts";
import type { Confinement } from "../../members/confinement.ts";

/** `WorkingDirectoryContext` of session-events.schema.json. */
export interface WorkingContext {
  /** As it was given. */
  readonly cwd: string;
  /** Without symbolic links, as git prints it. */
  readonly gitRoot?: string;
  /** "owner/name", or "organization/project/repository" on Azure DevOps; from the remote `origin`. */
  readonly repository?: string;
  readonly hostType?: "github" | "ado";
  readonly repositoryHost?: string;
  /** Absent when HEAD is detached. */
  readonly branch?: string;
  /** Absent before the first commit. */
  readonly headCommit?: string;
}

export interface WorkingContextOptions {
  /** How long an answer is given again; default 1 second. */
  readonly cacheMs?: number;
  readonly now?: () => number;
}

const MAX_CACHED = 256;
const MAX_LEVELS = 64;
const MAX_SYMBOLIC_REFS = 5;
const MAX_FILE_BYTES = 64 * 1024;
/** A packed-refs of this size holds some 250,000 refs. */
const MAX_PACKED_REFS_BYTES = 16 * 1024 * 1024;

/** A directory that does not exist, or has no repository above it, has just its `cwd`. Never rejects. */
export const resolveWorkingContext = createWorkingContextResolver();

/** For tests and for other cache times. Calls at the same time share one look. */
export function createWorkingContextResolver(
  options: WorkingContextOptions = {},
): (cwd: string, confinement?: Confinement) => Promise<WorkingContext> {
  const { cacheMs = 1000, now = Date.now } = options;
  const cache = new Map<string, { readonly context: Promise<WorkingContext>; readonly until: number }>();
  return (cwd, confinement) => {
    const key = confinement === undefined ? cwd : `${cwd}\0${confinement.root ?? ""}`;
    const known = cache.get(key);
    if (known !== undefined && now() < known.until) return known.context;
    cache.delete(key);
    const oldest = cache.keys().next();
    if (cache.size >= MAX_CACHED && oldest.done !== true) cache.delete(oldest.value);
    const context = readContext(cwd, confinement);
    cache.set(key, { context, until: now() + cacheMs });
    return context;
  };
}

async function readContext(cwd: string, confinement: Confinement | undefined): Promise<WorkingContext> {
  try {
    const start = await realpath(cwd);
    const found = await findRepository(start, confinement && (confinement.root ?? start));
    if (found === undefined) return { cwd };
    const [head, remote] = await Promise.all([readHead(found), readOrigin(found)]);
    return { cwd, gitRoot: found.root, ...parseRemoteUrl(remote), ...head };
  } catch {
    return { cwd };
  }
}

interface Repository {
  readonly root: string;
  /** HEAD is here: one a worktree. */
  readonly gitDir: string;
  /** Refs and config are here: one a repository. */
  readonly commonDir: string;
  /** No file outside of it is read, whatever leads there; undefined for the whole disk. */
  readonly top: string | undefined;
}

/** @param top nothing above it is looked at; undefined for the whole disk. */
async function findRepository(start: string, top: string | undefined): Promise<Repository | undefined> {
  if (top !== undefined && !isInside(start, top)) return undefined;
  const levels = [start];
  for (let at = start; at !== top && dirname(at) !== at && levels.length < MAX_LEVELS; )
    levels.push((at = dirname(at)));
  const owner = await ownerOf(start);
  const candidates = await Promise.all(
    levels.map((level) => lstat(join(level, ".git")).catch(() => undefined)),
  );
  for (const [index, candidate] of candidates.entries()) {
    const root = levels[index];
    if (candidate === undefined || root === undefined || !isTrusted(candidate.uid, owner)) continue;
    const gitDir = candidate.isFile() ? await readPointer(root, top) : join(root, ".git");
    // Git, too, walks on past a `.git` that holds no repository.
    if (gitDir === undefined || (await readText(join(gitDir, "HEAD"), top)) === undefined) continue;
    const commonDir = (await readText(join(gitDir, "commondir"), top))?.trim();
    return { root, gitDir, commonDir: commonDir === undefined ? gitDir : resolve(gitDir, commonDir), top };
  }
  return undefined;
}

/** As git does: what another user has put there is not believed. Whose the directory itself is, the session chose. */
function isTrusted(uid: number, owner: number | undefined): boolean {
  const own = process.getuid?.();
  return own === undefined || uid === own || uid === 0 || uid === owner;
}

async function ownerOf(path: string): Promise<number | undefined> {
  return (await lstat(path).catch(() => undefined))?.uid;
}

/** The `.git` file of a worktree or submodule. */
async function readPointer(root: string, top: string | undefined): Promise<string | undefined> {
  const target = /^gitdir: (.+)$/m.exec((await readText(join(root, ".git"), top)) ?? "")?.[1];
  return target === undefined ? undefined : resolve(root, target.trim());
}

async function readHead(repository: Repository): Promise<Pick<WorkingContext, "branch" | "headCommit">> {
  let value = (await readText(join(repository.gitDir, "HEAD"), repository.top))?.trim() ?? "";
  const name = toRefName(value);
  const branch =
    name?.startsWith("refs/heads/") && name !== "refs/heads/.invalid"
      ? name.slice("refs/heads/".length)
      : undefined;
  for (let depth = 0; depth < MAX_SYMBOLIC_REFS; depth++) {
    const ref = toRefName(value);
    if (ref === undefined) break;
    value = (await readRef(repository, ref)) ?? "";
  }
  return { ...(branch && { branch }), ...(isCommitId(value) && { headCommit: value }) };
}

function toRefName(value: string): string | undefined {
  const ref = /^ref:\s*(refs\/\S.*)$/.exec(value)?.[1];
  return ref === undefined || ref.split("/").includes("..") ? undefined : ref;
}

async function readRef({ gitDir, commonDir, top }: Repository, ref: string): Promise<string | undefined> {
  const loose =
    (await readText(join(gitDir, ref), top)) ??
    (gitDir === commonDir ? undefined : await readText(join(commonDir, ref), top));
  if (loose !== undefined) return loose.trim();
  const packed =
    `\n${(await readText(join(commonDir, "packed-refs"), top, MAX_PACKED_REFS_BYTES)) ?? ""}\n`.replaceAll(
      "\r\n",
      "\n",
    );
  const at = packed.indexOf(` ${ref}\n`);
  return at === -1 ? undefined : packed.slice(packed.lastIndexOf("\n", at) + 1, at);
}

/** SHA-1 or SHA-256. */
function isCommitId(value: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

async function readOrigin({ commonDir, top }: Repository): Promise<string | undefined> {
  let isOrigin = false;
  for (const line of ((await readText(join(commonDir, "config"), top)) ?? "").split("\n")) {
    const section = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line);
    if (section !== null) isOrigin = section[1]?.toLowerCase() === "remote" && section[2] === "origin";
    const value = isOrigin ? /^(?:\s*\[.*\])?\s*url\s*=\s*(.*)$/is.exec(line)?.[1] : undefined;
    if (value !== undefined) return unquote(value);
  }
  return undefined;
}

function unquote(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
  return quoted === undefined ? withoutComment(value, "#;").trim() : quoted.replace(/\\(.)/g, "$1");
}

/** Host and path of a remote; user, password and port never leave this function. */
export function parseRemoteUrl(
  url: string | undefined,
): Pick<WorkingContext, "repository" | "hostType" | "repositoryHost"> {
  const { host, path } = splitRemoteUrl(url ?? "") ?? {};
  if (host === undefined || path === undefined) return {};
  const segments = path
    .split("/")
    .filter((segment) => segment.length > 0)
    .map((segment, index, all) => decode(index === all.length - 1 ? segment.replace(/\.git$/, "") : segment))
    .filter((segment) => segment.length > 0);
  const azure = toAzureRepository(host, segments);
  if (azure !== undefined) return { repository: azure, hostType: "ado", repositoryHost: host };
  const repository = segments.length === 2 ? segments.join("/") : undefined;
  return {
    ...(repository && { repository }),
    ...(isGitHub(host) && { hostType: "github" as const }),
    repositoryHost: host,
  };
}

function splitRemoteUrl(url: string): { readonly host: string; readonly path: string } | undefined {
  if (/^(?:https?|ssh|git|git\+ssh):\/\//i.test(url)) {
    const match = /^[a-z+]+:\/\/(?:[^/@]*@)?([^/:@]+)(?::\d+)?\/(.+)$/i.exec(url);
    return match?.[1] === undefined ? undefined : { host: match[1].toLowerCase(), path: match[2] ?? "" };
  }
  // `user@host:path`; a single letter before the colon is a drive of Windows.
  const match = /^(?:[^@/\s]+@)?([\w.-]{2,}):(?!\/\/)(.+)$/.exec(url);
  return match?.[1] === undefined ? undefined : { host: match[1].toLowerCase(), path: match[2] ?? "" };
}

/** GitHub.com, its tenants, and server editions that carry the name. */
function isGitHub(host: string): boolean {
  return host.endsWith(".ghe.com") || host.split(".").includes("github");
}

function toAzureRepository(host: string, segments: readonly string[]): string | undefined {
  if (host === "ssh.dev.azure.com" || host === "vs-ssh.visualstudio.com") {
    const [version, organization, project, repository] = segments;
    return version === "v3" && repository !== undefined
      ? `${organization}/${project}/${repository}`
      : undefined;
  }
  const isVisualStudio = host.endsWith(".visualstudio.com");
  if (host !== "dev.azure.com" && !isVisualStudio) return undefined;
  const rest = isVisualStudio
    ? segments.filter((segment, index) => index > 0 || segment !== "DefaultCollection")
    : segments.slice(1);
  const organization = isVisualStudio ? host.slice(0, host.indexOf(".")) : segments[0];
  const at = rest.indexOf("_git");
  const repository = at === -1 ? undefined : rest[at + 1];
  // A repository named like its project has the project left out.
  return repository === undefined
    ? undefined
    : `${organization}/${at > 0 ? rest[at - 1] : repository}/${repository}`;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Undefined for what is missing, unreadable, no regular file, too large, or leads out of `top`. */
async function readText(
  path: string,
  top: string | undefined,
  maxBytes = MAX_FILE_BYTES,
): Promise<string | undefined> {
  if (top !== undefined) {
    const canonical = await realpath(path).catch(() => undefined);
    if (canonical === undefined || !isInside(canonical, top)) return undefined;
  }
  // Without O_NONBLOCK a pipe in a file's place would hold a thread of the pool for ever.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= maxBytes ? await file.readFile("utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
