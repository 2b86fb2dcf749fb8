/**
 * The files that a session keeps of its own, under the store's directory for it: `plan.md`, and what
 * clients and tools put into `files/`. Paths that leave `files/` are refused, links included.
 */
import { mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { RpcError } from "@rightseat/protocol";

export interface Plan {
  readonly exists: boolean;
  readonly content: string | null;
  readonly path: string | null;
}

export interface Workspace {
  readPlan(): Promise<Plan>;
  writePlan(content: string): Promise<void>;
  /** False when there was none. */
  deletePlan(): Promise<boolean>;
  /** Paths relative to the workspace, with forward slashes, sorted. */
  listFiles(): Promise<string[]>;
  readFile(path: string): Promise<string>;
  writeFile(path: string, content: string): Promise<"create" | "update">;
}

/** @throws RpcError `not_supported` when the store keeps no files. */
export function createWorkspace(directory: string | undefined): Workspace {
  if (directory === undefined)
    throw new RpcError("not_supported", "this server's store keeps no files for sessions");
  const planPath = join(directory, "plan.md");
  const filesPath = join(directory, "files");
  const readPlan = async (): Promise<Plan> => {
    const content = await readFile(planPath, "utf8").catch(ifMissing);
    return content === undefined
      ? { exists: false, content: null, path: null }
      : { exists: true, content, path: planPath };
  };
  return {
    readPlan,
    writePlan: async (content) => {
      await mkdir(directory, { recursive: true });
      await writeFile(planPath, content);
    },
    deletePlan: async () => {
      const { exists } = await readPlan();
      await rm(planPath, { force: true });
      return exists;
    },
    listFiles: async () => {
      const entries =
        (await readdir(filesPath, { recursive: true, withFileTypes: true }).catch(ifMissing)) ?? [];
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(filesPath, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .sort();
    },
    readFile: async (path) => {
      const target = await inside(filesPath, path);
      const content = await readFile(target, "utf8").catch(ifMissing);
      if (content === undefined)
        throw new RpcError("invalid_params", `path: there is no file '${path}' in the session's workspace`, {
          path: "path",
        });
      return content;
    },
    writeFile: async (path, content) => {
      const target = await inside(filesPath, path);
      await mkdir(dirname(target), { recursive: true });
      await inside(filesPath, path);
      const existed = (await readFile(target).catch(ifMissing)) !== undefined;
      await writeFile(target, content);
      return existed ? "update" : "create";
    },
  };
}

/** The absolute path, once it is sure that neither `..` nor a link leads out of the root. */
async function inside(root: string, path: string): Promise<string> {
  const target = resolve(root, path);
  const refuse = () =>
    new RpcError("invalid_params", `path: expected a path inside the session's workspace, got '${path}'`, {
      path: "path",
    });
  if (target === root || !target.startsWith(root + sep) || path.includes("\0")) throw refuse();
  let existing = target;
  for (;;) {
    const real = await realpath(existing).catch(ifMissing);
    if (real !== undefined) {
      const realRoot = (await realpath(root).catch(ifMissing)) ?? root;
      if (
        real !== realRoot &&
        !real.startsWith(realRoot + sep) &&
        existing !== root &&
        existing.startsWith(root)
      )
        throw refuse();
      return target;
    }
    if (existing === root || existing === dirname(existing)) return target;
    existing = dirname(existing);
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
