/** Compares one simple command with what is known of its program, word by word. */
import { type KnownCommand, knownCommand } from "./known-commands.ts";
import type { Word } from "./split-command.ts";

export interface Understanding {
  readonly effect: NonNullable<KnownCommand["effect"]>;
  /** What may name files: operands, values of options, whatever has wildcards. */
  readonly paths: readonly Word[];
  readonly onlyFiles: boolean;
  readonly usesRepository: boolean;
  /** Where the commands behind it run. */
  readonly changesTo?: Word;
}

/** Undefined when it may do anything. @param words the program and its arguments, none of them expanded. */
export function understandCommand(words: readonly Word[]): Understanding | undefined {
  const [program, ...rest] = words;
  if (program === undefined || program.wildcards.length > 0) return undefined;
  if (program.text === "cd") return understandCd(rest);
  const known = knownCommand(program.text);
  if (known === undefined) return undefined;
  const found = known.subcommands ? understandSubcommand(known, rest) : readArguments(known, rest);
  if (found === undefined) return undefined;
  return {
    effect: found.known.effect ?? known.effect ?? "none",
    paths: found.paths,
    onlyFiles: known.onlyFiles === true,
    usesRepository: known.usesRepository === true,
  };
}

/** To a place that is named. Without one it is the home, with `-` the one before. */
function understandCd(words: readonly Word[]): Understanding | undefined {
  const [target, ...more] = words[0]?.text === "--" ? words.slice(1) : words;
  if (target === undefined || more.length > 0 || target.wildcards.length > 0) return undefined;
  if (target.text === "" || target.text.startsWith("-")) return undefined;
  return { effect: "none", paths: [target], onlyFiles: false, usesRepository: false, changesTo: target };
}

interface Found {
  readonly known: KnownCommand;
  readonly paths: Word[];
}

function understandSubcommand(known: KnownCommand, words: readonly Word[]): Found | undefined {
  const rest = words[0]?.text === "--no-pager" && known.usesRepository ? words.slice(1) : words;
  const [name, ...more] = rest;
  if (name === undefined || name.wildcards.length > 0) return undefined;
  if (!known.subcommands || !Object.hasOwn(known.subcommands, name.text)) return undefined;
  return readArguments(known.subcommands[name.text] as KnownCommand, more);
}

function readArguments(known: KnownCommand, words: readonly Word[]): Found | undefined {
  const { never } = known;
  if (never && words.some((word) => never.test(word.text))) return undefined;
  if (known.accepts) {
    if (!known.accepts(words.map((word) => word.text))) return undefined;
    return { known, paths: known.operands === "text" ? words.filter(hasWildcards) : [...words] };
  }
  const reader = new ArgumentReader(known);
  return reader.read(words) ? { known, paths: reader.paths } : undefined;
}

class ArgumentReader {
  readonly #known: KnownCommand;
  readonly paths: Word[] = [];
  readonly #operands: Word[] = [];
  #hasScript = false;

  constructor(known: KnownCommand) {
    this.#known = known;
  }

  /** Whether every word is one that is known. */
  read(words: readonly Word[]): boolean {
    for (let index = 0; index < words.length; index += 1) {
      const word = words[index] as Word;
      if (word.text === "--") {
        this.#operands.push(...words.slice(index + 1));
        break;
      }
      if (!word.text.startsWith("-") || word.text === "-") {
        this.#operands.push(word);
        continue;
      }
      const taken = this.#readOption(word, words[index + 1]);
      if (taken === undefined) return false;
      index += taken;
    }
    return this.#readOperands();
  }

  /** How many words behind it belong to it. Undefined when it is not known. */
  #readOption(word: Word, next: Word | undefined): 0 | 1 | undefined {
    const { flags = "", values = "", long = [], takesNumber } = this.#known;
    const { text } = word;
    if (text.startsWith("--")) {
      const name = text.slice(0, text.indexOf("=") + 1) || text;
      // Bash may turn `--include=*.ts` into other words with the same beginning.
      const hidesMore = word.wildcards.some((place) => place < name.length) || !name.endsWith("=");
      if (!long.includes(name) || (word.wildcards.length > 0 && hidesMore)) return undefined;
      return 0;
    }
    if (word.wildcards.length > 0) return undefined;
    if (takesNumber && /^-\d+$/.test(text)) return 0;
    for (let place = 1; place < text.length; place += 1) {
      const letter = text[place] as string;
      if (flags.includes(letter)) continue;
      if (!values.includes(letter)) return undefined;
      const attached = text.slice(place + 1);
      return this.#readValue(letter, attached === "" ? next : { ...word, text: attached }, attached === "");
    }
    return 0;
  }

  #readValue(letter: string, value: Word | undefined, isNext: boolean): 0 | 1 | undefined {
    if (value === undefined || value.wildcards.length > 0) return undefined;
    if (this.#known.scriptOptions?.includes(letter)) {
      if (!this.#known.script?.test(value.text)) return undefined;
      this.#hasScript = true;
    } else {
      this.paths.push(value);
    }
    return isNext ? 1 : 0;
  }

  #readOperands(): boolean {
    const { script, operands, maxOperands } = this.#known;
    let files = this.#operands;
    if (script && !this.#hasScript) {
      const [first, ...rest] = files;
      if (first !== undefined && (first.wildcards.length > 0 || !script.test(first.text))) return false;
      files = rest;
    }
    const varies = files.some(hasWildcards);
    if (maxOperands !== undefined && (files.length > maxOperands || varies)) return false;
    if (operands instanceof RegExp && (varies || !files.every((word) => operands.test(word.text))))
      return false;
    this.paths.push(...(operands === "text" ? files.filter(hasWildcards) : files));
    return true;
  }
}

function hasWildcards(word: Word): boolean {
  return word.wildcards.length > 0;
}
