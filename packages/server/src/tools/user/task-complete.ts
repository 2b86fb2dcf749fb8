/** `task_complete`: the model says that the task is done; the run ends with it. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";

export const taskComplete: BuiltInToolBody = {
  async run(args, _context, session) {
    const summary = requiredText(toArguments(args), "summary");
    session.user.tellTaskComplete(summary);
    return { ...success(summary), endsTurn: true };
  },
};
