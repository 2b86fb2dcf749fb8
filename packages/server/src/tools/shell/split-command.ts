/**
 * Splits a bash command into its words, without running or expanding anything. Knows quotes, comments,
 * separators and redirections; of everything else it says that it is there, and looks into what may hold
 * further commands. It need not understand bash: it has to notice when it does not. Blanks are the space and
 * the tab, as in bash; any other blank or control character makes the command one that is not plain.
 */

export interface Word {
  /** Without quotes. */
  readonly text: string;
  /** Where it begins and ends in the command. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
  /** Whether bash makes something else of it than its text: variables, substitutions, braces, `~`. */
  readonly isExpanded: boolean;
  /** Where in the text there are wildcards that bash compares with the names of files. */
  readonly wildcards: readonly number[];
}

export interface Redirection {
  readonly operator: string;
  readonly target: Word;
}

/** One simple command: what is between two separators. */
export interface Segment {
  /** What stands before and behind it; empty at the ends of the command. */
  readonly before: string;
  readonly behind: string;
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
}

export interface SplitCommand {
  readonly segments: readonly Segment[];
  /** Commands inside of words: `$(…)`, backquotes, `<(…)`. */
  readonly nested: readonly string[];
  /** False when something is expanded, grouped or quoted in a way that may hide what runs. */
  readonly isPlain: boolean;
  /** False when not even where words begin and end is certain: an open quote, a character that is no text. */
  readonly isReadable: boolean;
}

/** Bash takes a newline with `\` before it away first of all: behind a blank it separates nothing, elsewhere it joins. */
const BLANK = /[ \t](?:[ \t]|\\\n)*/y;
const SEPARATOR = /&&|\|\||;;|\|&|[;|&\n()]/y;
const REDIRECTION = /&>>|&>|\d*(?:>>|>\||>&|<>|<<<|<<-|<<|<&|>|<)/y;
const PROCESS_SUBSTITUTION = /[<>](?=\()/y;
/** Characters that stand for themselves in a word. */
const LITERAL = /[^ \t\n;&|<>()'"\\$`{}~*?[\]]+/y;
/** Control characters, and blanks that bash, a terminal and a reader take for different things. */
const NO_TEXT = /[^\P{C}\t\n]|[^\P{Z} ]/u;
const MAX_NESTED = 64;
/** What has more words is read no further. */
const MAX_WORDS = 4_096;

/** Takes time in proportion to the text. Never throws. */
export function splitCommand(text: string): SplitCommand {
  return new Splitter(text).split();
}

class Splitter {
  readonly #text: string;
  #at = 0;
  #isPlain = true;
  #isReadable = true;
  readonly #nested: string[] = [];
  readonly #segments: Segment[] = [];
  #words: Word[] = [];
  #wordsLeft = MAX_WORDS;
  #redirections: Redirection[] = [];
  /** A redirection whose target comes next. */
  #operator = "";
  #separator = "";

  constructor(text: string) {
    this.#text = text;
    if (NO_TEXT.test(text)) this.#giveUp();
  }

  split(): SplitCommand {
    while (this.#at < this.#text.length) {
      const before = this.#at;
      this.#step();
      if (this.#at > before) continue;
      // Whatever it is: a reader that does not move on reads for ever.
      this.#giveUp();
      this.#at = before + 1;
    }
    this.#endSegment("");
    return {
      segments: this.#segments,
      nested: this.#nested,
      isPlain: this.#isPlain,
      isReadable: this.#isReadable,
    };
  }

  #step(): void {
    if (this.#take(BLANK) !== undefined) return;
    if (this.#text[this.#at] === "#") {
      const end = this.#text.indexOf("\n", this.#at);
      this.#at = end < 0 ? this.#text.length : end;
    } else if (this.#take(PROCESS_SUBSTITUTION) !== undefined) {
      this.#nest(this.#closingParenthesis());
    } else {
      const operator = this.#take(REDIRECTION);
      if (operator !== undefined) this.#redirect(operator);
      else if (!this.#separate()) this.#addWord(this.#word());
    }
  }

  #redirect(operator: string): void {
    if (operator.includes("<<")) this.#isPlain = false;
    this.#operator = operator.replace(/^\d+/, "");
  }

  #separate(): boolean {
    const separator = this.#take(SEPARATOR);
    if (separator === undefined) return false;
    if (separator === "(" || separator === ")" || separator === ";;") this.#isPlain = false;
    this.#endSegment(separator);
    return true;
  }

  #addWord(word: Word): void {
    this.#wordsLeft -= 1;
    if (this.#wordsLeft === 0) this.#stop();
    if (word.isExpanded) this.#isPlain = false;
    if (this.#operator === "") this.#words.push(word);
    else this.#redirections.push({ operator: this.#operator, target: word });
    this.#operator = "";
  }

  #endSegment(separator: string): void {
    // What it reads from or writes to is missing, or was not seen.
    if (this.#operator !== "") this.#giveUp();
    const [words, redirections, before] = [this.#words, this.#redirections, this.#separator];
    const isEmpty = words.length === 0 && redirections.length === 0;
    if (!isEmpty) this.#segments.push({ words, redirections, before, behind: separator });
    // Newlines behind an operator do not end what it joins.
    if (!isEmpty || !/^(?:&&|\|)/.test(before)) this.#separator = separator;
    this.#words = [];
    this.#redirections = [];
    this.#operator = "";
  }

  #word(): Word {
    const start = this.#at;
    const parts = new WordParts();
    while (this.#at < this.#text.length) {
      const literal = this.#take(LITERAL);
      const char = this.#text[this.#at] ?? "";
      if (literal !== undefined) parts.add(literal);
      else if (/[ \t\n;&|<>()]/.test(char)) break;
      else if (char === "'") parts.addQuoted(this.#upTo("'"));
      else if (char === '"') this.#doubleQuoted(parts);
      else if (char === "\\") this.#escaped(parts);
      else if (char === "$" || char === "`") parts.addExpansion(this.#expansion(/[\s;&|<>)]/));
      else this.#special(char, parts);
    }
    return parts.toWord(start, this.#at);
  }

  /** A character that means something to bash where it is not quoted. */
  #special(char: string, parts: WordParts): void {
    this.#at += 1;
    if (/[*?[\]]/.test(char)) parts.addWildcard(char);
    else if (char === "~" && !parts.isHomeHere(this.#text[this.#at])) parts.add(char);
    else parts.addExpansion({ text: char, isExpanded: true });
  }

  #escaped(parts: WordParts): void {
    const escaped = this.#text[this.#at + 1] ?? "";
    // Bash takes these two away before it looks for words: what is around them belongs together.
    if (escaped === "\n" || escaped === "") this.#giveUp();
    else parts.addQuoted(escaped);
    this.#at += 1 + escaped.length;
  }

  #doubleQuoted(parts: WordParts): void {
    this.#at += 1;
    parts.addQuoted("");
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string;
      if (char === '"') {
        this.#at += 1;
        return;
      }
      if (char === "\\") {
        const escaped = this.#text[this.#at + 1] ?? "";
        if (escaped !== "\n") parts.addQuoted(/["\\$`]/.test(escaped) ? escaped : `\\${escaped}`);
        this.#at += 1 + escaped.length;
      } else if (char === "$" || char === "`") {
        parts.addExpansion(this.#expansion(/[\s"|/)]/));
      } else {
        parts.addQuoted(char);
        this.#at += 1;
      }
    }
    this.#giveUp();
  }

  /** `$name`, `${…}`, `$(…)`, `$'…'` or a backquoted command, from its first character on. */
  #expansion(literalBefore: RegExp): { text: string; isExpanded: boolean } {
    const start = this.#at;
    const next = this.#text[start + 1];
    this.#at += 1;
    if (this.#text[start] === "`") {
      this.#at = start;
      this.#nest(this.#upTo("`"));
    } else if (next === "(") {
      this.#nest(this.#closingParenthesis());
    } else if (next === undefined || literalBefore.test(next)) {
      return { text: "$", isExpanded: false };
    }
    this.#isPlain = false;
    return { text: this.#text.slice(start, this.#at), isExpanded: true };
  }

  /** What is between the character here and the next of its kind. */
  #upTo(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) this.#giveUp();
    const inside = this.#text.slice(this.#at + 1, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return inside;
  }

  /** What is between the parenthesis here and the one that closes it, quotes left aside. */
  #closingParenthesis(): string {
    const start = this.#at + 1;
    for (let depth = 0; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === "(") depth += 1;
      if (char === ")") depth -= 1;
      if (depth === 0) {
        this.#at += 1;
        return this.#text.slice(start, this.#at - 1);
      }
    }
    this.#giveUp();
    return this.#text.slice(start);
  }

  #nest(command: string): void {
    this.#isPlain = false;
    if (this.#nested.length < MAX_NESTED) this.#nested.push(command);
    else this.#giveUp();
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found || undefined;
  }

  #stop(): void {
    this.#giveUp();
    this.#at = this.#text.length;
  }

  #giveUp(): void {
    this.#isPlain = false;
    this.#isReadable = false;
  }
}

/** A word that is being read. */
class WordParts {
  #text = "";
  /** What was added last, which is not looked for in a text that has become long. */
  #last = "";
  #isQuoted = false;
  #isExpanded = false;
  readonly #wildcards: number[] = [];

  add(text: string): void {
    this.#text += text;
    if (text !== "") this.#last = text;
  }

  addQuoted(text: string): void {
    this.#isQuoted = true;
    this.add(text);
  }

  addWildcard(char: string): void {
    this.#wildcards.push(this.#text.length);
    this.add(char);
  }

  addExpansion({ text, isExpanded }: { text: string; isExpanded: boolean }): void {
    this.#isExpanded ||= isExpanded;
    this.add(text);
  }

  /** Whether a `~` here stands for somebody's home. A path below one's own home is clear from the text. */
  isHomeHere(next: string | undefined): boolean {
    if (this.#text === "")
      return this.#isQuoted || (next !== "/" && next !== undefined && !/[\s;&|)]/.test(next));
    return !/[\w^)\]-]$/.test(this.#last);
  }

  toWord(start: number, end: number): Word {
    // A bracket that closes nothing, and the program `[`, are themselves.
    const opens = this.#wildcards.some((at) => this.#text[at] === "[") && this.#text !== "[";
    const wildcards = this.#wildcards.filter((at) => opens || /[*?]/.test(this.#text[at] as string));
    return {
      text: this.#text,
      start,
      end,
      isQuoted: this.#isQuoted,
      isExpanded: this.#isExpanded,
      wildcards,
    };
  }
}
