// npm run conformance: drives the built server with the official SDKs of other languages; see README.md.
// The sources are TypeScript, which the oldest Node that we support does not run: they are bundled first.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const outfile = new URL("../node_modules/.cache/rightseat-conformance/run.mjs", import.meta.url);
await build({
  entryPoints: [fileURLToPath(new URL("src/other-sdks/main.ts", import.meta.url))],
  outfile: fileURLToPath(outfile),
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["ajv"],
  // The sources find their neighbours by their own address, which is not the bundle's.
  define: { "import.meta.url": JSON.stringify(new URL("src/bundled.ts", import.meta.url).href) },
  logLevel: "warning",
});
const { main } = await import(outfile.href);
process.exitCode = await main(process.argv.slice(2), fileURLToPath(new URL(".", import.meta.url)));
