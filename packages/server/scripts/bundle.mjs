// Bundles the server: one file for what every start needs, one each for what is loaded when first needed.
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version, dependencies, optionalDependencies } = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
);

rmSync(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { rightseat: "src/entry.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  conditions: ["rightseat-source"],
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  define: { RIGHTSEAT_VERSION: JSON.stringify(version) },
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
});
