/** `report_intent`: a few words for the user on what comes next. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";

export const reportIntent: BuiltInToolBody = {
  async run(args, _context, session) {
    session.user.tellIntent(requiredText(toArguments(args), "intent"));
    // The wording is what recorded conversations hold.
    return success("Intent logged");
  },
};
