/** The projects that a client names by their paths, for what needs no session. */
import { isAbsolute, resolve } from "node:path";
import { RpcError } from "@rightseat/protocol";
import type { Project } from "../../../discovery/host-sources.ts";
import { canonicalPath } from "../../../tools/paths.ts";
import type { Reach } from "../../../tools/reach.ts";
import type { Confinement } from "../../members/confinement.ts";
import { resolveWorkingContext } from "./working-context.ts";

const MAX_PROJECTS = 100;

/**
 * One that is not there has no repository, and nothing in it.
 * @param method for the error.
 * @throws RpcError `invalid_params` for a path that is not absolute, and for too many.
 */
export async function projectsAt(
  method: string,
  paths: readonly string[] = [],
  place: { readonly confinement: Confinement | undefined; readonly reach: Reach },
): Promise<Project[]> {
  const refuse = (expected: string) =>
    new RpcError("invalid_params", `${method}: projectPaths: expected ${expected}`, { path: "projectPaths" });
  if (paths.length > MAX_PROJECTS) throw refuse(`at most ${MAX_PROJECTS} paths, got ${paths.length}`);
  const wrong = paths.find((path) => !isAbsolute(path) || path.includes("\0"));
  if (wrong !== undefined) throw refuse(`absolute paths, got '${wrong}'`);
  return Promise.all(
    paths.map(async (projectPath) => {
      const workingDirectory = resolve(projectPath);
      const canonical = await canonicalPath(workingDirectory).catch(() => workingDirectory);
      const refusal = place.reach.refuses(canonical, "write");
      if (refusal !== undefined)
        throw refuse(`directories that you may use, got '${projectPath}'. ${refusal}`);
      const { gitRoot } = await resolveWorkingContext(workingDirectory, place.confinement);
      return { projectPath, workingDirectory, ...(gitRoot === undefined ? {} : { gitRoot }) };
    }),
  );
}
