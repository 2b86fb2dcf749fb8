// Writes src/generated/ from the published wire schemas, from schema/, and from what the newest SDK knows beyond. Does nothing when the inputs are
// those of the last run. `--force` generates anyway.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newestSdkFiles, renderNewest } from "./generate/newest.mjs";
import {
  addNewerDefinitions,
  addNewerEvents,
  inputFiles,
  listPublishedMethods,
  listRuntimeMethods,
  packageRoot,
  readJson,
  relaxDefinitions,
} from "./generate/schemas.mjs";
import {
  renderApi,
  renderEvents,
  renderIndex,
  renderMethodNames,
  renderRuntimeMethods,
} from "./generate/types.mjs";
import { renderValidators } from "./generate/validators.mjs";

const OUTPUT = join(packageRoot, "src", "generated");
const STAMP = join(OUTPUT, "inputs.json");

function hashInputs(inputs) {
  const hash = createHash("sha256");
  const { api, events, runtime, implemented, newerEvents, newerApi, newest, scripts } = inputs;
  const schemas = [api, events, runtime, implemented, newerEvents, newerApi];
  for (const path of [...schemas, ...Object.values(newest), ...scripts]) {
    hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

function isUpToDate(inputsHash) {
  if (process.argv.includes("--force") || !existsSync(STAMP)) return false;
  const stamp = readJson(STAMP);
  return stamp.inputs === inputsHash && stamp.files.every((name) => existsSync(join(OUTPUT, name)));
}

function generate(inputs) {
  const api = readJson(inputs.api);
  const events = readJson(inputs.events);
  const runtime = readJson(inputs.runtime);
  const implemented = readJson(inputs.implemented);
  addNewerEvents(events, readJson(inputs.newerEvents));
  addNewerDefinitions(api, readJson(inputs.newerApi));
  relaxDefinitions(api, implemented.optionalProperties);
  const methods = listPublishedMethods(api);
  const runtimeMethods = listRuntimeMethods(runtime);
  const runtimeRoot = { schema: runtime, file: "runtime", definitions: runtime.definitions };
  const files = {
    "events.ts": renderEvents(events),
    "api.ts": renderApi({ api, events, methods, extraRoots: [runtimeRoot] }),
    "runtime-methods.ts": renderRuntimeMethods({ runtime, methods: runtimeMethods, api, events }),
    "method-names.ts": renderMethodNames(methods),
    "index.ts": renderIndex(),
    ...renderValidators({
      definitions: { api: api.definitions, events: events.definitions, runtime: runtime.definitions },
      methods,
      runtimeMethods,
      implemented: implemented.methods,
    }),
  };
  files["newest.ts"] = renderNewest(inputs.newest, {
    methods: new Set(methods.map(({ name }) => name)),
    declarations: Object.fromEntries(
      ["api.ts", "events.ts", "runtime-methods.ts"].map((name) => [name, files[name]]),
    ),
  });
  return { files, methodCount: methods.length + runtimeMethods.length };
}

const startedAt = performance.now();
const inputs = { ...inputFiles(), newest: newestSdkFiles() };
const inputsHash = hashInputs(inputs);
if (isUpToDate(inputsHash)) {
  console.log("protocol: generated types and validators are up to date");
} else {
  const { files, methodCount } = generate(inputs);
  mkdirSync(OUTPUT, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(OUTPUT, name), text);
  for (const name of readdirSync(OUTPUT))
    if (!(name in files)) rmSync(join(OUTPUT, name), { recursive: true });
  writeFileSync(STAMP, `${JSON.stringify({ inputs: inputsHash, files: Object.keys(files) })}\n`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`protocol: generated types of ${methodCount} methods, and validators, in ${seconds} s`);
}
