/** What was in a tenant's root when it was named may have become a link that leads out of it since. */
import { canonicalPath, isInside } from "../../../tools/paths.ts";
import type { Confinement } from "../../members/confinement.ts";

/** Those of the directories that are in the root now. All, where there is none. @param directories absolute. */
export async function withinRoot(
  confinement: Confinement | undefined,
  directories: readonly string[],
): Promise<string[]> {
  const root = confinement?.root;
  if (root === undefined) return [...directories];
  const areInside = await Promise.all(
    directories.map((directory) =>
      canonicalPath(directory).then(
        (path) => isInside(path, root),
        () => false,
      ),
    ),
  );
  return directories.filter((_, index) => areInside[index]);
}
