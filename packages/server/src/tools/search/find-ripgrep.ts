/** Where ripgrep is: on the PATH, or in the package that brings it. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** Not a dependency of ours; used where an installation has it. */
const PACKAGE = "@vscode/ripgrep";

const found = new Map<string, Promise<string | undefined>>();

/** The path of `rg`, or undefined. Looked for once for each PATH. */
export function findRipgrep(path: string | undefined): Promise<string | undefined> {
  const key = path ?? "";
  let looking = found.get(key);
  if (!looking) {
    looking = onPath(key).then((command) => command ?? inPackage());
    found.set(key, looking);
  }
  return looking;
}

async function onPath(path: string): Promise<string | undefined> {
  // A relative directory is one of the model's.
  for (const directory of path.split(delimiter).filter(isAbsolute)) {
    const command = join(directory, "rg");
    if (await isExecutable(command)) return command;
  }
  return undefined;
}

async function inPackage(): Promise<string | undefined> {
  try {
    const { rgPath } = (await import(PACKAGE)) as { rgPath?: unknown };
    return typeof rgPath === "string" && (await isExecutable(rgPath)) ? rgPath : undefined;
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
