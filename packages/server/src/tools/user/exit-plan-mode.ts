/** `exit_plan_mode`: the plan is put to the user, whose decision ends plan mode or does not. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import type { ToolResult } from "../tool.ts";
import { optionalChoice, optionalText, optionalTexts, requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";
import { PLAN_ACTIONS, type PlanAction, type PlanVerdict } from "../user-channel.ts";
import { noAnswer } from "./no-answer.ts";

/** That of `interactive` is the wording of recorded conversations. */
const GO_ON: Readonly<Record<PlanAction, string>> = {
  interactive:
    "Plan approved! Exited plan mode.\n\nYou are now in interactive mode. Start implementing the plan now, in this same response. Approving the plan is your go-signal, so do not stop to ask whether to proceed or wait for another message.",
  autopilot:
    "The user approved the plan and left you on autopilot: carry it out now, to the end, and call task_complete when it is done and checked.",
  exit_only:
    "The user approved the plan and wants nothing carried out yet. Plan mode has ended; say so in a sentence and wait for the next message.",
};

export const exitPlanMode: BuiltInToolBody = {
  async run(args, context, session) {
    const given = toArguments(args);
    const wanted = optionalTexts(given, "actions");
    const offered = PLAN_ACTIONS.filter((action) => !wanted || wanted.includes(action));
    const actions = offered.length > 0 ? offered : PLAN_ACTIONS;
    const recommended = optionalChoice(given, "recommendedAction", PLAN_ACTIONS) ?? "interactive";
    const plan = optionalText(given, "plan");
    const verdict = await session.user.reviewPlan(
      {
        summary: requiredText(given, "summary"),
        ...(plan !== undefined ? { plan } : {}),
        actions,
        recommendedAction: actions.includes(recommended) ? recommended : (actions[0] ?? "interactive"),
      },
      context,
    );
    return toResult(verdict);
  },
};

function toResult(verdict: PlanVerdict): ToolResult {
  switch (verdict.kind) {
    case "none":
      return noAnswer("plan", verdict);
    case "approved":
      if (!verdict.startsLater) return success(GO_ON[verdict.action]);
      return {
        ...success("The user approved the plan. The application begins the work with a message of its own."),
        endsTurn: true,
      };
    case "rejected":
      if (verdict.feedback === undefined)
        // Without a word on what to change, the user has the floor.
        return { ...success("The user did not approve the plan."), endsTurn: true };
      return success(
        `The user did not approve the plan. They said: ${verdict.feedback}\n\nChange the plan accordingly and put it to them again.`,
      );
  }
}
