/**
 * What changed in a session's working directory, as git tells it: against the last commit, or against
 * where the branch left the default one. Files that git does not track and does not ignore count as added.
 */
import { execFile } from "node:child_process";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { giveWay } from "../../../tools/child-priority.ts";
import { diffOfNewFile } from "../../../tools/new-file-diff.ts";
import { canonicalPath, isInside } from "../../../tools/paths.ts";
import { readRegularFile } from "../../../tools/regular-file.ts";
import type { Confinement } from "../../members/confinement.ts";

export type DiffMode = "unstaged" | "branch" | "session";

export interface FileChange {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly changeType: "added" | "modified" | "deleted" | "renamed";
  /** Unified; empty when truncated. */
  readonly diff: string;
  readonly oldPath?: string;
  readonly isTruncated?: boolean;
}

export interface WorkspaceDiff {
  readonly requestedMode: DiffMode;
  /** The mode that was used. */
  readonly mode: DiffMode;
  readonly changes: readonly FileChange[];
  readonly baseBranch?: string;
  readonly isFallback: boolean;
  readonly unavailableReason?: "file-change-tracking-disabled";
}

export interface DiffRequest {
  readonly mode: DiffMode;
  readonly ignoreWhitespace?: boolean;
  /** Absolute. */
  readonly workingDirectory: string;
  /** Without git nothing is known to have changed. */
  readonly mayRunGit: boolean;
  /** For git: where it is, whose configuration it reads, and how far up it looks for a repository. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Nothing outside of the root, or else of the directory, is read, wherever links and the repository's files lead. */
  readonly confinement: Confinement | undefined;
  readonly signal: AbortSignal;
}

const MAX_FILE_CHARACTERS = 256 * 1024;
const MAX_GIT_BYTES = 16 * 1024 * 1024;
const MAX_UNTRACKED = 500;
const GIT_TIMEOUT_MS = 20_000;
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/** A repository's configuration may name programs; a diff needs none of them. */
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"];
const DIFF = [
  "diff",
  "--no-color",
  "--no-ext-diff",
  "--no-textconv",
  "--find-renames",
  "--ignore-submodules=dirty",
];

/** Transports, for objects that a partial clone left out: a repository names the programs that carry them. */
const NO_TRANSPORT = { GIT_ALLOW_PROTOCOL: "none", GIT_NO_LAZY_FETCH: "1" };

/** Outside a repository, or without git, nothing has changed. @throws the signal's reason. */
export async function diffWorkspace(asked: DiffRequest): Promise<WorkspaceDiff> {
  const root = asked.mayRunGit ? await repositoryRoot(asked) : undefined;
  const request = root ? { ...asked, environment: await withoutFilters(asked) } : asked;
  const unstaged = async () => (root ? changesSince(request, root, await lastCommit(request, root)) : []);
  const { mode: requestedMode } = request;
  if (requestedMode === "branch" && root) {
    const base = await branchBase(request, root);
    if (base?.commit) {
      const changes = await changesSince(request, root, base.commit);
      return { requestedMode, mode: "branch", changes, baseBranch: base.branch, isFallback: false };
    }
    const changes = await unstaged();
    return {
      requestedMode,
      mode: "unstaged",
      changes,
      isFallback: true,
      ...(base ? { baseBranch: base.branch } : {}),
    };
  }
  return {
    requestedMode,
    mode: "unstaged",
    changes: await unstaged(),
    isFallback: requestedMode !== "unstaged",
    ...(requestedMode === "session" ? { unavailableReason: "file-change-tracking-disabled" } : {}),
  };
}

/** Undefined outside a repository, and where any part of it is elsewhere than it may be. */
async function repositoryRoot(request: DiffRequest): Promise<string | undefined> {
  const { workingDirectory, confinement } = request;
  const within = confinement && (confinement.root ?? (await canonicalPath(workingDirectory)));
  if (within !== undefined && !(await isWithin(within, workingDirectory))) return undefined;
  const asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"];
  const [root, gitDir, commonDir] = (await git(request, workingDirectory, asked))?.text.split("\n") ?? [];
  if (!root || !gitDir || !commonDir) return undefined;
  if (within === undefined) return root;
  const alternates = join(commonDir, "objects/info/alternates");
  const parts = [gitDir, commonDir].flatMap((directory) => PARTS.map((part) => join(directory, part)));
  for (const place of [root, ...parts, alternates]) if (!(await isWithin(within, place))) return undefined;
  return (await lstat(alternates).catch(() => undefined)) === undefined ? root : undefined;
}

/** What git reads of a repository that may be a link to another one's. */
const PARTS = [".", "HEAD", "index", "config", "refs", "packed-refs", "objects", "objects/pack"];

async function isWithin(within: string, path: string): Promise<boolean> {
  const canonical = await canonicalPath(path).catch(() => undefined);
  return canonical !== undefined && isInside(canonical, within);
}

/** The environment, with the filters off that the repository's own configuration names: each is a program. */
async function withoutFilters(request: DiffRequest): Promise<DiffRequest["environment"]> {
  const asked = ["config", "--show-scope", "--name-only", "-z", "--get-regexp", "^filter\\."];
  const fields = (await git(request, request.workingDirectory, asked))?.text.split("\0") ?? [];
  const names = new Set<string>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = /^filter\.(.*)\.[^.]*$/s.exec(fields[at + 1] ?? "")?.[1];
    if (name !== undefined && ["local", "worktree"].includes(fields[at] ?? "")) names.add(name);
  }
  const settings = [...names].flatMap((name) => [
    [`filter.${name}.clean`, ""],
    [`filter.${name}.process`, ""],
    [`filter.${name}.required`, "false"],
  ]);
  const given = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { ...request.environment, ...Object.fromEntries(given), GIT_CONFIG_COUNT: String(settings.length) };
}

async function lastCommit(request: DiffRequest, root: string): Promise<string> {
  return (await git(request, root, ["rev-parse", "--verify", "--quiet", "HEAD"]))?.text.trim() || EMPTY_TREE;
}

/** The default branch, and where the current one left it; no commit when they have none in common. */
async function branchBase(
  request: DiffRequest,
  root: string,
): Promise<{ branch: string; commit?: string } | undefined> {
  const head = await git(request, root, ["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]);
  const remote = head?.text.trim();
  const candidates = [...(remote ? [remote] : []), "origin/main", "origin/master", "main", "master"];
  for (const candidate of candidates) {
    const found = await git(request, root, ["rev-parse", "--verify", "--quiet", `${candidate}^{commit}`]);
    if (!found) continue;
    const commit = (await git(request, root, ["merge-base", "HEAD", candidate]))?.text.trim();
    return { branch: candidate.replace(/^origin\//, ""), ...(commit ? { commit } : {}) };
  }
  return undefined;
}

async function changesSince(request: DiffRequest, root: string, commit: string): Promise<FileChange[]> {
  const whitespace = request.ignoreWhitespace ? ["--ignore-all-space"] : [];
  const raw = await git(request, root, [...DIFF, "--raw", "-z", commit, "--"]);
  const patches = await git(request, root, [...DIFF, ...whitespace, "--patch", commit, "--"]);
  const byHeader = new Map<string, string>();
  const whole = (patches?.text ?? "").split(/^(?=diff --git )/m);
  if (patches?.isCut) whole.pop();
  for (const patch of whole) byHeader.set(patch.slice(0, patch.indexOf("\n")), patch);
  const changes: FileChange[] = [];
  for (const entry of parseRaw(raw?.text ?? "")) {
    const patch = byHeader.get(`diff --git a/${entry.oldPath ?? entry.path} b/${entry.path}`);
    // Only its white space changed.
    if (patch === undefined && request.ignoreWhitespace && !patches?.isCut) continue;
    changes.push({ ...entry, ...bounded(patch) });
  }
  return [...changes, ...(await untracked(request, root))];
}

const CHANGE_TYPES: Readonly<Record<string, FileChange["changeType"]>> = {
  A: "added",
  C: "added",
  D: "deleted",
  R: "renamed",
};

/** The records of `git diff --raw -z`: `:<modes and ids> <status>\0<path>\0`, or with two paths. */
function parseRaw(text: string): Pick<FileChange, "path" | "changeType" | "oldPath">[] {
  const fields = text.split("\0");
  const entries: Pick<FileChange, "path" | "changeType" | "oldPath">[] = [];
  for (let at = 0; at < fields.length - 1; ) {
    const status = /([A-Z])\d*$/.exec(fields[at++] ?? "")?.[1] ?? "";
    const path = fields[at++] ?? "";
    const changeType = CHANGE_TYPES[status] ?? "modified";
    if (status === "R" || status === "C") {
      const renamed = fields[at++] ?? "";
      entries.push({ path: renamed, changeType, ...(status === "R" ? { oldPath: path } : {}) });
    } else if (path !== "") entries.push({ path, changeType });
  }
  return entries;
}

async function untracked(request: DiffRequest, root: string): Promise<FileChange[]> {
  const listed = await git(request, root, ["ls-files", "--others", "--exclude-standard", "-z"]);
  const paths = (listed?.text ?? "").split("\0").filter((path) => path !== "");
  const changes: FileChange[] = [];
  for (const path of paths.slice(0, MAX_UNTRACKED)) {
    request.signal.throwIfAborted();
    const diff = await additionOf(root, path).catch(() => undefined);
    changes.push({ path, changeType: "added", ...bounded(diff) });
  }
  return changes;
}

/** A file that git does not know, as git would show it added. Undefined when it is too large, or no file. */
async function additionOf(root: string, path: string): Promise<string | undefined> {
  const file = join(root, path);
  const found = await lstat(file);
  if (!found.isSymbolicLink() && (!found.isFile() || found.size > MAX_FILE_CHARACTERS)) return undefined;
  const content = found.isSymbolicLink()
    ? Buffer.from(await readlink(file))
    : await readRegularFile(file, MAX_FILE_CHARACTERS);
  if (content === undefined) return undefined;
  const mode = found.isSymbolicLink() ? "120000" : found.mode & 0o111 ? "100755" : "100644";
  const head = `diff --git a/${path} b/${path}\nnew file mode ${mode}\n`;
  if (content.includes(0)) return `${head}Binary files /dev/null and b/${path} differ\n`;
  if (content.length === 0) return head;
  return `${head}${diffOfNewFile(`b/${path}`, content.toString("utf8"))}\n`;
}

function bounded(diff: string | undefined): { diff: string; isTruncated?: true } {
  return diff === undefined || diff.length > MAX_FILE_CHARACTERS ? { diff: "", isTruncated: true } : { diff };
}

interface GitOutput {
  readonly text: string;
  /** There was more than is kept. */
  readonly isCut: boolean;
}

/** Undefined when git failed, or is not there. @throws the signal's reason. */
async function git(
  request: DiffRequest,
  cwd: string,
  args: readonly string[],
): Promise<GitOutput | undefined> {
  const { signal } = request;
  const { PATH, HOME, XDG_CONFIG_HOME, GIT_CEILING_DIRECTORIES } = request.environment;
  const config = Object.entries(request.environment).filter(([name]) => name.startsWith("GIT_CONFIG_"));
  const output = await new Promise<GitOutput | undefined>((resolve) => {
    const env = {
      PATH,
      HOME,
      XDG_CONFIG_HOME,
      LC_ALL: "C",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CEILING_DIRECTORIES,
      ...NO_TRANSPORT,
      ...Object.fromEntries(config),
    };
    const options = { cwd, env, signal, timeout: GIT_TIMEOUT_MS, maxBuffer: MAX_GIT_BYTES };
    const child = execFile("git", [...SAFE, ...args], options, (error, stdout) => {
      if (error === null) resolve({ text: stdout, isCut: false });
      else if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") resolve({ text: stdout, isCut: true });
      else resolve(undefined);
    });
    if (child.pid !== undefined) giveWay(child.pid);
  });
  signal.throwIfAborted();
  return output;
}
