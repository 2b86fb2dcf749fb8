/** Keeping a session's plan, which clients are told of. */
import type { Session } from "../../open/session.ts";
import type { Workspace } from "./workspace.ts";

export async function keepPlan(session: Session, workspace: Workspace, plan: string): Promise<void> {
  const { exists } = await workspace.readPlan();
  await workspace.writePlan(plan);
  session.append("session.plan_changed", { operation: exists ? "update" : "create" });
}
