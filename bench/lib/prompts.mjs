/** Prompts that `model-server.mjs` understands. No text here may hold a semicolon or a quote. */

/** Answered with the text, in one delta. */
export const say = (text) => `bench:say ${text};`;

/** Answered with so many words, one delta each. */
export const words = (count) => `bench:words ${count};`;

/** Answered by so many calls of a tool, one after the other, then a last word. */
export const callTool = (name, times) => `bench:tool ${name} ${times};`;

/** The whole text of the answer to `words`. */
export const wordsText = (count) => Array.from({ length: count }, (_, i) => `w${i} `).join("");
