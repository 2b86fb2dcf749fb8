/**
 * The files that a session keeps of its own, under the store's directory for it: `plan.md`, what clients
 * and tools put into `files/`, and the summaries in `checkpoints/`.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { RpcError } from "@rightseat/protocol";
import { readRegularFile, writeRegularFile } from "../../../tools/regular-file.ts";
import { ifMissing, WorkspaceFiles } from "./workspace-files.ts";

export interface Plan {
  readonly exists: boolean;
  readonly content: string | null;
  readonly path: string | null;
}

export interface Workspace {
  /** Absolute. It need not exist. */
  readonly directory: string;
  readonly files: WorkspaceFiles;
  readPlan(): Promise<Plan>;
  writePlan(content: string): Promise<void>;
  /** False when there was none. */
  deletePlan(): Promise<boolean>;
}

/** Of a plan that is read. */
const MAX_PLAN_BYTES = 16 * 1024 * 1024;

/** @throws RpcError `not_supported` when the store keeps no files. */
export function createWorkspace(directory: string | undefined): Workspace {
  if (directory === undefined)
    throw new RpcError("not_supported", "this server's store keeps no files for sessions");
  const planPath = join(directory, "plan.md");
  const readPlan = async (): Promise<Plan> => {
    const content = (await readRegularFile(planPath, MAX_PLAN_BYTES).catch(ifMissing))?.toString("utf8");
    return content === undefined
      ? { exists: false, content: null, path: null }
      : { exists: true, content, path: planPath };
  };
  return {
    directory,
    files: new WorkspaceFiles(join(directory, "files")),
    readPlan,
    writePlan: async (content) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeRegularFile(planPath, content);
    },
    deletePlan: async () => {
      const { exists } = await readPlan();
      await rm(planPath, { force: true });
      return exists;
    },
  };
}
