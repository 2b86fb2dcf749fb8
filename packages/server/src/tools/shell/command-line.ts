/**
 * What can be told of a bash command without running it: for the person who is asked to allow it, and for
 * rules that allow commands by name. Bash can hide any command in any other; `isPlain` is true only where
 * that was looked for and is not so, and where all that runs is known to do no more than its name says.
 */
import { looksLikePath } from "./looks-like-path.ts";
import { type Segment, splitCommand, type Word } from "./split-command.ts";
import { type Understanding, understandCommand } from "./understand-command.ts";

/** A command that is understood. */
export interface Step extends Understanding {
  readonly words: readonly string[];
  readonly before: string;
  readonly behind: string;
}

export interface CommandSummary {
  /** Read-only are those that only read and show, in a line that is plain. */
  readonly commands: { identifier: string; readOnly: boolean }[];
  readonly commandSegments: { identifier: string; fullCommandText: string }[];
  readonly possiblePaths: string[];
  readonly possibleUrls: { url: string }[];
  readonly hasWriteFileRedirection: boolean;
  /** Arguments that may be names of files, and do not look like paths. */
  readonly words: readonly string[];
  /** Whether the segments are all that runs, run as they are written, and are all understood. */
  readonly isPlain: boolean;
  /** What runs, in order, when it is plain. */
  readonly steps: readonly Step[];
  /** Whether commands may run that are not to be seen in the text. */
  readonly hidesCommands: boolean;
}

/** They run what follows them. */
const WRAPPERS: ReadonlySet<string> = new Set(
  "builtin chroot command doas env exec ionice nice nohup parallel setsid stdbuf strace sudo time timeout watch xargs".split(
    " ",
  ),
);
/** They run text as commands, or change where what follows runs. */
const INTERPRETERS: ReadonlySet<string> = new Set(
  ". ash bash dash eval fish ksh popd pushd sh source trap zsh".split(" "),
);
/** They run programs of their own languages, which run others. */
const LANGUAGES =
  /^(?:python[\d.]*|perl[\d.]*|ruby|node|deno|bun|php|lua|tclsh|expect|ed|ex|vi|vim|[gmn]?awk|g?sed)$/;
const READS_ARGUMENTS = /^(?:xargs|parallel)$/;
/** They make a program of what follows: its words are no list of simple commands. */
const KEYWORDS: ReadonlySet<string> = new Set(
  "! [[ case coproc do done elif else esac fi for function if in select then until while { }".split(" "),
);
const LEADING_KEYWORDS: ReadonlySet<string> = new Set("! do elif else if then until while {".split(" "));
/** A longer command is listed as far as this, and asked for. */
const MAX_CHARS = 32_768;
const MAX_PATHS = 64;
const MAX_WORDS = 64;
const MAX_WORDS_IN_ALL = 128;
const MAX_NESTING = 4;
/** How many of a wrapper's words may be the command. */
const MAX_WRAPPED = 16;
const MAX_SEGMENTS = 256;

/** Takes time in proportion to the text. Never throws. */
export function summarizeCommand(text: string): CommandSummary {
  const found = new Findings();
  found.read(text.slice(0, MAX_CHARS), 0);
  const isPlain =
    text.length <= MAX_CHARS &&
    found.isPlain &&
    found.steps.length > 0 &&
    found.paths.size <= MAX_PATHS &&
    found.words.size <= MAX_WORDS &&
    found.steps.reduce((count, { words }) => count + words.length, 0) <= MAX_WORDS_IN_ALL &&
    found.segments.length <= MAX_SEGMENTS &&
    keepsPlaces(found.steps);
  return {
    commands: [...found.commands]
      .slice(0, MAX_SEGMENTS)
      .map(([identifier, onlyReads]) => ({ identifier, readOnly: onlyReads && isPlain })),
    commandSegments: found.segments.slice(0, MAX_SEGMENTS),
    possiblePaths: [...found.paths].slice(0, MAX_PATHS),
    words: [...found.words].slice(0, MAX_WORDS),
    possibleUrls: urlsIn(text.slice(0, MAX_CHARS)),
    hasWriteFileRedirection: found.hasWriteFileRedirection,
    isPlain,
    steps: isPlain ? found.steps : [],
    hidesCommands: text.length > MAX_CHARS || found.hidesCommands,
  };
}

function urlsIn(text: string): { url: string }[] {
  return [...new Set(text.match(/\bhttps?:\/\/[^\s"'`<>|;)]+/g))].map((url) => ({ url }));
}

/** Where a command can move links, no other may name files: where they lead would change on the way. */
function keepsPlaces(steps: readonly Step[]): boolean {
  if (!steps.some(({ effect }) => effect === "relinks")) return true;
  return steps.filter(({ paths, usesRepository }) => paths.length > 0 || usesRepository).length === 1;
}

class Findings {
  /** Names, with whether all that runs under them only reads. */
  readonly commands = new Map<string, boolean>();
  readonly segments: { identifier: string; fullCommandText: string }[] = [];
  readonly steps: Step[] = [];
  readonly paths = new Set<string>();
  readonly words = new Set<string>();
  hasWriteFileRedirection = false;
  isPlain = true;
  hidesCommands = false;

  read(text: string, depth: number): void {
    const split = splitCommand(text);
    this.isPlain &&= split.isPlain;
    this.hidesCommands ||= !split.isReadable;
    for (const segment of split.segments) this.#readSegment(segment, text, depth);
    for (const nested of split.nested) this.#readNested(nested, depth);
  }

  #readNested(text: string, depth: number): void {
    if (depth < MAX_NESTING) this.read(text, depth + 1);
    else this.hidesCommands = true;
  }

  #readSegment(segment: Segment, text: string, depth: number): void {
    const { words, redirections, before, behind } = segment;
    const inputs = redirections.filter(({ operator, target }) => this.#isInput(operator, target));
    const understanding = words.every((word) => !word.isExpanded) ? understandCommand(words) : undefined;
    if (understanding === undefined) {
      // Without a word, what is redirected is all that happens.
      this.isPlain = false;
      this.#readUnknown(words, text, depth);
      return;
    }
    const paths = [...inputs.map(({ target }) => target), ...understanding.paths];
    const [program] = words as [Word, ...Word[]];
    this.#addSegment(program, words, text, understanding.effect === "none");
    for (const word of understanding.paths) this.#addPathsOf(word.text);
    this.steps.push({ ...understanding, paths, words: words.map((word) => word.text), before, behind });
  }

  /** Also takes note of the file that is written to or read. */
  #isInput(operator: string, target: Word): boolean {
    const isOutput = operator.includes(">");
    const isStream = /^(?:\d+|-|\/dev\/(?:null|stdout|stderr))$/.test(target.text) && !target.isExpanded;
    if (isStream) return false;
    // A pattern may stand for a file that is called like an option; none is one here.
    if (target.wildcards.length > 0) this.isPlain = false;
    // To bash this is no file but a connection.
    if (/^\/dev\/(?:tcp|udp)\//.test(target.text)) this.isPlain = false;
    if (isOutput || operator === "<") this.#addPath(target.text);
    this.hasWriteFileRedirection ||= isOutput;
    return operator === "<";
  }

  #readUnknown(words: readonly Word[], text: string, depth: number): void {
    let isCommandNext = true;
    let program: Word | undefined;
    for (const [index, word] of words.entries()) {
      if (isCommandNext && !word.isQuoted && KEYWORDS.has(word.text)) {
        isCommandNext = LEADING_KEYWORDS.has(word.text);
      } else if (isCommandNext && /^[A-Za-z_]\w*\+?=/.test(word.text)) {
        // What a variable is set to can change which program runs.
        this.#addPathsOf(word.text);
      } else if (isCommandNext) {
        isCommandNext = false;
        program = word;
        this.#addSegment(word, words, text, false);
        this.hidesCommands ||= hidesCommands(words.slice(index));
        if (WRAPPERS.has(word.text)) this.#addWrapped(words.slice(index + 1), text);
      } else {
        this.#addPathsOf(word.text);
        if (word.isQuoted && /\s/.test(word.text) && INTERPRETERS.has(program?.text ?? ""))
          this.#readNested(word.text, depth);
      }
    }
  }

  /** Which of a wrapper's words is the command depends on its options: each may be. */
  #addWrapped(words: readonly Word[], text: string): void {
    for (const word of words.filter(({ text }) => !text.startsWith("-")).slice(0, MAX_WRAPPED)) {
      const fullCommandText = text.slice(word.start, words.at(-1)?.end);
      this.segments.push({ identifier: word.text, fullCommandText });
    }
  }

  #addSegment(program: Word, words: readonly Word[], text: string, onlyReads: boolean): void {
    const known = this.commands.get(program.text) ?? true;
    this.commands.set(program.text, known && onlyReads);
    const fullCommandText = text.slice(program.start, words.at(-1)?.end);
    this.segments.push({ identifier: program.text, fullCommandText });
  }

  /** A word may be a path, or end in one: `--output=a/b`, `if=/dev/zero`, `-I/usr/include`. */
  #addPathsOf(word: string): void {
    if (this.words.has(word) || (this.paths.size > MAX_PATHS && this.words.size > MAX_WORDS)) return;
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return;
    const value = /^[\w.-]*=(.+)$/.exec(word)?.[1] ?? /^-\w?(?=\/|\.\.)(.+)$/.exec(word)?.[1];
    if (value !== undefined) this.#addPath(value);
    else if (looksLikePath(word)) this.#addPath(word);
    else if (!word.startsWith("-")) this.words.add(word);
  }

  #addPath(path: string): void {
    if (path !== "" && path !== "/dev/null") this.paths.add(path);
  }
}

/** Whether a command that is not understood may run one whose name is not among its words. */
function hidesCommands(words: readonly Word[]): boolean {
  if (isUncertain(words[0] as Word)) return true;
  const starters = words.flatMap(({ text }, index) => {
    const name = text.slice(text.lastIndexOf("/") + 1);
    // As an argument it is a directory, unless what runs it runs what bash has built in.
    if (name === "." && index > 0 && !/^(?:builtin|command)$/.test(words[index - 1]?.text ?? "")) return [];
    return WRAPPERS.has(name) || isInterpreter(name) ? [{ name, index }] : [];
  });
  if (starters.length > MAX_WRAPPED) return true;
  return starters.some(({ name, index }) => runsUnseen(name, words.slice(index + 1)));
}

function runsUnseen(name: string, rest: readonly Word[]): boolean {
  if (rest.some(isUncertain)) return true;
  // What comes in goes behind the words that it is given.
  if (READS_ARGUMENTS.test(name)) return rest.some(({ text }) => WRAPPERS.has(text) || isInterpreter(text));
  if (WRAPPERS.has(name)) return false;
  // It reads commands from elsewhere, or has them as text in a language of its own.
  const hasOperand = rest.some(({ text }) => !text.startsWith("-"));
  return !hasOperand || rest.some(({ text }) => isFromStream(text) || isCode(name, text));
}

function isUncertain(word: Word): boolean {
  return word.isExpanded || word.wildcards.length > 0;
}

function isFromStream(text: string): boolean {
  return /^\/(?:dev|proc)\/|^-$/.test(text);
}

function isCode(name: string, text: string): boolean {
  if (/sed$/.test(name)) return /(?:^|[\s\d$,/;{}!gpiIM])e/.test(text);
  return LANGUAGES.test(name) && /[^\w./:@+=,-]/.test(text);
}

function isInterpreter(name: string): boolean {
  return INTERPRETERS.has(name) || LANGUAGES.test(name);
}
