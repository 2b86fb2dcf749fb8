/** `ask_user`: a question to the person behind one of the session's clients. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { optionalBoolean, optionalTexts, requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";
import { noAnswer } from "./no-answer.ts";

export const askUser: BuiltInToolBody = {
  async run(args, context, session) {
    const given = toArguments(args);
    const choices = optionalTexts(given, "choices");
    const reply = await session.user.ask(
      {
        question: requiredText(given, "question"),
        choices,
        // Without choices there is nothing but one's own words.
        allowFreeform: !choices?.length || (optionalBoolean(given, "allow_freeform") ?? true),
      },
      context,
    );
    if (reply.kind === "none") return noAnswer("question", reply);
    // The wording is what recorded conversations hold.
    return success(`User ${reply.wasFreeform ? "responded" : "selected"}: ${reply.answer}`);
  },
};
