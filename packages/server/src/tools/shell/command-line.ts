/**
 * What can be told of a bash command without running it, for the person who is asked to allow it. A
 * reading aid, not a judgement: bash can hide any command in any other.
 */

export interface CommandSummary {
  readonly commands: { identifier: string; readOnly: boolean }[];
  readonly possiblePaths: string[];
  readonly possibleUrls: { url: string }[];
  readonly hasWriteFileRedirection: boolean;
}

const READ_ONLY: ReadonlySet<string> = new Set(
  "[ basename cat cd cmp comm cut date df diff dirname du echo egrep false fgrep file grep head hostname id jq ls md5sum nl od printf ps pwd readlink realpath rg seq sha256sum sleep sort stat strings tail test tr tree true type uname uniq wc which whoami".split(
    " ",
  ),
);
/** They run what follows them. */
const PREFIXES: ReadonlySet<string> = new Set(
  "builtin command do else env exec if nice nohup sudo then time until while ! {".split(" "),
);
const KEYWORDS: ReadonlySet<string> = new Set("case done esac fi for function in select }".split(" "));
/** A quoted or plain word, a redirection with its target, or what separates commands. */
const PART =
  /(?<redirect>\d*(?:&>>?|>>|>\||>&|<>|<<<|<<-?|<|>))|(?<separator>&&|\|\||\$\(|[;&|\n()`])|(?<word>(?:\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|[^\s;&|<>()`"'\\])+)/g;

/** Never throws. */
export function summarizeCommand(text: string): CommandSummary {
  const commands = new Map<string, boolean>();
  const paths = new Set<string>();
  let hasWriteFileRedirection = false;
  let atStart = true;
  let redirect = "";
  for (const { groups } of text.matchAll(PART)) {
    if (groups?.separator) {
      atStart = true;
      redirect = "";
    } else if (groups?.redirect) {
      redirect = groups.redirect;
    } else {
      const word = unquote(groups?.word ?? "");
      if (redirect) {
        const toFile = redirect.includes(">") && !/^(\d+|-|\/dev\/(null|stdout|stderr))$/.test(word);
        hasWriteFileRedirection ||= toFile;
        if (toFile || redirect === "<") paths.add(word);
        redirect = "";
      } else if (atStart && !isPrefix(word)) {
        atStart = false;
        if (!KEYWORDS.has(word)) commands.set(word, READ_ONLY.has(word));
      } else if (looksLikePath(word)) {
        paths.add(word);
      }
    }
  }
  return {
    commands: [...commands].map(([identifier, readOnly]) => ({ identifier, readOnly })),
    possiblePaths: [...paths],
    possibleUrls: [...new Set(text.match(/\bhttps?:\/\/[^\s"'`<>|;)]+/g))].map((url) => ({ url })),
    hasWriteFileRedirection,
  };
}

/** An assignment, or a word before the command. */
function isPrefix(word: string): boolean {
  return PREFIXES.has(word) || /^[A-Za-z_]\w*\+?=/.test(word);
}

function looksLikePath(word: string): boolean {
  if (word.startsWith("-") || /^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return false;
  return (
    word.includes("/") || word === "." || word === ".." || word === "~" || /^[\w-]+\.\w{1,8}$/.test(word)
  );
}

function unquote(word: string): string {
  return word.replace(/\\([\s\S])|["']/g, "$1");
}
