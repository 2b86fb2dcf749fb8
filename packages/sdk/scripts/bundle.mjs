// Makes dist/: one file for what every program needs, one each for what is loaded when first needed, and the
// types. The parts of the protocol package that are used go into the bundle, and its types go along, so that
// the package stands for itself.
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const protocol = fileURLToPath(new URL("../../protocol/dist", import.meta.url));

/** A comment on a declaration, as a pattern. */
const COMMENT = String.raw`/\*\*(?:(?!\*/).)*\*/\n`;

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { index: "src/index.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  conditions: ["rightseat-source"],
  chunkNames: "[name]-[hash]",
  legalComments: "none",
  logLevel: "warning",
});
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
cpSync(protocol, join(dist, "protocol"), {
  recursive: true,
  filter: (source) => !/\.(js|map)$/.test(source),
});
cpSync(join(root, "../../LICENSE"), join(dist, "LICENSE"));
for (const path of declarations(dist)) writeFileSync(path, publishable(path));

function declarations(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

/** Imports of the protocol package lead to the copy of its types. */
function publishable(path) {
  const here = relative(dirname(path), join(dist, "protocol")) || ".";
  const text = readFileSync(path, "utf8")
    .replaceAll(/(["'])@rightseat\/protocol\/types\1/g, `"./${here}/generated/index.js"`)
    .replaceAll(/(["'])@rightseat\/protocol\1/g, `"./${here}/index.js"`)
    .replaceAll(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"');
  if (path.endsWith(join("generated", "api.d.ts"))) return slimApi(text);
  return path.endsWith(join("generated", "events.d.ts")) ? slimEvents(text) : text;
}

/** Parameters and results are many: what a method is for is kept, what each field is for the contract says. */
function slimApi(text) {
  const table = text.indexOf("export interface PublishedMethods");
  const types = text.slice(0, table).replaceAll(new RegExp(`^ *${COMMENT}`, "gms"), "");
  return types.replaceAll(/^ +/gm, " ") + text.slice(table);
}

/** Every event has the same envelope: it need not be described with each of them. */
function slimEvents(text) {
  const envelope = new RegExp(
    `^ +${COMMENT}(?= +(id|timestamp|parentId|ephemeral|agentId|type)\\??:)`,
    "gms",
  );
  return text.replaceAll(envelope, "").replaceAll(/^ +/gm, " ");
}
