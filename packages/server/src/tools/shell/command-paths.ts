/**
 * Where the files lead that a command names: links followed as the system follows them, wildcards compared
 * with what is there, `cd` taken along. What cannot be found out within bounds is said to be unknown.
 */
import type { Dir } from "node:fs";
import { lstat, opendir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { userHome } from "../user-home.ts";
import { looksLikePath } from "./looks-like-path.ts";
import type { Word } from "./split-command.ts";
import type { Understanding } from "./understand-command.ts";

export interface CommandPaths {
  /** How each is named, and where that leads; absolute and without links. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Whether these are all. */
  readonly areAll: boolean;
}

/** What matters here of a command that is understood. */
export type PathStep = Pick<Understanding, "paths" | "onlyFiles" | "changesTo"> & {
  /** What stands before and behind it. */
  readonly before: string;
  readonly behind: string;
};

const MAX_LINKS = 40;
const MAX_LOOKS = 4000;
const MAX_RESOLVED = 64;
const MAX_DIRECTORIES = 4;
/** The most wildcards of one word. */
const MAX_WILDCARDS = 64;

/**
 * The files that commands can reach whose words are all understood.
 * @param steps in their order.
 * @param cwd absolute; where the first one runs.
 */
export async function pathsOfSteps(steps: readonly PathStep[], cwd: string): Promise<CommandPaths> {
  const search = new Search();
  const places = new Places(cwd);
  try {
    for (const step of steps) {
      for (const directory of places.possible) {
        for (const word of step.paths) await search.add(word, directory, directory === cwd, step.onlyFiles);
      }
      await places.pass(step);
    }
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    return { resolved: search.resolved, areAll: false };
  }
  return { resolved: search.resolved, areAll: true };
}

/**
 * Where the commands of a line may run. A `cd` may fail. What `&&` joins to it then does not run; what
 * comes behind that does, where the `cd` was.
 */
class Places {
  /** Absolute. */
  possible: readonly string[];
  /** Where it goes on at the end of what `&&` joins. */
  #afterwards: readonly string[] = [];

  constructor(cwd: string) {
    this.possible = [cwd];
  }

  async pass({ changesTo, before, behind }: PathStep): Promise<void> {
    if (changesTo) {
      const reached = await directoriesAt(this.possible, changesTo.text);
      this.#afterwards = [...new Set([...this.#afterwards, ...this.possible, ...reached])];
      this.possible = behind === "&&" && !before.startsWith("|") ? reached : this.#afterwards;
    }
    if (!/^(?:&&|\||\|&)$/.test(behind) && this.#afterwards.length > 0)
      this.possible = [...new Set([...this.#afterwards, ...this.possible])];
    if (this.possible.length > MAX_DIRECTORIES) throw new Unknown();
  }
}

/** `cd` takes `..` from the path by which it came; everybody else takes it from where that leads. */
async function directoriesAt(directories: readonly string[], target: string): Promise<string[]> {
  const all = new Set<string>();
  for (const directory of directories) {
    const named = home(target);
    all.add(resolve(directory, named));
    if (named.includes("..")) all.add(await leadsTo(directory, named));
  }
  return [...all];
}

/** Where a path leads; of what is not there, as far as it is. @param from absolute. Does not throw. */
export async function leadsTo(from: string, path: string): Promise<string> {
  let at = isAbsolute(path) ? "/" : await realpath(from).catch(() => resolve(from));
  const parts = partsOf(path);
  for (let links = 0; parts.length > 0; ) {
    const part = parts.pop() as string;
    if (part === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, part);
    // Links there lead elsewhere for each process.
    if (next.startsWith("/proc/")) return next;
    const target = links < MAX_LINKS ? await readlink(next).catch(errorCode) : { code: "ELOOP" };
    if (typeof target !== "string") {
      at = next;
      // Nothing is there, and nothing below it either.
      if (target.code === "ENOENT") return resolve(at, ...parts.reverse());
      continue;
    }
    links += 1;
    parts.push(...partsOf(target));
    if (isAbsolute(target)) at = "/";
  }
  return realpath(at).catch(() => at);
}

function errorCode(error: NodeJS.ErrnoException): { code: string } {
  return { code: error.code ?? "" };
}

/** The last first. */
function partsOf(path: string): string[] {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .reverse();
}

function home(path: string): string {
  return /^~(?=\/|$)/.test(path) ? join(userHome(), path.slice(1)) : path;
}

class Unknown extends Error {}

class Search {
  readonly resolved = new Map<string, string>();
  #looks = 0;

  /** @throws Unknown when it cannot be told. */
  async add(word: Word, directory: string, isFirst: boolean, onlyFiles: boolean): Promise<void> {
    if (word.wildcards.length > 0) await this.#addMatches(word, directory, isFirst);
    const path = home(word.text);
    this.#look();
    const isThere = path !== "" && (await lstat(resolve(directory, path)).catch(() => undefined));
    const name = isFirst || path !== word.text || isAbsolute(path) ? word.text : `${directory}/${path}`;
    // A name of nothing is that of a new file here.
    if (!isThere && !looksLikePath(word.text)) return;
    const canonical = await leadsTo(directory, path);
    if (onlyFiles && (await stat(canonical).catch(() => undefined))?.isDirectory()) throw new Unknown();
    this.#put(name, canonical);
  }

  /** All that bash may put in place of the word, as far as it leads elsewhere or can be taken for an option. */
  async #addMatches(word: Word, directory: string, isFirst: boolean): Promise<void> {
    if (word.text.startsWith("~") || word.wildcards.length > MAX_WILDCARDS) throw new Unknown();
    const from = isAbsolute(word.text) ? "/" : directory;
    let place = 0;
    let found: string[] = [""];
    for (const part of word.text.split("/")) {
      const wild = word.wildcards.map((at) => at - place).filter((at) => at >= 0 && at < part.length);
      place += part.length + 1;
      if (part === "") continue;
      const next: string[] = [];
      for (const base of found) {
        if (wild.length === 0) next.push(base === "" ? part : `${base}/${part}`);
        else next.push(...(await this.#matches(from, base, part, wild)));
      }
      found = next;
    }
    for (const path of found) {
      if (path.startsWith("-")) throw new Unknown();
      await this.#addLink(from, path, directory, isFirst);
    }
  }

  /** Names that begin and end like the part of a pattern, whatever is between. */
  async #matches(from: string, base: string, part: string, wild: readonly number[]): Promise<string[]> {
    const begin = part.slice(0, wild[0]);
    const end = part.slice((wild.at(-1) as number) + 1);
    const directory = await leadsTo(from, base);
    this.#look();
    const open = await opendir(directory).catch(() => undefined);
    const names: string[] = open ? await this.#namesIn(open) : [];
    const isHit = (name: string) => name.startsWith(begin) && name.endsWith(end);
    const isShown = (name: string) => begin.startsWith(".") || !name.startsWith(".");
    const hits = [...names, ...(begin.startsWith(".") ? ["..", "."] : [])].filter(
      (name) => isHit(name) && isShown(name),
    );
    return hits.map((name) => (base === "" ? name : `${base}/${name}`));
  }

  async #namesIn(directory: Dir): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of directory) {
      this.#look();
      names.push(entry.name);
    }
    return names;
  }

  async #addLink(from: string, path: string, directory: string, isFirst: boolean): Promise<void> {
    this.#look();
    const canonical = await leadsTo(from, path);
    const named = join(await leadsTo(from, "."), path);
    if (canonical === named) return;
    this.#put(from === "/" ? `/${path}` : isFirst ? path : `${directory}/${path}`, canonical);
  }

  #put(name: string, canonical: string): void {
    this.resolved.set(name, canonical);
    if (this.resolved.size > MAX_RESOLVED) throw new Unknown();
  }

  #look(): void {
    this.#looks += 1;
    if (this.#looks > MAX_LOOKS) throw new Unknown();
  }
}
