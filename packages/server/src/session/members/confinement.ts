/** How far up from a directory its project is looked for: to the root, or no further than the directory itself. */
import { dirname } from "node:path";

export interface Confinement {
  /** Without symbolic links. */
  readonly root?: string | undefined;
}

/** What git gets, so that it looks no further up either. */
export function gitCeiling(
  confinement: Confinement | undefined,
  workingDirectory: string,
): Readonly<Record<string, string>> {
  if (confinement === undefined) return {};
  return { GIT_CEILING_DIRECTORIES: dirname(confinement.root ?? workingDirectory) };
}
