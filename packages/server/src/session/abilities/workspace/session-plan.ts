/** A session's plan, `plan.md` among its files, and keeping it so that clients are told. */
import { join } from "node:path";
import type { Session } from "../../open/session.ts";
import type { OwnedFiles } from "./owned-files.ts";

export interface Plan {
  readonly exists: boolean;
  readonly content: string | null;
  /** Absolute. */
  readonly path: string | null;
}

const NAME = "plan.md";
/** The size of a plan that is read. */
const MAX_BYTES = 16 * 1024 * 1024;

export async function readPlan({ files, key }: OwnedFiles): Promise<Plan> {
  const content = await files.read(key, NAME, MAX_BYTES);
  return content === undefined
    ? { exists: false, content: null, path: null }
    : {
        exists: true,
        content: Buffer.from(content).toString("utf8"),
        path: join(files.directoryOf(key), NAME),
      };
}

export function writePlan({ files, lease }: OwnedFiles, content: string): Promise<void> {
  return files.put(lease, NAME, content);
}

/** False when there was none. */
export async function deletePlan(owned: OwnedFiles): Promise<boolean> {
  const { exists } = await readPlan(owned);
  await owned.files.remove(owned.lease, NAME);
  return exists;
}

export async function keepPlan(session: Session, plan: string): Promise<void> {
  const { exists } = await readPlan(session);
  await writePlan(session, plan);
  session.append("session.plan_changed", { operation: exists ? "update" : "create" });
}
