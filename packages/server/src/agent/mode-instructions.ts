/** What the model is told of the mode that it works in; it goes into the system message while the mode lasts. */

export interface ModeFacts {
  readonly mode: "interactive" | "plan" | "autopilot";
  /** Whether `exit_plan_mode` is offered. */
  readonly submitsPlans: boolean;
  /** Whether `ask_user` is offered. */
  readonly asksUser: boolean;
  /** Whether `task_complete` is offered. */
  readonly endsTasks: boolean;
}

/** Empty for the usual mode: its system message, which providers cache, stays as it is. */
export function modeInstructions(facts: ModeFacts): string {
  switch (facts.mode) {
    case "plan":
      return planInstructions(facts);
    case "autopilot":
      return autopilotInstructions(facts);
    case "interactive":
      return "";
  }
}

function planInstructions({ submitsPlans, asksUser }: ModeFacts): string {
  return [
    "The session is in plan mode: the user wants a plan, and no work done yet.",
    "Read whatever the plan depends on. Change no files of the project and run nothing that has effects.",
    asksUser
      ? "Settle what is unclear with ask_user before you write the plan, and state what you assume about the rest."
      : "State in the plan what you assume where the request is unclear.",
    "Say in the plan what is to be achieved, which files change and how, in which order, and how the result will be checked. Leave out estimates of time.",
    submitsPlans
      ? "When the plan is whole, call exit_plan_mode with it, and do not ask for approval in any other way. Begin the work only after it was approved."
      : "When the plan is whole, answer with it, and stop. The user will say when to begin.",
  ].join("\n");
}

function autopilotInstructions({ endsTasks }: ModeFacts): string {
  return [
    "The session is on autopilot: the user is probably not there and expects the task to be finished without them.",
    "Decide yourself where the request leaves room, choose what is easy to take back, and state what you assumed. Do not stop to ask or to offer to go on.",
    "What needs the user's approval still needs it; a denial is an answer.",
    "Check the result before you call it done: run the tests, the build or whatever shows that it works.",
    ...(endsTasks
      ? [
          "Call task_complete when everything is done and checked, also after a plain answer or when you cannot go on without the user; its summary says what is left. Never call it with steps still open that you could take.",
        ]
      : []),
  ].join("\n");
}

/** Sent when the model stopped on autopilot without saying that it is done. */
export const AUTOPILOT_NUDGE =
  "You stopped, and the task is not marked as complete. If steps are left, take them now. If everything is done and checked, or you cannot go on without the user, call task_complete and say so in its summary.";
