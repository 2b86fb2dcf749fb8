/** Bundles the program of the model-based test, with the SDK as it is or with one fault planted in it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Fault } from "./planted-faults.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));
/** Where what the bundle leaves out is found. */
const FOLDER = fileURLToPath(new URL("../../../../node_modules/.cache/client-model/", import.meta.url));

/** Resolves with the path of the program. */
export async function buildProgram(fault?: Fault): Promise<string> {
  const outfile = `${FOLDER}${fault ? fault.name.replace(/\W+/g, "-") : "program"}-${process.pid}.mjs`;
  await build({
    absWorkingDir: HERE,
    entryPoints: ["program.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    conditions: ["rightseat-source"],
    external: ["fast-check", "selfsigned", "@valibot/to-json-schema"],
    sourcemap: "inline",
    logLevel: "warning",
    plugins: fault ? [plant(fault)] : [],
  });
  return outfile;
}

function plant(fault: Fault): Plugin {
  const sources = plantedSources(fault);
  return {
    name: "plant",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = sources.get(path);
        return contents === undefined ? undefined : { contents, loader: "ts" };
      }),
  };
}

/** The files that a fault changes, by path. @throws Error for a change whose text is not in its file once. */
export function plantedSources({ changes }: Fault): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { file, from, to } of changes) {
    const path = SOURCES + file;
    const text = sources.get(path) ?? readFileSync(path, "utf8");
    const found = text.split(from).length - 1;
    if (found !== 1) throw new Error(`${file}: expected once, found ${found} times: ${from}`);
    sources.set(
      path,
      text.replace(from, () => to),
    );
  }
  return sources;
}
