/** Finds tools by words: a name that is asked for first, then what shares most with the query. */

export interface SearchableTool {
  readonly name: string;
  readonly description: string;
}

/** Words that say nothing of what a tool does. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(
  "a an and for from in is of on or that the to use with".split(" "),
);

/** Every word of a query is compared with every word of every tool: more of them are not looked at. */
const MAX_QUERY_CHARACTERS = 1000;
const MAX_DESCRIPTION_CHARACTERS = 4000;

/** The weights of a word in the name, and of a word in the description alone. */
const IN_NAME = 3;
const IN_DESCRIPTION = 1;

/** The best matches, best first; tools without any word of the query are left out. */
export function rankTools<T extends SearchableTool>(tools: readonly T[], query: string, limit: number): T[] {
  const asked = query.slice(0, MAX_QUERY_CHARACTERS);
  const words = [...new Set(wordsOf(asked))].filter((word) => !EMPTY_WORDS.has(word));
  const wanted = asked.trim().toLowerCase();
  return tools
    .map((tool, index) => ({ tool, index, score: scoreOf(tool, words, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || one.index - other.index)
    .slice(0, limit)
    .map(({ tool }) => tool);
}

function scoreOf(tool: SearchableTool, words: readonly string[], wanted: string): number {
  const name = tool.name.toLowerCase();
  if (name === wanted || wanted.split(/[^a-z0-9_-]+/).includes(name)) return Number.POSITIVE_INFINITY;
  const inName = wordsOf(tool.name);
  const inDescription = wordsOf(tool.description.slice(0, MAX_DESCRIPTION_CHARACTERS));
  let score = 0;
  for (const word of words) {
    if (inName.some((own) => isAlike(own, word))) score += IN_NAME;
    else if (inDescription.some((own) => isAlike(own, word))) score += IN_DESCRIPTION;
  }
  return score;
}

/** "issue" is alike to "issues"; short words only to themselves. */
function isAlike(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= 4 && long.startsWith(short);
}

/** In lower case; `listIssues`, `list_issues` and `list-issues` are the same two. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}
