/**
 * What git would do of itself in a directory: a repository's own configuration names programs that harmless
 * commands run (`core.fsmonitor`, `diff.*.textconv`, hooks), and links in it lead to other repositories.
 */
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createBreather } from "../breather.ts";
import { leadsTo } from "./command-paths.ts";

export interface GitRepository {
  /** What git reads there; absolute and without links. */
  readonly places: readonly string[];
  /** Whether its configuration only says what no program is run for, and no hooks and no submodules are there. */
  readonly isHarmless: boolean;
}

const MAX_LEVELS = 64;
const MAX_CONFIG_BYTES = 65_536;
/** Some 300,000 files. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024;
/** As `section.key`, without the name that a section may have. */
const HARMLESS =
  /^(?:core\.(?:repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol|safecrlf|longpaths)|remote\.(?:url|fetch|pushurl|tagopt|prune)|branch\.(?:remote|merge|rebase|description|vscode-merge-base|github-pr-owner-number)|user\.(?:name|email|signingkey)|pull\.(?:rebase|ff)|push\.(?:default|autosetupremote|followtags)|fetch\.prune|init\.defaultbranch|color\.\w+|rerere\.enabled|gc\.(?:auto|autopacklimit|autodetach|pruneexpire|worktreepruneexpire|reflogexpire|reflogexpireunreachable|packrefs)|advice\.\w+)$/;
/** None of these may be a link. */
const OWN = ["config", "HEAD", "objects", "refs", "index", "packed-refs", "info"];

/** Undefined where there is none. @param cwd absolute. Does not throw. */
export async function findGitRepository(cwd: string): Promise<GitRepository | undefined> {
  let at = await leadsTo(cwd, ".");
  for (let level = 0; level < MAX_LEVELS; level += 1) {
    const found = await lstat(join(at, ".git")).catch(() => undefined);
    if (found?.isDirectory()) return describe(at, join(at, ".git"), join(at, ".git"));
    if (found) return describeElsewhere(at);
    // A repository without a working tree, in the middle of another one's files, perhaps.
    if ((await exists(join(at, "HEAD"))) && (await exists(join(at, "objects"))))
      return { places: [at], isHarmless: false };
    if (dirname(at) === at) return undefined;
    at = dirname(at);
  }
  return { places: [at], isHarmless: false };
}

/** `.git` is a link, or a file that says where the repository is: of a worktree or a submodule. */
async function describeElsewhere(root: string): Promise<GitRepository> {
  const text = (await readSmall(join(root, ".git"))) ?? "";
  const named = /^gitdir: (.+?)\n?$/.exec(text)?.[1];
  if (named === undefined) return { places: [await leadsTo(root, ".git")], isHarmless: false };
  const gitDir = await leadsTo(root, named);
  const common = ((await readSmall(join(gitDir, "commondir"))) ?? ".").trim();
  return describe(root, gitDir, await leadsTo(gitDir, common));
}

async function describe(root: string, gitDir: string, commonDir: string): Promise<GitRepository> {
  const config = await readSmall(join(commonDir, "config"));
  const isHarmless =
    (await exists(join(gitDir, "HEAD"))) &&
    (config === undefined ? !(await exists(join(commonDir, "config"))) : isHarmlessConfig(config)) &&
    !(await exists(join(commonDir, "objects/info/alternates"))) &&
    !(await exists(join(gitDir, "config.worktree"))) &&
    !(await hasLinks(gitDir)) &&
    !(await hasLinks(commonDir)) &&
    !(await hasHooks(commonDir)) &&
    !(await hasSubmodules(gitDir));
  return { places: [...new Set([root, gitDir, commonDir])], isHarmless };
}

/** Whether all that is set is known to run nothing. What is not plainly a section or a setting is not. */
export function isHarmlessConfig(text: string): boolean {
  let section = "";
  return text.split("\n").every((line) => {
    const trimmed = line.trim();
    if (trimmed === "" || /^[#;]/.test(trimmed)) return true;
    const heading = /^\[([a-zA-Z0-9-]+)(?: "[^"\\]*")?\]$/.exec(trimmed)?.[1];
    if (heading !== undefined) {
      section = heading.toLowerCase();
      return true;
    }
    const key = /^([a-zA-Z0-9-]+)(?:\s*=[^\\]*)?$/.exec(trimmed)?.[1];
    return key !== undefined && HARMLESS.test(`${section}.${key.toLowerCase()}`);
  });
}

async function hasHooks(commonDir: string): Promise<boolean> {
  const hooks = join(commonDir, "hooks");
  if (!(await exists(hooks))) return false;
  const names = await readdir(hooks).catch(() => undefined);
  return names === undefined || names.some((name) => !name.endsWith(".sample"));
}

/** What an index has instead of a file's mode where a commit of another repository is. */
const GITLINK = Buffer.from([0, 0, 0xe0, 0]);
/** Modes in an index of the older versions, whose entries begin where a multiple of so much is behind its header. */
const ENTRY_ALIGNMENT = 8;
const MODE_AT = 36 % ENTRY_ALIGNMENT;

/**
 * Whether git looks into other repositories inside of this one: `git status` asks each with the configuration that it has
 * there. True also where the index cannot be read, or something looks like one.
 */
async function hasSubmodules(gitDir: string): Promise<boolean> {
  const names = await readdir(gitDir).catch(() => undefined);
  // The rest of an index that is split.
  if (!names || names.some((name) => name.startsWith("sharedindex."))) return true;
  if (!names.includes("index")) return false;
  const index = await readRegular(join(gitDir, "index"), MAX_INDEX_BYTES);
  if (index === undefined || index.length < 12) return true;
  const isAligned = index.readUInt32BE(4) < 4;
  const breathe = createBreather();
  for (let at = index.indexOf(GITLINK); at >= 0; at = index.indexOf(GITLINK, at + 1)) {
    if (!isAligned || at % ENTRY_ALIGNMENT === MODE_AT) return true;
    const pause = breathe();
    if (pause) await pause;
  }
  return false;
}

async function hasLinks(directory: string): Promise<boolean> {
  const found = await Promise.all(OWN.map((name) => lstat(join(directory, name)).catch(() => undefined)));
  if (found.some((entry) => entry?.isSymbolicLink())) return true;
  const objects = join(directory, "objects");
  // They may be another repository's.
  return (await containsLinks(objects)) || containsLinks(join(objects, "pack"));
}

async function containsLinks(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.some((entry) => entry.isSymbolicLink());
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Undefined unless it is a regular file of a usual size. */
async function readSmall(path: string): Promise<string | undefined> {
  return (await readRegular(path, MAX_CONFIG_BYTES))?.toString("utf8");
}

async function readRegular(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maxBytes) return undefined;
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
