import { toContentWords } from "./words.ts";

/** Something that the user said about themselves: `{thing: "name", value: "Ada"}`. */
interface Fact {
  readonly thing: string;
  readonly value: string;
}

/** One clause: to the end of the sentence, or to an "and" that begins the next statement. */
const VALUE = String.raw`"?([^\n]+?)"?(?=[.!?;,](?:\s|$)|\n|$|\s+and\s+(?:my|i)\b)`;
const THING_IS = new RegExp(String.raw`\bmy ((?:[\p{L}]+ ){0,2}[\p{L}]+) (?:is|are|was) ${VALUE}`, "giu");
const NAMED = new RegExp(String.raw`\b(?:call me|i am called|i'm called) ${VALUE}`, "giu");
const LIVES = new RegExp(String.raw`\bi live in ${VALUE}`, "giu");
const REMEMBER = /\bremember(?:\s+that)?:?\s+(?!what\b|who\b|when\b|my\b|i\b)([^\n.?!]+)/giu;

/** Facts stated in one message. Questions state nothing. */
export function findFacts(text: string): Fact[] {
  const facts: Fact[] = [];
  for (const sentence of text.match(/[^?!\n]*[^\s?!][^?!\n]*[?!]?/g) ?? []) {
    if (sentence.endsWith("?")) continue;
    for (const [, thing = "", value = ""] of sentence.matchAll(THING_IS))
      facts.push({ thing: thing.toLowerCase(), value });
    for (const [, value = ""] of sentence.matchAll(NAMED)) facts.push({ thing: "name", value });
    for (const [, value = ""] of sentence.matchAll(LIVES)) facts.push({ thing: "home", value });
    for (const [, value = ""] of sentence.matchAll(REMEMBER))
      facts.push({ thing: "note", value: value.trim() });
  }
  return facts;
}

/** "Noted: your name is Ada." for a message that states something; undefined otherwise. */
export function acknowledgeFacts(text: string): string | undefined {
  const facts = findFacts(text);
  if (facts.length === 0) return undefined;
  return `Noted: ${facts.map(toSentence).join("; ")}.`;
}

/**
 * Answers a question about what earlier messages stated ("what is my name?", "where do I live?", "what
 * did I ask you to remember?"); the latest statement wins. Undefined for every other text.
 */
export function recall(question: string, earlier: readonly string[]): string | undefined {
  const asked = toAskedThing(question);
  if (asked === undefined) return undefined;
  const facts = earlier.flatMap(findFacts);
  const known = asked === "note" ? findNote(question, facts) : facts.findLast((fact) => fact.thing === asked);
  if (known !== undefined) return `${capitalise(toSentence(known))}.`;
  return asked === "note" ? undefined : `You have not told me your ${asked} in this conversation.`;
}

function toAskedThing(question: string): string | undefined {
  if (/\bwho am i\b/i.test(question)) return "name";
  if (/\bwhere do i live\b/i.test(question)) return "home";
  const thing =
    /\b(?:what(?:'s| is| are| was)|who(?:'s| is)|tell me|do you (?:know|remember)|say|remember)\s+my ((?:\p{L}+ ){0,2}\p{L}+)/iu.exec(
      question,
    )?.[1];
  if (thing !== undefined) return thing.toLowerCase();
  return /\b(?:did i (?:say|tell|ask|mention)|do you remember|have i told|i (?:told|asked) you|remembered)\b/i.test(
    question,
  )
    ? "note"
    : undefined;
}

/** The note that shares most words with the question, the latest of equals. */
function findNote(question: string, facts: readonly Fact[]): Fact | undefined {
  const words = new Set(toContentWords(question));
  const score = (fact: Fact) =>
    toContentWords(`${fact.thing} ${fact.value}`).filter((word) => words.has(word)).length;
  return facts.reduce<Fact | undefined>(
    (best, fact) => (best === undefined || score(fact) >= score(best) ? fact : best),
    undefined,
  );
}

function toSentence({ thing, value }: Fact): string {
  if (thing === "note") return `you asked me to remember ${value}`;
  if (thing === "home") return `you live in ${value}`;
  return `your ${thing} is ${value}`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
