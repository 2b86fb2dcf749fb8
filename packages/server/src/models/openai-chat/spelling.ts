import { type CallIdRule, COMMON_CALL_IDS } from "../call-ids.ts";
import { toOrigin } from "../reasoning-origin.ts";

/** How a conversation is spelled for one server and model: what they refuse, and what they want back. */
export interface ChatSpelling {
  /** Equal for equal spellings. */
  readonly key: string;
  /** See `toOrigin`. */
  readonly origin: string;
  /** GitHub's own fields carry reasoning. */
  readonly isGitHub: boolean;
  readonly callIds: CallIdRule;
  /** A user's message may not stand right behind a tool's result. */
  readonly fillsGaps: boolean;
  /** Answers with calls must have `reasoning_content`, if only an empty one. */
  readonly needsReasoning: boolean;
  /** Calls must have a thought signature, also those that another model made. */
  readonly needsSignatures: boolean;
  /** No reasoning goes back. */
  readonly omitsReasoning: boolean;
  /** Content is text wherever it can be, never null and no list. */
  readonly plainContent: boolean;
  /** No two messages of one role stand side by side; the first and the last are not the model's. */
  readonly alternates: boolean;
  /** There is no role for the system. */
  readonly systemInUser: boolean;
}

/** Mistral takes exactly nine letters and digits. */
export const NINE_CHARACTER_IDS: CallIdRule = { maxLength: 9, pattern: /^[a-zA-Z0-9]{9}$/ };
/** Kimi numbers its calls in their ids (`functions.name:0`), and reads them so. */
const ANY_IDS: CallIdRule = { maxLength: 256, pattern: /^[\x21-\x7e]+$/ };

/** Told by the address and the model's name: servers do not say what they are. */
export function chooseChatSpelling(provider: string, baseUrl: string, model: string): ChatSpelling {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  const names = `${host} ${model.toLowerCase()}`;
  const isMistral = /mistral|mixtral|codestral|devstral|magistral/.test(names);
  const isKimi = /kimi|moonshot/.test(names);
  const origin = toOrigin(provider, baseUrl, model);
  return {
    key: origin,
    origin,
    isGitHub: provider === "copilot",
    callIds: isMistral ? NINE_CHARACTER_IDS : isKimi ? ANY_IDS : COMMON_CALL_IDS,
    fillsGaps: isMistral,
    needsReasoning: isKimi || /deepseek/.test(names),
    needsSignatures: /gemini-(?:[3-9]|\d\d)/.test(names),
    omitsReasoning: false,
    plainContent: false,
    alternates: false,
    systemInUser: false,
  };
}
