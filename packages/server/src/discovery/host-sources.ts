/**
 * What files hold for sessions that there are not yet: the agents and instructions that a session in one
 * of some projects would find, and where people may put more.
 */
import { join } from "node:path";
import { type AgentQuery, agentDirectories, type FileAgents } from "./agents.ts";
import type { Discovery } from "./discovery-cache.ts";
import {
  type InstructionQuery,
  type InstructionSource,
  type Instructions,
  type InstructionTarget,
  instructionTargets,
} from "./instructions.ts";

export interface Project {
  /** As the client named it. */
  readonly projectPath: string;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly gitRoot?: string;
}

export interface Places {
  /** The user's own directory; undefined leaves out what is the user's. */
  readonly home: string | undefined;
  readonly projects: readonly Project[];
}

/** The user's agents, then each project's. The same id may come from several. Never rejects. */
export async function agentsAt(
  load: Discovery<AgentQuery, FileAgents>,
  { home, projects }: Places,
): Promise<FileAgents["agents"]> {
  const own = home === undefined ? [] : [{ home }];
  const inProjects = projects.map(({ workingDirectory, gitRoot }) => ({ workingDirectory, gitRoot }));
  const found = await Promise.all([...own, ...inProjects].map(load));
  return found.flatMap(({ agents }) => agents);
}

/** The user's instructions, then each project's, which name it. Never rejects. */
export async function instructionsAt(
  load: Discovery<InstructionQuery, Instructions>,
  { home, projects }: Places,
): Promise<(InstructionSource & { readonly projectPath?: string })[]> {
  const own = home === undefined ? [] : (await load({ home })).sources;
  const found = await Promise.all(
    projects.map(async ({ projectPath, workingDirectory, gitRoot }) => {
      const { sources } = await load({ workingDirectory, gitRoot });
      return sources.map((source) => ({ ...source, projectPath }));
    }),
  );
  return [...own, ...found.flat()];
}

export interface AgentPath {
  readonly path: string;
  readonly scope: "user" | "project";
  /** One of each project, and the user's. */
  readonly preferredForCreation: boolean;
  readonly projectPath?: string;
}

/** Whether they exist or not. */
export function agentPathsAt({ home, projects }: Places): AgentPath[] {
  const own = home === undefined ? [] : agentDirectories({ home });
  return [
    ...own.map(({ path, source }) => ({ path, scope: source, preferredForCreation: true })),
    ...projects.flatMap(({ projectPath, workingDirectory, gitRoot }) => {
      const preferred = join(gitRoot ?? workingDirectory, ".github", "agents");
      return agentDirectories({ workingDirectory, gitRoot }).map(({ path, source }) => ({
        path,
        scope: source,
        preferredForCreation: path === preferred,
        projectPath,
      }));
    }),
  ];
}

export interface InstructionPath extends InstructionTarget {
  /** One of each project, and one of the user's. */
  readonly preferredForCreation: boolean;
  readonly projectPath?: string;
}

/** Whether they exist or not. */
export function instructionPathsAt({ home, projects }: Places): InstructionPath[] {
  // The first is the file of the place that is about everything.
  const prefer = (target: InstructionTarget, index: number) => ({
    ...target,
    preferredForCreation: index === 0,
  });
  return [
    ...(home === undefined ? [] : instructionTargets({ home }).map(prefer)),
    ...projects.flatMap(({ projectPath, workingDirectory, gitRoot }) =>
      instructionTargets({ workingDirectory, gitRoot })
        .map(prefer)
        .map((target) => ({ ...target, projectPath })),
    ),
  ];
}
