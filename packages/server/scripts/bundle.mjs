// Bundles the server: one file for what every start needs, one each for what is loaded when first needed.
// The providers' official libraries are bundled too: one file loads five times faster than their many,
// in a third of the memory. Their licences go along.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version, dependencies, optionalDependencies } = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
);

rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  // A thread runs a file, which stays a file of its own.
  entryPoints: {
    rightseat: "src/entry.ts",
    "sql-worker": "src/tools/sql/sql-worker.js",
    "html-worker": "src/tools/web/html-worker.js",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  conditions: ["rightseat-source"],
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  // Libraries of the older kind use `require` and `__dirname`, which an ES module does not have.
  banner: {
    js: 'import { createRequire as requireOfBundle } from "node:module"; const require = requireOfBundle(import.meta.url);',
  },
  define: { RIGHTSEAT_VERSION: JSON.stringify(version), __dirname: "import.meta.dirname" },
  sourcemap: true,
  legalComments: "none",
  // Lines stay as they are, for those who read stack traces.
  minifySyntax: true,
  logLevel: "warning",
  metafile: true,
});
copyFileSync(fileURLToPath(import.meta.resolve("sql.js/dist/sql-wasm.wasm")), `${root}dist/sql-wasm.wasm`);
writeFileSync(`${root}dist/THIRD-PARTY-LICENSES.txt`, licences(Object.keys(metafile.inputs)));

/** The licence texts of all packages that are in the bundle. A package without one stops the build. */
function licences(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(match[1]);
  }
  return [...packages]
    .sort()
    .map((folder) => {
      const path = join(root, folder);
      const {
        name,
        version: bundled,
        license,
      } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
      if (!file || !existsSync(join(path, file))) {
        if (!license) throw new Error(`${name} is bundled and names no licence`);
        return `${name} ${bundled}\nLicence: ${license}\n`;
      }
      return `${name} ${bundled}\n${readFileSync(join(path, file), "utf8").trim()}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
