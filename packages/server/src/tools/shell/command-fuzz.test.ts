/**
 * Command lines from a grammar that knows how bash and its programs are bent, with the names of all commands
 * approved that the list has, but for those that run what a project says. What would run without a question
 * is judged twice more. By its characters, with code that knows nothing of the classifier: outside of quotes bash may
 * find nothing to expand but names of files. And by running it, all that were approved, hundreds in one bash, without a
 * network and with everything else read-only where the system lets a namespace be made: a line must not run the
 * program `evil`, change anything outside of the working directory, or show what is in the files there.
 *
 * 3,000 lines in the ordinary test. RIGHTSEAT_COMMAND_FUZZ=1000000 tries as many as it says (a million take
 * some minutes), RIGHTSEAT_COMMAND_FUZZ_SEED begins elsewhere; the figures are printed then.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pathsOf, pathsOutside } from "../../permissions/paths.ts";
import { askShellPermission } from "./permission.ts";

const COUNT = Number(process.env.RIGHTSEAT_COMMAND_FUZZ ?? 3000);
const SEED = Number(process.env.RIGHTSEAT_COMMAND_FUZZ_SEED ?? 20261129);
/** Lines that one bash runs before what is outside is looked at. */
const BATCH = 200;
/** How many of those that were approved are run. */
const MAX_RUN = Number(
  process.env.RIGHTSEAT_COMMAND_FUZZ_RUN ??
    (process.env.RIGHTSEAT_COMMAND_FUZZ ? Number.POSITIVE_INFINITY : 200),
);
const SECRET = "TOP-SECRET-4711";

const root = realpathSync(mkdtempSync(join(tmpdir(), "command-fuzz-")));
const [work, out, bin, template] = ["work", "out", "bin", "template"].map((name) => join(root, name)) as [
  string,
  string,
  string,
  string,
];
const ENVIRONMENT = {
  PATH: `${bin}:/usr/bin:/bin`,
  HOME: out,
  LC_ALL: "C.UTF-8",
  GIT_CEILING_DIRECTORIES: root,
};
function makeOutside(): void {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "dir"), { recursive: true });
  for (const name of ["secret", "dir/secret"]) writeFileSync(join(out, name), `${SECRET}\n`);
}
makeOutside();
for (const folder of [join(template, "sub/deep"), bin]) mkdirSync(folder, { recursive: true });
for (const name of ["a", "b.txt", "c.txt", "sub/d.txt", "-o", "sub/deep/e"]) {
  writeFileSync(join(template, name), "x y\nz 1\n");
}
for (const name of [join(bin, "evil"), join(template, "evil"), join(template, "ls")]) {
  writeFileSync(name, `#!/bin/bash\necho ran >${out}/ran\n`, { mode: 0o755 });
}
symlinkSync("../out/secret", join(template, "link"));
symlinkSync("../../out/secret", join(template, "sub/inner"));
symlinkSync("../out/dir", join(template, "dirlink"));
symlinkSync("../out/new", join(template, "dangling"));
cpSync(template, work, { recursive: true, verbatimSymlinks: true });
afterAll(() => rmSync(root, { recursive: true }));

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const words = (text: string) => text.split(" ");
const PROGRAMS = words(
  "[ awk basename cat cd cmp column comm cp cut date df diff du echo egrep file find fold git grep head hexdump hostname id jq ls md5sum mkdir mv nl od paste printf readlink realpath rev rm rg sed seq sort stat strings tac tail tar tee test touch tr tree type uniq wc which less true : export env xargs alias command eval",
);
const INSIDE = words("a b.txt c.txt sub sub/d.txt . ./a new sub/new *.txt sub/*.txt s*b ? -- -");
const OUTSIDE = [
  ...words(
    "link l*k li?? sub/inner sub/i* dirlink dirlink/secret dirlink/../secret dangling * */* ~/secret ~",
  ),
  ...words("/proc/self/cwd/link /proc/self/root/etc/passwd /proc/$$/cwd/../out/secret /proc/self/fd/0"),
  ...words("../out/secret ../out ../o*/s* sub/../../out/secret .. ../*/secret [l]ink s*/i* d*"),
  ...[join(out, "secret"), join(out, "new"), `${out}/s*`, "/dev/null/../../etc"],
];
const OPTIONS = words(
  "-a -l -r -R -n -o -oout -mo -f -h -i -e -s -u -x -v -L -H -d -c -t -k1 -n1 -5 -1 -z -w -O -Oevil -exec -delete -name -print -type -fprint --output=new --files0-from=a --compress-program=evil --to-file=a --from-file=a --file=link --pre=evil --include=*.txt -p -m -C -T -D -I -W",
);
const WHOLE = [
  ...words(
    "$(evil) `evil` $x \u0024{x:-evil} {evil,a} <(evil) a[$(evil)] 'a[$(evil)]' $'evil' $((x)) evil ./evil",
  ),
  ...[
    "-v 'a[$(evil)]'",
    "-exec evil {} +",
    "-exec evil \\;",
    "-execdir ./evil \\;",
    "-name '*.txt'",
    "-type f",
  ],
  ...[
    "'1e evil'",
    "'1e ./evil'",
    "'s/x/evil/e'",
    "'s/x/y/g'",
    "'1,2p'",
    `'w ${out}/new'`,
    `'r ${out}/secret'`,
  ],
  ...[
    "'BEGIN{system(\"evil\")}'",
    "'{print $1}'",
    "'{print | \"evil\"}'",
    `'{print > "${out}/new"}'`,
    "'NR==1'",
  ],
  ...[
    "'.a'",
    `'import "x" as $x; .'`,
    "env",
    "'%s\\n'",
    "'%n' PATH",
    "-v PATH",
    "PATH=.",
    `+%Y`,
    `-f${out}/secret`,
  ],
  ...[
    `-uf${out}/secret`,
    `-o${out}/new`,
    `-mo${out}/new`,
    `--output=${out}/new`,
    `-T${out}`,
    "status",
    "log",
    "diff",
  ],
  ...[
    "grep -Oevil x",
    "grep --no-index -O./evil x",
    "-c core.pager=evil",
    "diff --no-index a link",
    "-n 1",
    "x",
  ],
  ...[
    '"x"',
    "'x y'",
    "-e x",
    "x\\ y",
    "]",
    "= x ]",
    "-f a ]",
    "-o -v 'a[$(evil)]' ]",
    "@a",
    "''",
    "#x",
    "\\",
  ],
];
const JOINS = ["; ", " && ", " || ", " | ", "\n", " & ", "; ", " && ", " |& "];
const BLANKS = [" ", "  ", "\t", "\r", "\u00a0", "\v", "\f", " \\\n", "\\\n", " \r# ", "\u2003"];
const TAILS = [
  ...words(">new <a <link 2>/dev/null >/dev/null"),
  `>${out}/new`,
  `2>&1`,
  `<<<x`,
  `<${out}/secret`,
  "<~/secret",
  ">~/new",
  "2>>~/new",
  "</proc/self/cwd/link",
  "&",
];
const FRONTS = [
  "cd sub && ",
  "cd sub; ",
  "cd dirlink && ",
  "cd nothing; ",
  "cd .. && ",
  "cd sub | ",
  "true || cd sub && ",
];
const BEFORE = [
  "export PATH=.; ",
  "PATH=. ",
  "if true; then ",
  "! ",
  "time ",
  "x() { evil; }; ",
  "mv sub/inner b.txt; ",
];

function commandLine(random: () => number): string {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const chance = (share: number) => random() < share;
  const blank = () => (chance(0.97) ? " " : one(BLANKS));
  const argument = () => {
    const kind = random();
    if (kind < 0.4) return one(INSIDE);
    if (kind < 0.6) return one(OPTIONS);
    return kind < 0.8 ? one(WHOLE) : one(OUTSIDE);
  };
  const simple = () => {
    let text: string = one(PROGRAMS);
    for (let count = Math.floor(random() * 4); count > 0; count -= 1) text += blank() + argument();
    return chance(0.06) ? `${text} ${one(TAILS)}` : text;
  };
  let line = simple();
  while (chance(0.25)) line += one(JOINS) + simple();
  if (chance(0.12)) line = one(FRONTS) + line;
  return chance(0.03) ? one(BEFORE) + line : line;
}

async function runsWithoutQuestion(line: string): Promise<boolean> {
  const ask = await askShellPermission(line, "", work);
  if (ask.canOfferSessionApproval !== true || (ask.possibleUrls as unknown[]).length > 0) return false;
  return (await pathsOutside(pathsOf(ask), [work])).size === 0;
}

/** Whether bash finds nothing in a line, comments left aside, that it would make something else of, but patterns of names and `~/`. */
function standsForItself(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line must have none
  if (/[\x00-\x08\x0b-\x1f\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000\ufeff]/.test(line)) return false;
  const bare = line.replace(
    /(?<=^|(?<!\\)[\s;&|<>()]|(?<!\\)[ \t](?:\\\n)+)#[^\n]*|(?<=(?<!\\)[ \t])(?:\\\n)+|\\[^\n]|'[^']*'|"(?:[^"\\$`]|\\[^\n]|\$(?=[\s"|/)]))*"/g,
    (part) => (part.startsWith("\\\n") ? "" : "_"),
  );
  return !/["'\\`(){}]|\$(?![\s;&|<>)]|$)/.test(bare);
}

const mayChangeFiles = (line: string) => /\b(?:mv|touch|mkdir|tee|cp|rm|ln)\b|>/.test(line);

/** All files outside of the working directory, with their content. */
function outside(): string {
  return readdirSync(out, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path} ${entry.isFile() ? readFileSync(path, "utf8") : ""} ${statSync(path).mtimeMs}`;
    })
    .sort()
    .join("\n");
}

/** Without a network, and with everything read-only but where the lines run; undefined where that cannot be had. */
function namespace(): string | undefined {
  const enter = `mount --bind '${root}' '${root}' && mount -o remount,bind,ro / && exec "$@"`;
  const made = (flags: string) => {
    const { status } = spawnSync("unshare", [
      ...flags.split(" "),
      "sh",
      "-c",
      enter,
      "sh",
      "touch",
      join(root, "t"),
    ]);
    return status === 0;
  };
  const flags = ["-n -m", "-U -r -n -m"].find(made);
  return flags && `unshare ${flags} sh -c ${quote(enter)} sh`;
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const inNamespace = namespace();

const LOOP = `
while IFS= read -r -d '' fresh && IFS= read -r -d '' line; do
  printf '\\n\\001line\\001'
  if [ "$fresh" ]; then cd /; rm -rf "$work"; cp -a "$template" "$work"; cd "$work"; fi
  timeout -s KILL 1 bash -c '( eval "$1" ) 2>&1' bash "$line" </dev/null 2>&1 | head -c 20000
done <"$lines"
`;

/** The lines that did wrong, of those that one bash runs after another. */
function wrongIn(lines: readonly string[]): string[] {
  const untouched = outside();
  const file = join(root, "lines");
  // What changes files begins with fresh ones, and so does what comes behind it.
  const fresh = (n: number) =>
    n === 0 || mayChangeFiles(lines[n] as string) || mayChangeFiles(lines[n - 1] as string);
  writeFileSync(file, lines.map((line, n) => `${fresh(n) ? 1 : ""}\0${line}\0`).join(""));
  const { stdout } = spawnSync("sh", ["-c", `${inNamespace ?? ""} bash -c ${quote(LOOP)}`], {
    cwd: root,
    env: { ...ENVIRONMENT, work, template, lines: file },
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const told = stdout.split("\n\u0001line\u0001").slice(1);
  // One that ends the bash around it, or hides the mark, has done wrong, too.
  if (outside() !== untouched || told.length !== lines.length || stdout.includes(SECRET)) {
    makeOutside();
    return lines.flatMap((line) => {
      const what = wrongdoing(line);
      if (what === undefined) return [];
      makeOutside();
      return [`${JSON.stringify(line)} ${what}`];
    });
  }
  return [];
}

/** What it did that it must not. */
function wrongdoing(line: string): string | undefined {
  const untouched = outside();
  rmSync(work, { recursive: true, force: true });
  cpSync(template, work, { recursive: true, verbatimSymlinks: true });
  // With all that it starts, it ends after a second.
  const args = ["-s", "KILL", "1", "bash", "-c", `( eval "$1" ) 2>&1`, "bash", line];
  const { stdout } = spawnSync("timeout", args, {
    cwd: work,
    env: ENVIRONMENT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (outside() !== untouched) return "changed what is outside, or ran the program";
  return stdout.includes(SECRET) ? "showed what is outside" : undefined;
}

const tell = (figures: string) => process.env.RIGHTSEAT_COMMAND_FUZZ && console.log(figures);

test(
  "nothing that is approved runs, writes or reads beyond what it says",
  async () => {
    const random = randomFrom(SEED);
    const approved = new Set<string>();
    let allowed = 0;
    for (let count = 0; count < COUNT; count += 1) {
      const line = commandLine(random);
      if (!(await runsWithoutQuestion(line))) continue;
      allowed += 1;
      approved.add(line);
    }
    const lines = [...approved];
    const expanded = lines.filter((line) => !standsForItself(line));
    const chosen = lines.slice(0, MAX_RUN);
    tell(
      `${COUNT} lines, seed ${SEED}: ${allowed} approved, ${lines.length} of them different, ${expanded.length} of these with something to expand`,
    );
    const wrong: string[] = [];
    for (let n = 0; n < chosen.length; n += BATCH) wrong.push(...wrongIn(chosen.slice(n, n + BATCH)));
    tell(
      `${chosen.length} were run ${inNamespace ? "in a namespace" : "in a directory, there being no namespace"}, ${wrong.length} did wrong`,
    );
    expect(expanded).toEqual([]);
    expect(wrong).toEqual([]);
    // A guard that approves nothing is no use, and this would not test anything.
    expect(lines.length).toBeGreaterThan(COUNT / 100);
  },
  // A line that waits is ended after a second.
  60_000 + COUNT * 5 + (Number.isFinite(MAX_RUN) ? MAX_RUN : COUNT / 10) * 200,
);
