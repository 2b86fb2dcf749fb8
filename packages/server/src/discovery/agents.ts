/**
 * Agents that people define in Markdown files: front matter says what the agent is, the text is its
 * prompt. In `.github/agents` and `.claude/agents` of a repository, and in `agents` of the user's home.
 */
import { join } from "node:path";
import type { Discovered } from "./discovery-cache.ts";
import { listAttribute, parseFrontMatter, textAttribute } from "./front-matter.ts";
import { findFiles, readTextFile } from "./text-file.ts";

export interface FileAgent {
  /** The file's name without its endings. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  /** Absolute. */
  readonly path: string;
  readonly source: "user" | "project";
  /** Undefined for all. */
  readonly tools?: readonly string[];
  readonly model?: string;
  /** Whether a model may hand it a task by itself. */
  readonly infer: boolean;
  readonly userInvocable: boolean;
}

export interface AgentQuery {
  /** Undefined leaves agents of projects out. */
  readonly workingDirectory?: string;
  readonly gitRoot?: string;
  /** The user's own directory; undefined leaves the user's agents out. */
  readonly home?: string;
  /** More directories with agents, absolute; they go before all others. */
  readonly directories?: readonly string[];
}

export interface FileAgents {
  /** The user's agents come first. When several have one id, the project's counts. */
  readonly agents: readonly FileAgent[];
  /** Files that define none, and why. */
  readonly errors: readonly string[];
}

const MAX_FILE_BYTES = 64 * 1024;
const MAX_FILES = 100;

/** Where agents are looked for, most specific last. */
export function agentDirectories(
  query: AgentQuery,
): { readonly path: string; readonly source: FileAgent["source"]; readonly inside?: string }[] {
  const root = query.gitRoot ?? query.workingDirectory;
  const roots = [...new Set([root, query.workingDirectory])].filter((path) => path !== undefined);
  return [
    ...(query.home === undefined ? [] : [{ path: join(query.home, "agents"), source: "user" as const }]),
    ...roots.flatMap((directory) =>
      [".claude", ".github"].map((folder) => ({
        path: join(directory, folder, "agents"),
        source: "project" as const,
        inside: root,
      })),
    ),
    ...(query.directories ?? []).map((path) => ({ path, source: "project" as const, inside: path })),
  ];
}

/** Never rejects. */
export async function discoverAgents(query: AgentQuery): Promise<FileAgents & Discovered> {
  const agents = new Map<string, FileAgent>();
  const errors: string[] = [];
  const stamps = new Map<string, string>();
  for (const { path: directory, source, inside } of agentDirectories(query)) {
    const files = await findFiles(directory, {
      accepts: (name) => name.endsWith(".md"),
      maxFiles: MAX_FILES,
      maxDepth: 0,
      stamps,
    });
    for (const file of files) {
      const path = join(directory, file);
      const agent = await readAgent(path, file, source, inside);
      if (typeof agent === "string") errors.push(`${path}: ${agent}`);
      else {
        agents.delete(agent.id);
        agents.set(agent.id, agent);
      }
    }
  }
  return { agents: [...agents.values()], errors, stamps };
}

/** The agent, or why the file defines none. */
async function readAgent(
  path: string,
  file: string,
  source: FileAgent["source"],
  inside: string | undefined,
): Promise<FileAgent | string> {
  const read = await readTextFile(path, { maxBytes: MAX_FILE_BYTES, inside });
  if (read.kind === "missing") return "it is not there";
  if (read.kind === "refused") return read.why;
  if (read.isCut) return `it is larger than ${MAX_FILE_BYTES} bytes`;
  const { attributes, body } = await parseFrontMatter(read.text);
  const description = textAttribute(attributes["description"]);
  if (description === undefined) return "expected front matter with a 'description'";
  if (body.trim() === "") return "expected a prompt below the front matter";
  const id = file.replace(/(?:\.agent)?\.md$/, "");
  const tools = listAttribute(attributes["tools"]);
  const model = textAttribute(attributes["model"]);
  return {
    id,
    name: textAttribute(attributes["name"]) ?? id,
    description,
    prompt: body.trim(),
    path,
    source,
    ...(tools === undefined || tools.length === 0 || tools.includes("*") ? {} : { tools }),
    // Claude's word for the model in use.
    ...(model === undefined || model === "inherit" ? {} : { model }),
    infer: attributes["infer"] !== false && attributes["disable-model-invocation"] !== true,
    userInvocable: attributes["user-invocable"] !== false && attributes["user-invokable"] !== false,
  };
}
