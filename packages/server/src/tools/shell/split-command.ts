/**
 * Splits a bash command into its words, without running or expanding anything. Knows quotes, comments,
 * separators and redirections; of everything else it says that it is there, and looks into what may hold
 * further commands. It need not understand bash: it has to notice when it does not.
 */

export interface Word {
  /** Without quotes. */
  readonly text: string;
  /** Where it begins and ends in the command. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

export interface Redirection {
  readonly operator: string;
  readonly target: string;
}

/** One simple command: what is between two separators. */
export interface Segment {
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
}

export interface SplitCommand {
  readonly segments: readonly Segment[];
  /** Commands inside of words: `$(…)`, backquotes, `<(…)`. */
  readonly nested: readonly string[];
  /** False when something is expanded, grouped or quoted in a way that may hide what runs. */
  readonly isPlain: boolean;
}

const SEPARATORS = ["&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")"];
const REDIRECTION = /^(?:\d*|&)(?:>>|>\||>&|<>|<<<|<<-|<<|<&|>|<)/;
const MAX_DEPTH = 8;

/** Never throws. */
export function splitCommand(text: string): SplitCommand {
  return new Splitter(text).split();
}

class Splitter {
  readonly #text: string;
  #at = 0;
  #isPlain = true;
  readonly #nested: string[] = [];
  readonly #segments: Segment[] = [];
  #words: Word[] = [];
  #redirections: Redirection[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  split(): SplitCommand {
    let operator = "";
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at, this.#at + 16);
      const separator = SEPARATORS.find((candidate) => rest.startsWith(candidate));
      const redirection = REDIRECTION.exec(rest)?.[0];
      if (/^(?:[ \t\r]|\\\n)/.test(rest)) {
        this.#at += rest.startsWith("\\") ? 2 : 1;
      } else if (rest.startsWith("#")) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (/^[<>]\(/.test(rest)) {
        this.#at += 1;
        this.#nest(this.#closingParenthesis());
      } else if (redirection !== undefined) {
        if (redirection.includes("<<")) this.#isPlain = false;
        operator = redirection.replace(/^\d+/, "");
        this.#at += redirection.length;
      } else if (separator !== undefined) {
        if (separator === "(" || separator === ")") this.#isPlain = false;
        this.#at += separator.length;
        this.#endSegment();
        operator = "";
      } else {
        const word = this.#word();
        if (operator === "") this.#words.push(word);
        else this.#redirections.push({ operator, target: word.text });
        operator = "";
      }
    }
    this.#endSegment();
    return { segments: this.#segments, nested: this.#nested, isPlain: this.#isPlain };
  }

  #endSegment(): void {
    if (this.#words.length > 0 || this.#redirections.length > 0)
      this.#segments.push({ words: this.#words, redirections: this.#redirections });
    this.#words = [];
    this.#redirections = [];
  }

  #word(): Word {
    const start = this.#at;
    let text = "";
    let isQuoted = false;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string;
      if (/[\s;&|<>()]/.test(char)) break;
      if (char === "'") {
        isQuoted = true;
        text += this.#upTo("'");
      } else if (char === '"') {
        isQuoted = true;
        text += this.#doubleQuoted();
      } else if (char === "\\") {
        isQuoted = true;
        const escaped = this.#text[this.#at + 1] ?? "";
        if (escaped !== "\n") text += escaped;
        this.#at += 2;
      } else if (char === "$" || char === "`") {
        text += this.#expansion();
      } else {
        // Braces make several words of one; a group begins with one.
        if (char === "{" || char === "}") this.#isPlain = false;
        text += char;
        this.#at += 1;
      }
    }
    return { text, start, end: this.#at, isQuoted };
  }

  #doubleQuoted(): string {
    let text = "";
    this.#at += 1;
    for (; this.#at < this.#text.length; ) {
      const char = this.#text[this.#at] as string;
      if (char === '"') {
        this.#at += 1;
        return text;
      }
      if (char === "\\") {
        const escaped = this.#text[this.#at + 1] ?? "";
        if (escaped !== "\n") text += /["\\$`]/.test(escaped) ? escaped : `\\${escaped}`;
        this.#at += 2;
      } else if (char === "$" || char === "`") {
        text += this.#expansion();
      } else {
        text += char;
        this.#at += 1;
      }
    }
    this.#isPlain = false;
    return text;
  }

  /** `$name`, `${…}`, `$(…)`, `$'…'` or a backquoted command, from its first character on. */
  #expansion(): string {
    const start = this.#at;
    const next = this.#text[start + 1];
    this.#at += 1;
    if (this.#text[start] === "`") {
      this.#at = start;
      this.#nest(this.#upTo("`"));
    } else if (next === "(") {
      this.#nest(this.#closingParenthesis());
    } else if (next === "'" || next === '"') {
      // Its escapes are not read: what it stands for is not known.
      this.#isPlain = false;
    } else if (next === undefined || /[\s"';&|<>)]/.test(next)) {
      return "$";
    }
    this.#isPlain = false;
    return this.#text.slice(start, this.#at);
  }

  /** What is between the character here and the next of its kind. */
  #upTo(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) this.#isPlain = false;
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
    return this.#text.slice(start);
  }

  #nest(command: string): void {
    this.#isPlain = false;
    if (this.#nested.length < MAX_DEPTH * 8) this.#nested.push(command);
  }
}
