// Makes dist/: for ES modules one file for what every program needs, and one each for what is loaded when
// first needed; for CommonJS one file; and the types, once. The parts of the protocol package that are used
// go into the bundles, and its types go along, so that the package stands for itself.
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { publishTypes } from "./publish-types.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const commonJs = join(dist, "cjs");

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20.19",
  conditions: ["rightseat-source"],
  // The application's own, if it has it.
  external: ["@valibot/to-json-schema"],
  legalComments: "none",
  logLevel: "warning",
};

rmSync(dist, { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: { index: "src/index.ts" },
  outdir: "dist",
  splitting: true,
  format: "esm",
  chunkNames: "[name]-[hash]",
  minifyWhitespace: true,
  minifySyntax: true,
});
await build({
  ...shared,
  entryPoints: ["src/index.ts"],
  outfile: "dist/cjs/index.js",
  format: "cjs",
  minify: true,
  keepNames: true,
});
writeFileSync(join(commonJs, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);

// Types that belong to CommonJS can be named from everywhere; those of ES modules, only from there.
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
cpSync(fileURLToPath(new URL("../../protocol/dist", import.meta.url)), join(commonJs, "protocol"), {
  recursive: true,
  filter: (source) => !/\.(js|map)$/.test(source),
});
publishTypes(commonJs, readdirSync(commonJs, { recursive: true }));
writeFileSync(join(dist, "index.d.ts"), 'export * from "./cjs/index.js";\n');
