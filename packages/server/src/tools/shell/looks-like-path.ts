/** Whether a word is taken for a path even where nothing of that name is. */
export function looksLikePath(word: string): boolean {
  return (word.includes("/") && !word.startsWith("-")) || /^(?:\.\.?|~.*|[\w-]+\.\w{1,8})$/.test(word);
}
