// Makes a package's own types of those that tsc wrote: they name no other package, and nothing that is not
// reached from the entry; what is said twice is said once.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

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
  if (path.endsWith(join("generated", "newest.d.ts"))) return shortened(text);
  if (path.endsWith(join("generated", "api.d.ts"))) return slimApi(text);
  return path.endsWith(join("generated", "events.d.ts")) ? slimEvents(text) : text;
}

/** Parameters and results are many: what a method is for is kept, what each field is for the contract says. */
function slimApi(text) {
  const table = text.indexOf("export interface PublishedMethods");
  const types = text.slice(0, table).replaceAll(new RegExp(`^ *${COMMENT}`, "gms"), "");
  return shortened(types + text.slice(table));
}

/** Every event has the same envelope, and its data are described with it. */
function slimEvents(text) {
  const envelope = new RegExp(
    `^ +${COMMENT}(?= +(id|timestamp|parentId|ephemeral|agentId|type|data)\\??:)`,
    "gms",
  );
  const data = new RegExp(`^${COMMENT}(?=export interface \\w+Data )`, "gms");
  return shortened(text.replaceAll(envelope, "").replaceAll(data, ""));
}

/** The first sentence of a comment stands for all of it. */
function shortened(text) {
  return text.replaceAll(/^ +/gm, " ").replaceAll(/(\/\*\* .*?\.) [A-Z`].* \*\//g, "$1 */");
}
