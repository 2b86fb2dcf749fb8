// Finds and reads the published schemas, and our own for the methods they leave out.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

const METHOD_GROUPS = ["server", "session", "clientSession", "clientGlobal"];

/** The folder of the platform package that holds the published schemas. Throws when none is installed. */
export function findPublishedSchemaFolder() {
  const require = createRequire(join(packageRoot, "package.json"));
  const searchPaths = require.resolve.paths("@github/copilot-sdk") ?? [];
  const tried = [];
  for (const modules of searchPaths) {
    const scope = join(modules, "@github");
    if (!existsSync(scope)) continue;
    const platformPackages = readdirSync(scope)
      .filter((name) => /^copilot-sdk-(linux|linuxmusl|darwin|win32)-/.test(name))
      .sort((a, b) => Number(b.includes(process.platform)) - Number(a.includes(process.platform)));
    for (const name of platformPackages) {
      const folder = join(scope, name, "schemas");
      if (existsSync(join(folder, "api.schema.json"))) return folder;
      tried.push(`@github/${name}`);
    }
  }
  const found = tried.length > 0 ? `${tried.join(", ")} has no schemas/api.schema.json` : "none is installed";
  throw new Error(
    `expected a package @github/copilot-sdk-<platform>-<arch> with the wire schemas in it; ${found} ` +
      `(this is ${process.platform} on ${process.arch}). Run "npm ci" with development and optional packages. ` +
      "The schemas are the same on every platform, so where yours has no package, this does as well: " +
      '"npm install --no-save --force @github/copilot-sdk-linux-x64@<version of @github/copilot-sdk>".',
  );
}

/** The files whose contents decide what is generated. */
export function inputFiles() {
  const published = findPublishedSchemaFolder();
  const scripts = join(packageRoot, "scripts");
  return {
    api: join(published, "api.schema.json"),
    events: join(published, "session-events.schema.json"),
    runtime: join(packageRoot, "schema", "runtime-methods.schema.json"),
    implemented: join(packageRoot, "schema", "implemented-methods.json"),
    newerEvents: join(packageRoot, "schema", "newer-events.json"),
    newerApi: join(packageRoot, "schema", "newer-api.json"),
    scripts: [
      join(scripts, "generate.mjs"),
      ...readdirSync(join(scripts, "generate")).map((name) => join(scripts, "generate", name)),
    ],
  };
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/**
 * Every published method as `{name, group, params, result}`. Parameters are always an object schema
 * (or a reference to one), and the `session` group always requires `sessionId`.
 */
export function listPublishedMethods(api) {
  const methods = [];
  const visit = (node, group) => {
    for (const value of Object.values(node)) {
      if (value === null || typeof value !== "object") continue;
      if (typeof value.rpcMethod === "string") {
        methods.push({
          name: value.rpcMethod,
          group,
          description: value.description,
          params: toParamsSchema(value.params, group),
          result: value.result ?? { type: "null" },
        });
      } else visit(value, group);
    }
  };
  for (const group of METHOD_GROUPS) visit(api[group], group);
  return methods;
}

function toParamsSchema(schema, group) {
  let params = schema;
  if (params?.anyOf) params = params.anyOf.find((branch) => !branch.not) ?? params;
  if (!params || params.type === "null") params = { type: "object", properties: {} };
  if (group !== "session" || params.$ref) return params;
  const properties = { sessionId: { type: "string" }, ...params.properties };
  const required = [...new Set(["sessionId", ...(params.required ?? [])])];
  return { ...params, properties, required };
}

/** Our own methods: `{name, direction, params?, result?}` from the `methods` table of the runtime schema. */
export function listRuntimeMethods(runtime) {
  return Object.entries(runtime.methods).map(([name, method]) => ({ name, ...method }));
}

/** Where a `$ref` leads: `{schema: "events" | "api" | "runtime" | undefined, name}`; undefined is the same file. */
export function parseRef(ref) {
  const [file, pointer] = ref.split("#");
  const name = pointer.replace("/definitions/", "");
  if (file === "") return { schema: undefined, name };
  if (file === "session-events.schema.json") return { schema: "events", name };
  if (file === "api.schema.json") return { schema: "api", name };
  throw new Error(`unknown schema file in $ref "${ref}"`);
}

/** Makes properties optional that clients leave out although the published schema requires them. */
export function relaxDefinitions(api, optionalProperties) {
  for (const [name, properties] of Object.entries(optionalProperties)) {
    const definition = api.definitions[name];
    if (!definition)
      throw new Error(`implemented-methods.json: no definition "${name}" in the published schema`);
    definition.required = definition.required.filter((property) => !properties.includes(property));
  }
}

/** Adds to the published definitions what is newer than they are. What the published schema has come to have stays. */
export function addNewerDefinitions({ definitions }, newer) {
  for (const [name, definition] of Object.entries(newer.definitions))
    definitions[name] ??= { ...definition, title: name };
  for (const [name, branches] of Object.entries(newer.unions)) {
    const union = definitions[name]?.anyOf;
    if (!union) throw new Error(`newer-api.json: no union "${name}" in the published schema`);
    const known = new Set(union.map(({ $ref }) => parseRef($ref).name));
    for (const branch of branches) if (!known.has(branch)) union.push({ $ref: `#/definitions/${branch}` });
  }
}

/** Adds to the published events what is newer than they are. An event without a schema is made like a published one. */
export function addNewerEvents(events, newer) {
  const { definitions } = events;
  for (const [name, properties] of Object.entries(newer.properties)) {
    if (!definitions[name])
      throw new Error(`newer-events.json: no definition "${name}" in the published schema`);
    // A property that the published schema has come to have is described there.
    definitions[name].properties = { ...properties, ...definitions[name].properties };
  }
  const published = new Set(
    definitions.SessionEvent.anyOf.map(({ $ref }) => definitions[parseRef($ref).name].properties.type.const),
  );
  for (const [type, { title, like, data }] of Object.entries(newer.events)) {
    if (published.has(type)) continue;
    const { properties, ...event } = definitions[like];
    definitions[`${title}Data`] = { ...data, title: `${title}Data` };
    definitions[`${title}Event`] = {
      ...event,
      title: `${title}Event`,
      description: `Session event "${type}". ${data.description}`,
      properties: {
        ...properties,
        type: { type: "string", const: type, description: `Type discriminator. Always "${type}".` },
        data: { $ref: `#/definitions/${title}Data` },
      },
    };
    definitions.SessionEvent.anyOf.push({ $ref: `#/definitions/${title}Event` });
  }
}
