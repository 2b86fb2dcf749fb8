/** What models are told of the tools that reach the user. `session/abilities/tools/offered-tools.ts` says when each is offered. */
import type { BuiltInToolSpec } from "../built-in-tool.ts";
import { PLAN_ACTIONS } from "../user-channel.ts";
import { askUser } from "./ask-user.ts";
import { exitPlanMode } from "./exit-plan-mode.ts";
import { reportIntent } from "./report-intent.ts";
import { taskComplete } from "./task-complete.ts";

export const USER_TOOLS: readonly BuiltInToolSpec[] = [
  {
    definition: {
      name: "ask_user",
      description:
        "Asks the user one question and waits. For decisions that are the user's and that nothing settles yet; not for permission to go on.",
      parameters: {
        type: "object",
        properties: {
          question: { type: "string" },
          choices: { type: "array", items: { type: "string" }, description: "The likeliest first." },
          allow_freeform: { type: "boolean", description: "Other answers are allowed. Default true." },
        },
        required: ["question"],
      },
    },
    load: async () => askUser,
  },
  {
    definition: {
      name: "exit_plan_mode",
      description:
        "Puts the finished plan to the user for approval. When it is approved, plan mode ends and the result says how to go on; when it is not, the result says what to change.",
      parameters: {
        type: "object",
        properties: {
          summary: { type: "string", description: "The plan in a few short points, for a quick decision." },
          plan: {
            type: "string",
            description:
              "The whole plan in Markdown. It is kept with the session. Leave it out when it is kept already.",
          },
          actions: {
            type: "array",
            items: { type: "string", enum: [...PLAN_ACTIONS] },
            description:
              "What the user may choose: autopilot (carry it out unattended), interactive (carry it out together), exit_only (stop after planning). Default: all.",
          },
          recommendedAction: {
            type: "string",
            enum: [...PLAN_ACTIONS],
            description: "The one that you suggest. Default interactive.",
          },
        },
        required: ["summary"],
      },
    },
    load: async () => exitPlanMode,
  },
  {
    definition: {
      name: "task_complete",
      description:
        "Ends the task. Call it once everything that was asked for is done and checked, or when nothing more can be done without the user.",
      parameters: {
        type: "object",
        properties: {
          summary: {
            type: "string",
            description: "What was done, how it was checked, and what is left open.",
          },
        },
        required: ["summary"],
      },
    },
    load: async () => taskComplete,
  },
  {
    definition: {
      name: "report_intent",
      description:
        "Tells the user in a few words what you are about to do. Call it beside other tools when the work turns to something new.",
      parameters: {
        type: "object",
        properties: {
          intent: { type: "string", description: "At most five words, such as: Reading the tests" },
        },
        required: ["intent"],
      },
    },
    load: async () => reportIntent,
  },
];
