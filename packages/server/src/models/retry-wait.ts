import { isDeeperThan } from "@rightseat/protocol";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const AMOUNT = /(\d{1,12}(?:\.\d{1,12})?)(ms|[smh])/g;
const SPAN = /^(?:\d{1,12}(?:\.\d{1,12})?(?:ms|[smh])){1,4}$/;
const IN_WORDS =
  /\b(?:try again|retry) (?:in|after) ((?:\d{1,12}(?:\.\d{1,12})?(?:ms|[smh])){1,4}|\d{1,12} seconds?)\b/i;

/** A time as `20s`, `1m30.5s` or `250ms`, in milliseconds; undefined for all else. */
export function parseSpanMs(text: string): number | undefined {
  if (!SPAN.test(text)) return undefined;
  let spanMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(AMOUNT)) spanMs += Number(amount) * (UNIT_MS[unit] ?? 0);
  return Math.ceil(spanMs);
}

/**
 * The time to wait that the body of an error tells where no header does: Google's `retryDelay`, and the
 * words of OpenAI, Azure, Groq and Gemini ("try again in 7m12.5s", "retry after 12 seconds").
 * @returns milliseconds; undefined when nothing is told.
 */
export function waitToldIn(body: string): number | undefined {
  const { delay, words } = read(body);
  const told = delay ?? IN_WORDS.exec(words)?.[1];
  return told === undefined ? undefined : parseSpanMs(told.replace(/ seconds?$/i, "s"));
}

function read(body: string): { readonly delay?: string; readonly words: string } {
  const words = body.slice(0, MOST_CHARACTERS);
  if (body.length > MOST_CHARACTERS || isDeeperThan(body)) return { words };
  try {
    const parsed: unknown = JSON.parse(body);
    const first = Array.isArray(parsed) ? parsed[0] : parsed;
    const details: unknown = first?.error?.details;
    const told = Array.isArray(details) ? details.map((one) => one?.retryDelay) : [];
    return { delay: told.find((delay) => typeof delay === "string"), words };
  } catch {
    return { words };
  }
}

const MOST_CHARACTERS = 16_384;
