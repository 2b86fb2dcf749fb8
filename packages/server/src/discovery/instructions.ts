/**
 * Custom instructions: what people tell agents in files of a repository, in their home, or in
 * directories that an application names. Which files, their ids and their kinds are those that the
 * Copilot CLI reports by `session.instructions.getSources`.
 */
import { join, relative, sep } from "node:path";
import type { Discovered } from "./discovery-cache.ts";
import { listAttribute, parseFrontMatter, textAttribute } from "./front-matter.ts";
import { findFiles, readTextFile, stampOf } from "./text-file.ts";

/** `InstructionSource` of api.schema.json. */
export interface InstructionSource {
  /** By which `disabledInstructionSources` names it. */
  readonly id: string;
  readonly label: string;
  /** Relative to the repository, with `/`; absolute outside it. */
  readonly sourcePath: string;
  /** As it is in the file. */
  readonly content: string;
  readonly type: "home" | "repo" | "model" | "vscode" | "nested-agents" | "child-instructions" | "plugin";
  readonly location: "user" | "repository" | "working-directory" | "plugin";
  /** Globs of the files that it is about; absent when it is about all. */
  readonly applyTo?: readonly string[];
  readonly description?: string;
}

export interface InstructionQuery {
  /** Undefined leaves instructions of projects out. */
  readonly workingDirectory?: string;
  /** The repository's root; the working directory when there is none. */
  readonly gitRoot?: string;
  /** The user's own directory; undefined leaves the user's instructions out. */
  readonly home?: string;
  /** More directories, absolute. */
  readonly directories?: readonly string[];
}

export interface Instructions {
  readonly sources: readonly InstructionSource[];
  /** What was left out or cut, and why. */
  readonly warnings: readonly string[];
}

export interface DiscoveredInstructions extends Instructions, Discovered {}

const MAX_FILE_BYTES = 64 * 1024;
/** The size of all sources together: they go out with every request. */
const MAX_TOTAL_BYTES = 256 * 1024;
const MAX_FILES_A_DIRECTORY = 200;
const MAX_DEPTH = 8;
const MAX_DIRECTORIES = 32;
const MODEL_FILES = ["AGENTS.md", "CLAUDE.md", "GEMINI.md"] as const;

type Fields = Pick<InstructionSource, "id" | "label" | "sourcePath" | "type" | "location">;

/** Never rejects. In the order in which a model reads them: from the user's own to the most specific. */
export async function discoverInstructions(query: InstructionQuery): Promise<DiscoveredInstructions> {
  const search = new Search(query.gitRoot ?? query.workingDirectory);
  if (query.home !== undefined) await searchHome(search, query.home);
  const scopes = scopesOf(query);
  for (const scope of scopes) await searchCopilotFile(search, scope);
  for (const scope of scopes) await searchModelFiles(search, scope);
  for (const scope of scopes) await searchRules(search, scope);
  for (const directory of (query.directories ?? []).slice(0, MAX_DIRECTORIES))
    await searchNamedDirectory(search, directory);
  return { sources: search.sources, warnings: search.warnings, stamps: search.stamps };
}

interface Scope {
  readonly directory: string;
  readonly location: "repository" | "working-directory";
  readonly prefix: "" | "cwd-";
}

function scopesOf({ workingDirectory, gitRoot }: InstructionQuery): Scope[] {
  const root = gitRoot ?? workingDirectory;
  if (root === undefined) return [];
  const repository: Scope = { directory: root, location: "repository", prefix: "" };
  if (workingDirectory === undefined || workingDirectory === root) return [repository];
  return [repository, { directory: workingDirectory, location: "working-directory", prefix: "cwd-" }];
}

/** A file or directory that instructions are read from, there or not. */
export interface InstructionTarget {
  readonly path: string;
  readonly kind: "file" | "directory";
  readonly location: "user" | "repository" | "working-directory";
}

/** Where `discoverInstructions` looks; the file for everything first in each place. */
export function instructionTargets(query: InstructionQuery): InstructionTarget[] {
  const at = (location: InstructionTarget["location"], kind: InstructionTarget["kind"], path: string) => ({
    path,
    kind,
    location,
  });
  const { home } = query;
  return [
    ...(home === undefined
      ? []
      : [
          at("user", "file", join(home, "copilot-instructions.md")),
          at("user", "directory", join(home, "instructions")),
        ]),
    ...scopesOf(query).flatMap(({ directory, location }) => [
      at(location, "file", join(directory, ".github", "copilot-instructions.md")),
      ...MODEL_FILES.map((name) => at(location, "file", join(directory, name))),
      at(location, "directory", join(directory, ".github", "instructions")),
      at(location, "directory", join(directory, ".claude", "rules")),
    ]),
  ];
}

async function searchHome(search: Search, home: string): Promise<void> {
  const path = join(home, "copilot-instructions.md");
  const label = "Home copilot-instructions.md";
  await search.add(path, { id: "home-copilot", label, sourcePath: path, type: "home", location: "user" });
  await search.addRules(join(home, "instructions"), isInstructionsFile, (file, directory) => ({
    id: `vscode-instructions/instructions/${file}`,
    sourcePath: join(directory, file),
    location: "user",
  }));
}

async function searchCopilotFile(search: Search, { directory, location, prefix }: Scope): Promise<void> {
  const path = join(directory, ".github", "copilot-instructions.md");
  await search.add(
    path,
    {
      id: prefix === "" ? "repo-copilot" : "cwd-copilot",
      label: ".github/copilot-instructions.md",
      sourcePath: search.shown(path),
      type: "repo",
      location,
    },
    search.root,
  );
}

async function searchModelFiles(search: Search, { directory, location, prefix }: Scope): Promise<void> {
  for (const name of MODEL_FILES) {
    const path = join(directory, name);
    const slug = (prefix === "" ? name : search.shown(path)).toLowerCase().replace(/[^a-z0-9]+/g, "-");
    const fields = { label: name, sourcePath: search.shown(path), type: "model", location } as const;
    await search.add(path, { id: `${prefix}model-${slug}`, ...fields }, search.root);
  }
}

async function searchRules(search: Search, { directory, location }: Scope): Promise<void> {
  const fields = (below: string) => (file: string, found: string) => ({
    // Under its own directory, as the Copilot CLI names them; the same name twice gets the whole path.
    id: `vscode-instructions/${below}/${file}`,
    sourcePath: search.shown(join(found, file)),
    location,
  });
  const instructions = join(directory, ".github", "instructions");
  await search.addRules(instructions, isInstructionsFile, fields(".github/instructions"), search.root);
  const rules = join(directory, ".claude", "rules");
  await search.addRules(rules, (name) => name.endsWith(".md"), fields(".claude/rules"), search.root);
}

/** An application that names a directory wants its instructions to count, wherever the session works. */
async function searchNamedDirectory(search: Search, directory: string): Promise<void> {
  const path = join(directory, "AGENTS.md");
  await search.add(
    path,
    {
      id: `external-agents-md/${path}`,
      label: "AGENTS.md [external]",
      sourcePath: search.shown(path),
      type: "nested-agents",
      location: "repository",
    },
    directory,
  );
  const fields = (below: string) => (file: string, found: string) => ({
    id: `vscode-instructions/external/${below}${file}`,
    label: `${nameOf(file)} [external]`,
    sourcePath: search.shown(join(found, file)),
    location: "repository" as const,
  });
  await search.addRules(directory, isInstructionsFile, fields(""), directory, 0);
  const below = join(directory, ".github", "instructions");
  await search.addRules(below, isInstructionsFile, fields(".github/instructions/"), directory);
}

function isInstructionsFile(name: string): boolean {
  return name.endsWith(".instructions.md");
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** What was found so far. A file counts once, however many names lead to it. */
class Search {
  readonly sources: InstructionSource[] = [];
  readonly warnings: string[] = [];
  readonly stamps = new Map<string, string>();
  /** The root of the project; undefined without a project. */
  readonly root: string | undefined;
  readonly #seen = new Set<string>();
  readonly #ids = new Set<string>();
  #bytes = 0;

  constructor(root: string | undefined) {
    this.root = root;
  }

  /** A path as people and models are shown it. */
  shown(path: string): string {
    if (this.root === undefined) return path;
    const below = relative(this.root, path);
    return below === "" || below.startsWith("..") ? path : below.split(sep).join("/");
  }

  /** @param inside links may not lead out of it. */
  async add(path: string, fields: Fields, inside?: string): Promise<void> {
    const stamp = this.stamps.get(path) ?? (await stampOf(path));
    this.stamps.set(path, stamp);
    if (stamp === "") return;
    const file = await readTextFile(path, { maxBytes: MAX_FILE_BYTES, inside });
    if (file.kind === "refused") this.#warn(fields, `were left out: ${file.why}`);
    if (file.kind !== "text" || this.#seen.has(file.path)) return;
    this.#seen.add(file.path);
    if (file.text.trim() === "") return;
    if (this.#bytes + file.text.length > MAX_TOTAL_BYTES) {
      this.#warn(fields, `were left out: all instructions together are larger than ${MAX_TOTAL_BYTES} bytes`);
      return;
    }
    this.#bytes += file.text.length;
    if (file.isCut) this.#warn(fields, `were cut: the file is larger than ${MAX_FILE_BYTES} bytes`);
    const id = this.#ids.has(fields.id) ? `${fields.id}#${fields.sourcePath}` : fields.id;
    this.#ids.add(id);
    const scope = fields.type === "vscode" ? await scopeOf(file.text) : {};
    this.sources.push({ ...fields, id, content: file.text, ...scope });
  }

  /** Files of rules below a directory; each says itself what it is about. */
  async addRules(
    directory: string,
    accepts: (name: string) => boolean,
    fieldsOf: (
      file: string,
      directory: string,
    ) => Omit<Fields, "type" | "label"> & { readonly label?: string },
    inside?: string,
    maxDepth = MAX_DEPTH,
  ): Promise<void> {
    const files = await findFiles(directory, {
      accepts,
      maxFiles: MAX_FILES_A_DIRECTORY,
      maxDepth,
      stamps: this.stamps,
    });
    for (const file of files) {
      const fields = { label: nameOf(file), ...fieldsOf(file, directory), type: "vscode" as const };
      await this.add(join(directory, file), fields, inside);
    }
  }

  #warn(fields: Fields, what: string): void {
    this.warnings.push(`The instructions in ${fields.sourcePath} ${what}.`);
  }
}

async function scopeOf(text: string): Promise<Pick<InstructionSource, "applyTo" | "description">> {
  const { attributes } = await parseFrontMatter(text);
  const globs = listAttribute(attributes["applyTo"] ?? attributes["paths"]) ?? [];
  const description = textAttribute(attributes["description"]);
  const isAboutAll = globs.length === 0 || globs.some((glob) => /^(?:\*|\*\*|\*\*\/\*|\/\*\*)$/.test(glob));
  return { ...(isAboutAll ? {} : { applyTo: globs }), ...(description === undefined ? {} : { description }) };
}
