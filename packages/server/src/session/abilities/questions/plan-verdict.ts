/** A person's decision on a plan, as clients of any version send it. */
import { PLAN_ACTIONS, type PlanAction } from "../../../tools/user-channel.ts";

export interface WirePlanVerdict {
  readonly approved: boolean;
  readonly selectedAction?: PlanAction;
  readonly autoApproveEdits?: boolean;
  readonly feedback?: string;
  readonly deferImplementation?: boolean;
}

/** Undefined when it does not say whether the plan was approved. */
export function readPlanVerdict(answer: unknown): WirePlanVerdict | undefined {
  const said = (answer ?? {}) as Record<string, unknown>;
  if (typeof said.approved !== "boolean") return undefined;
  // Several workers at once are not here: one of them does the work.
  const wanted = said.selectedAction === "autopilot_fleet" ? "autopilot" : said.selectedAction;
  const selectedAction = PLAN_ACTIONS.find((action) => action === wanted);
  return {
    approved: said.approved,
    ...(selectedAction ? { selectedAction } : {}),
    ...(typeof said.autoApproveEdits === "boolean" ? { autoApproveEdits: said.autoApproveEdits } : {}),
    ...(typeof said.feedback === "string" ? { feedback: said.feedback } : {}),
    ...(typeof said.deferImplementation === "boolean"
      ? { deferImplementation: said.deferImplementation }
      : {}),
  };
}
