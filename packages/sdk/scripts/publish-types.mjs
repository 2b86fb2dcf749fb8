// Makes a package's own types of those that tsc wrote: they name no other package, and nothing that is not
// reached from the entry; what is said twice is said once.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** A comment on a declaration, as a pattern. */
const COMMENT = String.raw`/\*\*(?:(?!\*/).)*\*/\n`;

/** Rewrites the `.d.ts` files among `names` in `folder`, whose entry is `index.d.ts`; drops what it does not reach. */
export function publishTypes(folder, names) {
  const texts = new Map();
  for (const name of names.filter((name) => name.endsWith(".d.ts")))
    texts.set(join(folder, name), publishable(folder, join(folder, name)));
  const reached = reachedFrom(join(folder, "index.d.ts"), texts);
  for (const [path, text] of texts) {
    if (reached.has(path)) writeFileSync(path, text);
    else rmSync(path);
  }
}

function reachedFrom(entry, texts, reached = new Set()) {
  if (reached.has(entry)) return reached;
  reached.add(entry);
  for (const [, name] of texts.get(entry).matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g))
    reachedFrom(join(dirname(entry), `${name}.d.ts`), texts, reached);
  return reached;
}

/** Imports of the protocol package lead to the copy of its types. */
function publishable(folder, path) {
  const here = relative(dirname(path), join(folder, "protocol")) || ".";
  const text = readFileSync(path, "utf8")
    .replaceAll(/(["'])@rightseat\/protocol\/types\1/g, `"./${here}/generated/index.js"`)
    .replaceAll(/(["'])@rightseat\/protocol\1/g, `"./${here}/index.js"`)
    .replaceAll(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"');
  const slim =
    SLIM.get(basename(path)) ?? (dirname(path) === join(folder, "protocol") ? slimInner : undefined);
  return slim ? slim(text) : text.replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 4));
}

/** Parameters and results are many: what a method is for is kept, what each field is for the contract says. */
function slimApi(text) {
  return withoutFields(text, text.indexOf("export interface PublishedMethods"));
}

/** The same of smaller tables. */
function slimNewest(text) {
  return withoutFields(text, text.search(/^export interface \w+Methods /m));
}

/** What stands before the table of methods loses its comments. */
function withoutFields(text, table) {
  const types = text.slice(0, table).replaceAll(new RegExp(`^ *${COMMENT}`, "gms"), "");
  return shortened(types + text.slice(table)).replaceAll(/^ +/gm, "");
}

/** How messages travel is no affair of applications. */
function slimInner(text) {
  return text.replaceAll(new RegExp(`^ *${COMMENT}`, "gms"), "");
}

/** Every event has the same envelope, is named by its type, and its data are described with it. */
function slimEvents(text) {
  const envelope = new RegExp(
    `^ +${COMMENT}(?= +(id|timestamp|parentId|ephemeral|agentId|type|data)\\??:)`,
    "gms",
  );
  const data = new RegExp(`^${COMMENT}(?=export interface \\w+Data )`, "gms");
  const named = /^\/\*\* Session event "[^"]*"\. (?:\*\/\n)?/gm;
  const place =
    /^(export interface \w+Event) \{\n id: string;\n timestamp: string;\n parentId: string \| null;\n(?: ephemeral\?: boolean;\n|( ephemeral: true;\n)) agentId\?: string;\n/gm;
  const slim = shortened(
    text
      .replaceAll(envelope, "")
      .replaceAll(data, "")
      .replaceAll(named, (comment) => (comment.endsWith("\n") ? "" : "/** ")),
  ).replaceAll(place, (_, head, ephemeral = "") => `${head} extends Envelope {\n${ephemeral}`);
  return slim + ENVELOPE;
}

/** The beginning of a comment stands for all of it, and what was said before is not said again. */
function shortened(text) {
  const said = new Set();
  return text.replaceAll(/^ +/gm, " ").replaceAll(/^( ?)\/\*\* (.*) \*\/\n/gm, (_, indent, comment) => {
    const short = comment.split(/\. (?=[A-Z`])|; | — /)[0].replaceAll(/ ?\((?:e\.g\.|i\.e\.)[^)]*\)/g, "");
    if (said.has(short)) return "";
    said.add(short);
    return `${indent}/** ${short} */\n`;
  });
}

const ENVELOPE = `interface Envelope {
 id: string;
 timestamp: string;
 parentId: string | null;
 ephemeral?: boolean;
 agentId?: string;
}
`;

/** The large tables of the contract, by the names of their files. */
const SLIM = new Map([
  ["api.d.ts", slimApi],
  ["newest.d.ts", slimNewest],
  ["runtime-methods.d.ts", slimNewest],
  ["events.d.ts", slimEvents],
]);
