/**
 * The commands that may run without a question once their name was approved, each with the options of which
 * it is known that they neither run another program, nor write, nor reach for files that the line does not
 * name. What is not here is asked for. GNU's and BSD's programs read options differently: an option is here
 * when no reading of it does more.
 */

/** What a command does besides reading. */
type Effect =
  | "none"
  /** Makes, fills or removes the files that it names. */
  | "changes"
  /** May also bring links to where there were none, so that paths looked at before lead elsewhere. */
  | "relinks"
  /** Runs what the project says: whoever approves it approves that. */
  | "runs-project";

export interface KnownCommand {
  /** Letters of options without a value. */
  readonly flags?: string;
  /** Letters of options with a value. */
  readonly values?: string;
  /** Long options; one with `=` at its end takes a value, behind that sign. */
  readonly long?: readonly string[];
  /** Whether `-20` is an option. */
  readonly takesNumber?: boolean;
  /** What is no option: files (the default), text that names none, or only what fits. */
  readonly operands?: "text" | RegExp;
  /** With a word like this it does more than all its options say. */
  readonly never?: RegExp;
  readonly maxOperands?: number;
  /** How many operands in front are no files, but must fit; an option of `scriptOptions` gives it instead. */
  readonly script?: RegExp;
  readonly scriptOptions?: string;
  /** Its operands must not be directories: it would look into them, and follow links there. */
  readonly onlyFiles?: boolean;
  /** Reads all of its words itself, options too. Words with wildcards are refused beforehand. */
  readonly accepts?: (words: readonly string[]) => boolean;
  readonly subcommands?: Readonly<Record<string, KnownCommand>>;
  /** Reads the repository that the working directory is in. */
  readonly usesRepository?: boolean;
  readonly effect?: Effect;
}

const split = (text: string): string[] => text.split(" ");

const ANYTHING = /^/;
const NAME = /^\w[\w.:@+-]*$/;
const GREP: KnownCommand = {
  flags: "abcEFGHhiLlnoPqrsTvwxzZ",
  values: "ABCem",
  takesNumber: true,
  long: split(
    "--after-context= --before-context= --color --color= --colour --colour= --context= --count --exclude-dir= --exclude= --extended-regexp --files-with-matches --files-without-match --fixed-strings --ignore-case --include= --invert-match --line-number --line-regexp --max-count= --no-filename --no-messages --null --only-matching --perl-regexp --quiet --recursive --regexp= --text --with-filename --word-regexp",
  ),
  script: ANYTHING,
  scriptOptions: "e",
};
const CHECKSUM: KnownCommand = { flags: "bt" };
/** Takes whatever it is given for text. */
const SAYS: KnownCommand = { accepts: () => true, operands: "text" };
const TEST_OPERATOR = /^-(?:[abcdefghknoprstuwxzGLNOS]|eq|ne|lt|le|gt|ge|nt|ot|ef)$/;
const FIND_TEST =
  /^(?:!|\(|\)|,|-(?:a|and|o|or|not|empty|depth|xdev|mount|print|print0|prune|quit|true|false|ls|executable|readable|writable))$/;
const FIND_TEST_WITH_VALUE =
  /^-(?:name|iname|path|ipath|wholename|regex|iregex|regextype|type|xtype|maxdepth|mindepth|size|mtime|mmin|atime|amin|ctime|cmin|newer|anewer|cnewer|perm|user|group|links|inum|printf)$/;
/** `p`, `5p`, `5,10p`, `$d`, `/a/,/b/p`, and `s/a/b/g`: no commands that write, read or run. */
const SED_ADDRESS = String.raw`(?:\d+|\$|/(?:[^/\\\n]|\\[^\n])*/)`;
const SED_SCRIPT = new RegExp(
  String.raw`^(?:${SED_ADDRESS}(?:,${SED_ADDRESS})?)? ?(?:[pdq=]|s/(?:[^/\\\n]|\\[^\n])*/(?:[^/\\\n]|\\[^\n])*/[gip\d]*)?$`,
);
/** Prints fields of the lines that a pattern or a comparison picks: no function, redirection or pipe. */
const AWK_TEXT = String.raw`"[^"\\]*"`;
const AWK_VALUE = String.raw`(?:\$(?:\d+|NF)|NR|NF|FILENAME|\d+|${AWK_TEXT})`;
const AWK_PATTERN = String.raw`(?:/[^/\\]*/|${AWK_VALUE} ?(?:==|!=|<=|>=|<|>) ?${AWK_VALUE}|\$\d+ ?!?~ ?/[^/\\]*/|END)`;
const AWK_SCRIPT = new RegExp(
  String.raw`^ ?${AWK_PATTERN}?[ ]?(?:\{ ?print(?: ${AWK_VALUE}(?:(?:, ?| )${AWK_VALUE})*)? ?;? ?\})?$`,
);
/** No modules, which are files; nothing of the environment. */
const JQ_FILTER = /^(?!.*(?:import|include|modulemeta|env|ENV|input_filename|get_search_list|debug|stderr))/s;
/** Each character of a directive can be read in one way only: a `0` in front is a flag. */
const PRINTF_FORMAT = /^(?!-)(?:[^%]|%[-+ #0]*(?:[1-9]\d*|\*)?(?:\.(?:\d+|\*)?)?[diouxXeEfgGsbcq%])*$/;

const GIT_SHOWING = split(
  "--abbrev-commit --abbrev= --all --author= --cached --color --color= --decorate --decorate= --diff-filter= --find-renames --first-parent --follow --format= --graph --grep= --ignore-all-space --ignore-blank-lines --ignore-space-change --max-count= --merges --minimal --name-only --name-status --no-color --no-decorate --no-ext-diff --no-merges --no-patch --no-renames --no-textconv --numstat --oneline --patch --patience --pretty= --raw --reverse --shortstat --since= --skip= --staged --stat --stat= --summary --unified= --until= --word-diff",
);
/** What asks for a signature (`%G?`) runs gpg, which makes files at home. */
const GIT_SHOW: KnownCommand = {
  flags: "abpRsuwz",
  values: "nSGUL",
  takesNumber: true,
  long: GIT_SHOWING,
  never: /^--(?:format|pretty)=.*%G/s,
};
const GIT: KnownCommand = {
  usesRepository: true,
  subcommands: {
    add: {
      flags: "AnuvN",
      long: split("--all --dry-run --intent-to-add --update --verbose"),
      effect: "changes",
    },
    blame: { flags: "celnstw", values: "L", long: split("--date= --porcelain --show-email") },
    branch: {
      flags: "arv",
      long: split(
        "--all --contains --list --merged --no-color --no-merged --remotes --show-current --verbose",
      ),
      maxOperands: 0,
    },
    "cat-file": { flags: "pte" },
    commit: {
      flags: "aqsv",
      values: "m",
      long: split("--all --allow-empty --amend --message= --no-edit --no-verify --quiet --signoff"),
      effect: "changes",
    },
    describe: { long: split("--abbrev= --all --always --dirty --long --tags") },
    diff: GIT_SHOW,
    grep: {
      flags: "aEFGHhiIlLncopPqvwWz",
      values: "ABCem",
      long: split(
        "--and --break --cached --color --color= --count --files-with-matches --fixed-strings --heading --ignore-case --line-number --name-only --not --or --show-function --untracked --word-regexp",
      ),
      script: ANYTHING,
      scriptOptions: "e",
    },
    log: GIT_SHOW,
    "ls-files": {
      flags: "cdikmostuvz",
      long: split(
        "--cached --deleted --error-unmatch --exclude-standard --full-name --modified --others --stage --unmerged",
      ),
    },
    "merge-base": {},
    remote: { flags: "v", maxOperands: 0 },
    "rev-list": { values: "n", long: split("--all --count --max-count= --since= --until=") },
    "rev-parse": {
      long: split(
        "--abbrev-ref --git-dir --is-inside-work-tree --short --short= --show-prefix --show-toplevel --symbolic-full-name --verify",
      ),
    },
    shortlog: { flags: "ens" },
    show: GIT_SHOW,
    status: {
      flags: "bsuvz",
      long: split(
        "--branch --ignored --long --porcelain --porcelain= --short --untracked-files --untracked-files=",
      ),
    },
    tag: { flags: "l", long: split("--list --sort="), maxOperands: 0, never: /^--sort=.*signature/s },
  },
};
const NPM_SCRIPT: KnownCommand = { flags: "s", long: split("--if-present --silent"), operands: NAME };
const NPM: KnownCommand = {
  effect: "runs-project",
  subcommands: {
    ...Object.fromEntries(split("run run-script start t test").map((name) => [name, NPM_SCRIPT])),
    ...Object.fromEntries(split("ci install ls").map((name) => [name, { ...NPM_SCRIPT, maxOperands: 0 }])),
  },
};
const CARGO_COMMAND: KnownCommand = {
  flags: "qv",
  long: split("--all --all-features --all-targets --check --quiet --release --verbose --workspace"),
  operands: NAME,
};

const COMMANDS: Readonly<Record<string, KnownCommand>> = {
  ":": SAYS,
  "[": { accepts: (words) => words.at(-1) === "]" && isTest(words.slice(0, -1)) },
  arch: { maxOperands: 0 },
  awk: { values: "F", script: AWK_SCRIPT },
  basename: { flags: "a", operands: "text" },
  cargo: {
    effect: "runs-project",
    subcommands: Object.fromEntries(
      split("bench build check clippy fmt test").map((name) => [name, CARGO_COMMAND]),
    ),
  },
  cat: {
    flags: "AbeEnstTuv",
    long: split(
      "--number --number-nonblank --show-all --show-ends --show-nonprinting --show-tabs --squeeze-blank",
    ),
  },
  cmp: { flags: "bls", maxOperands: 2, onlyFiles: true },
  column: { flags: "tx", values: "s" },
  comm: { flags: "123" },
  cp: {
    flags: "finpuv",
    long: split("--force --no-clobber --preserve --update --verbose"),
    maxOperands: 2,
    onlyFiles: true,
    effect: "changes",
  },
  cut: {
    flags: "s",
    values: "bcdf",
    long: split(
      "--bytes= --characters= --complement --delimiter= --fields= --only-delimited --output-delimiter=",
    ),
  },
  date: {
    flags: "uR",
    values: "d",
    long: split("--date= --iso-8601 --iso-8601= --rfc-3339= --rfc-email --utc"),
    operands: /^\+/,
  },
  df: { flags: "hHiklPT", long: split("--human-readable --inodes --total") },
  diff: {
    flags: "abBcdiNqstTuwy",
    values: "UW",
    long: split(
      "--brief --color --color= --context= --ignore-all-space --ignore-blank-lines --ignore-case --ignore-space-change --minimal --report-identical-files --side-by-side --suppress-common-lines --text --unified --unified= --width=",
    ),
    maxOperands: 2,
    onlyFiles: true,
  },
  dirname: { operands: "text" },
  du: {
    flags: "abchkms",
    values: "d",
    long: split("--all --apparent-size --bytes --human-readable --max-depth= --summarize --total"),
  },
  echo: SAYS,
  egrep: GREP,
  expand: { values: "t" },
  false: SAYS,
  fgrep: GREP,
  file: { flags: "bhik", long: split("--brief --mime --mime-encoding --mime-type --no-dereference") },
  find: { accepts: isFind },
  fold: { flags: "bs", values: "w" },
  git: GIT,
  go: {
    effect: "runs-project",
    subcommands: Object.fromEntries(
      split("build fmt test vet").map((name) => [name, { operands: /^\.\/[\w./-]*$/ }]),
    ),
  },
  grep: GREP,
  groups: { maxOperands: 0 },
  head: { flags: "qvz", values: "cn", takesNumber: true, long: split("--bytes= --lines= --quiet --verbose") },
  hexdump: { flags: "bcCdox", values: "ns" },
  hostname: { flags: "fsI", maxOperands: 0 },
  id: { flags: "Ggnru", operands: NAME },
  jq: {
    flags: "acCeMnrRsS",
    long: split(
      "--ascii-output --compact-output --exit-status --null-input --raw-input --raw-output --slurp --sort-keys --tab",
    ),
    script: JQ_FILTER,
  },
  ls: {
    flags: "1aABcCdfFghiklmnNopqQrRsStuUxX",
    values: "w",
    long: split(
      "--all --almost-all --classify --color --color= --directory --full-time --group-directories-first --human-readable --inode --recursive --reverse --size --sort= --time-style= --time=",
    ),
  },
  make: { flags: "Bkns", operands: /^\w[\w.-]*$/, effect: "runs-project" },
  md5sum: CHECKSUM,
  mkdir: { flags: "pv", values: "m", long: split("--parents --verbose"), effect: "changes" },
  mv: { flags: "finuv", maxOperands: 2, long: split("--force --no-clobber --verbose"), effect: "relinks" },
  nl: { flags: "p", values: "bhfinsvw" },
  nproc: { maxOperands: 0 },
  npm: NPM,
  od: { flags: "bcdox", values: "AjNt" },
  paste: { flags: "s", values: "d" },
  printf: { accepts: ([format = ""]) => PRINTF_FORMAT.test(format), operands: "text" },
  ps: { accepts: (words) => words.every((word) => /^(?:[afux]+|-[aAefu]+|-p|\d+)$/.test(word)) },
  pwd: { flags: "LP", maxOperands: 0 },
  readlink: { flags: "efmnq" },
  realpath: { flags: "emqsz" },
  rev: {},
  rg: {
    flags: "acFhHiIlnNoPqsSUvwx",
    values: "ABCegmtT",
    long: split(
      "--after-context= --before-context= --case-sensitive --color= --column --context= --count --files --files-with-matches --files-without-match --fixed-strings --glob= --heading --hidden --ignore-case --invert-match --json --line-number --max-count= --multiline --no-heading --no-ignore --no-line-number --only-matching --pcre2 --quiet --regexp= --smart-case --sort= --stats --type-not= --type= --word-regexp",
    ),
    script: ANYTHING,
    scriptOptions: "e",
  },
  rm: { flags: "dfirRvI", long: split("--dir --force --recursive --verbose"), effect: "changes" },
  rmdir: { flags: "pv", effect: "changes" },
  sed: {
    flags: "nErs",
    values: "e",
    long: split("--quiet --regexp-extended --silent"),
    script: SED_SCRIPT,
    scriptOptions: "e",
  },
  seq: { flags: "w", values: "fs", operands: /^-?[\d.]+$/, takesNumber: true },
  sha1sum: CHECKSUM,
  sha256sum: CHECKSUM,
  sha512sum: CHECKSUM,
  sleep: { operands: /^[\d.]+[smhd]?$/ },
  sort: {
    flags: "bcCdfghiMnrRsuVz",
    values: "kt",
    long: split(
      "--check --dictionary-order --field-separator= --general-numeric-sort --human-numeric-sort --ignore-case --ignore-leading-blanks --key= --month-sort --numeric-sort --reverse --stable --unique --version-sort --zero-terminated",
    ),
  },
  stat: { flags: "t", values: "c", long: split("--format= --printf= --terse") },
  strings: { flags: "a", values: "nt", operands: /^(?!@)/ },
  tac: {},
  tail: {
    flags: "fqvz",
    values: "cns",
    takesNumber: true,
    long: split("--bytes= --lines= --quiet --verbose"),
  },
  tee: { flags: "ai", effect: "changes" },
  test: { accepts: isTest },
  touch: { flags: "acm", effect: "changes" },
  tr: { flags: "cCdst", long: split("--complement --delete --squeeze-repeats"), operands: "text" },
  tree: {
    flags: "adfginpsuD",
    values: "LIP",
    long: split("--dirsfirst --noreport"),
  },
  true: SAYS,
  type: { flags: "aftpP", operands: "text" },
  uname: { flags: "aimnoprsv", maxOperands: 0 },
  uniq: { flags: "cdDiuz", values: "fsw", maxOperands: 1 },
  wc: { flags: "clLmw", long: split("--bytes --chars --lines --max-line-length --words") },
  which: { flags: "a", operands: "text" },
  whoami: { maxOperands: 0 },
};

export function knownCommand(name: string): KnownCommand | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** `-v` and `-R` take the name of a variable, whose index bash evaluates. */
function isTest(words: readonly string[]): boolean {
  return words.every((word) => !/^-[a-zA-Z]/.test(word) || TEST_OPERATOR.test(word));
}

/** Where to begin, then tests; no action but to print. */
function isFind(words: readonly string[]): boolean {
  let index = words.findIndex((word) => /^[-!(),]/.test(word));
  if (index < 0) return true;
  for (; index < words.length; index += 1) {
    const word = words[index] as string;
    if (FIND_TEST_WITH_VALUE.test(word)) index += 1;
    else if (!FIND_TEST.test(word)) return false;
  }
  return true;
}
