/**
 * What can be told of a bash command without running it: for the person who is asked to allow it, and for
 * rules that allow commands by name. Bash can hide any command in any other; `isPlain` is true only where
 * that was looked for and is not so.
 */
import { type Segment, splitCommand } from "./split-command.ts";

export interface CommandSummary {
  readonly commands: { identifier: string; readOnly: boolean }[];
  readonly commandSegments: { identifier: string; fullCommandText: string }[];
  readonly possiblePaths: string[];
  readonly possibleUrls: { url: string }[];
  readonly hasWriteFileRedirection: boolean;
  /** Arguments that may be names of files, and do not look like paths. */
  readonly words: readonly string[];
  /** Whether the segments are all that runs, and run as they are written. */
  readonly isPlain: boolean;
}

const READ_ONLY: ReadonlySet<string> = new Set(
  "[ basename cat cd cmp comm cut date df diff dirname du echo egrep false fgrep file grep head hostname id jq ls md5sum nl od printf ps pwd readlink realpath rg seq sha256sum sleep sort stat strings tail test tr tree true type uname uniq wc which whoami".split(
    " ",
  ),
);
/** They run what follows them. */
const WRAPPERS: ReadonlySet<string> = new Set(
  "builtin command env exec nice nohup setsid sudo time timeout xargs".split(" "),
);
/** They run text as commands, or change where what follows runs. */
const INTERPRETERS: ReadonlySet<string> = new Set(". bash dash eval ksh popd pushd sh source zsh".split(" "));
/** They make a program of what follows: its words are no list of simple commands. */
const KEYWORDS: ReadonlySet<string> = new Set(
  "! [[ case coproc do done elif else esac fi for function if in select then until while { }".split(" "),
);
const LEADING_KEYWORDS: ReadonlySet<string> = new Set("! do elif else if then until while {".split(" "));
const MAX_PATHS = 64;
const MAX_WORDS = 64;
const MAX_NESTING = 4;

/** Never throws. */
export function summarizeCommand(text: string): CommandSummary {
  const found = new Findings();
  found.read(text, 0);
  return {
    commands: [...found.commands].map(([identifier, readOnly]) => ({ identifier, readOnly })),
    commandSegments: found.segments,
    possiblePaths: [...found.paths].slice(0, MAX_PATHS),
    words: [...found.words],
    possibleUrls: [...new Set(text.match(/\bhttps?:\/\/[^\s"'`<>|;)]+/g))].map((url) => ({ url })),
    hasWriteFileRedirection: found.hasWriteFileRedirection,
    isPlain:
      found.isPlain &&
      found.segments.length > 0 &&
      found.paths.size <= MAX_PATHS &&
      found.words.size <= MAX_WORDS,
  };
}

class Findings {
  readonly commands = new Map<string, boolean>();
  readonly segments: { identifier: string; fullCommandText: string }[] = [];
  readonly paths = new Set<string>();
  readonly words = new Set<string>();
  hasWriteFileRedirection = false;
  isPlain = true;

  read(text: string, depth: number): void {
    const split = splitCommand(text);
    this.isPlain &&= split.isPlain;
    for (const segment of split.segments) this.#readSegment(segment, text, depth);
    for (const nested of split.nested) this.#readNested(nested, depth);
  }

  #readNested(text: string, depth: number): void {
    if (depth < MAX_NESTING) this.read(text, depth + 1);
  }

  #readSegment({ words, redirections }: Segment, text: string, depth: number): void {
    for (const { operator, target } of redirections) {
      const toFile = operator.includes(">") && !/^(\d+|-|\/dev\/(null|stdout|stderr|tty))$/.test(target);
      this.hasWriteFileRedirection ||= toFile;
      if (toFile || operator === "<") this.#addPath(target);
    }
    let isCommandNext = true;
    let wrapped = false;
    for (const [index, word] of words.entries()) {
      const rest = text.slice(word.start, words.at(-1)?.end);
      if (isCommandNext && !word.isQuoted && KEYWORDS.has(word.text)) {
        this.isPlain = false;
        isCommandNext = LEADING_KEYWORDS.has(word.text);
      } else if (isCommandNext && /^[A-Za-z_]\w*\+?=/.test(word.text)) {
        // What a variable is set to can change which program runs.
        this.isPlain = false;
        this.#addPathsOf(word.text);
      } else if (isCommandNext) {
        isCommandNext = false;
        wrapped = WRAPPERS.has(word.text);
        const isBareCd = word.text === "cd" && index === words.length - 1;
        if (wrapped || isBareCd || INTERPRETERS.has(word.text)) this.isPlain = false;
        this.commands.set(word.text, READ_ONLY.has(word.text));
        this.segments.push({ identifier: word.text, fullCommandText: rest });
      } else {
        this.#addPathsOf(word.text);
        // Which of a wrapper's words is the command depends on its options: each may be.
        if (wrapped && !word.text.startsWith("-"))
          this.segments.push({ identifier: word.text, fullCommandText: rest });
        if (word.isQuoted && /\s/.test(word.text) && INTERPRETERS.has(words[0]?.text ?? ""))
          this.#readNested(word.text, depth);
      }
    }
  }

  /** A word may be a path, or end in one: `--output=a/b`, `if=/dev/zero`, `-I/usr/include`. */
  #addPathsOf(word: string): void {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return;
    const value = /^[\w.-]*=(.+)$/.exec(word)?.[1] ?? /^-\w?(?=\/|\.\.)(.+)$/.exec(word)?.[1];
    if (value !== undefined) this.#addPath(value);
    else if (looksLikePath(word)) this.#addPath(word);
    else if (!word.startsWith("-")) this.words.add(word);
  }

  #addPath(path: string): void {
    if (path !== "" && !path.startsWith("/dev/null")) this.paths.add(path);
  }
}

function looksLikePath(word: string): boolean {
  return (word.includes("/") && !word.startsWith("-")) || /^(?:\.\.?|~.*|[\w-]+\.\w{1,8})$/.test(word);
}
