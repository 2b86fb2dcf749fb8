import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2019, type ValidateFunction } from "ajv/dist/2019.js";

/** The published contract, asked by name. Each answer lists what is wrong, by path; empty when nothing is. */
export interface PublishedSchemas {
  /** An event of a session, as in `session.event`. */
  checkEvent(event: unknown): string[];
  /** The result of a method; undefined when neither the contract nor what is newer than it has that method. */
  checkResult(method: string, result: unknown): string[] | undefined;
  /** The parameters of a method that clients implement; undefined when the contract has no such method. */
  checkClientParams(method: string, params: unknown): string[] | undefined;
}

interface PublishedMethod {
  readonly rpcMethod: string;
  readonly result?: unknown;
  readonly params?: unknown;
}

const MAX_ISSUES = 6;
const API = "api.schema.json";
const EVENTS = "session-events.schema.json";
const RUNTIME = "runtime-methods.schema.json";
/** Where the project describes what SDKs know and the published schemas do not have. */
const OWN_SCHEMAS = fileURLToPath(new URL("../../packages/protocol/schema/", import.meta.url));

/**
 * Fields that the server adds to results which the contract closes. Every SDK passes by fields that it does not know;
 * what is added is listed here by name, so that nothing else gets in.
 */
const ADDED_TO_RESULTS: Readonly<Record<string, readonly string[]>> = {
  connect: ["maxMessageBytes"],
  "session.commands.enqueue": ["queueId"],
};

/** Reads the schemas that the SDK's platform package carries, and what is newer than they are. */
export function readPublishedSchemas(): PublishedSchemas {
  const folder = findSchemaFolder();
  const api = readSchema(join(folder, API));
  const events = withNewerEvents(
    readSchema(join(folder, EVENTS)),
    readSchema(join(OWN_SCHEMAS, "newer-events.json")) as unknown as NewerEvents,
  );
  const runtime = readSchema(join(OWN_SCHEMAS, RUNTIME));
  const ajv = new Ajv2019({ strict: false, validateSchema: false, allErrors: true, formats: FORMATS });
  ajv.addSchema({ ...api, $schema: undefined, $id: API });
  // Only its definitions: with the union of all events at its root, that would be compiled first, at the cost of a second.
  ajv.addSchema({ definitions: events["definitions"], $id: EVENTS });
  ajv.addSchema({ ...runtime, $schema: undefined, $id: RUNTIME });
  const check = (reference: string, value: unknown): string[] => {
    const validate = ajv.getSchema(reference);
    if (validate === undefined) throw new Error(`the published schemas have no ${reference}`);
    return validate(value) ? [] : toIssues(validate, value);
  };
  const eventDefinitions = indexEvents(events);
  const toServer = indexMethods(api, ["server", "session"]);
  const toClient = indexMethods(api, ["clientSession", "clientGlobal"]);
  const newerMethods = methodsToServer(runtime);
  return {
    checkEvent(event) {
      const type = (event as { type?: unknown } | null)?.type;
      const definition = eventDefinitions.get(String(type));
      return definition === undefined
        ? [`type: no published event is called ${JSON.stringify(type)}`]
        : check(`${EVENTS}#/definitions/${definition}`, event);
    },
    checkResult(method, result) {
      const found = toServer.get(method);
      if (found === undefined) return newerMethods.has(method) ? check(resultOf(method), result) : undefined;
      if (found.method.result === undefined) return [];
      return check(`${API}#/${found.path}/result`, withoutAdded(method, result));
    },
    checkClientParams(method, params) {
      const found = toClient.get(method);
      if (found === undefined) return undefined;
      return found.method.params === undefined ? [] : check(`${API}#/${found.path}/params`, params);
    },
  };
}

function withoutAdded(method: string, result: unknown): unknown {
  const added = ADDED_TO_RESULTS[method];
  if (!added || typeof result !== "object" || result === null) return result;
  return Object.fromEntries(Object.entries(result).filter(([name]) => !added.includes(name)));
}

/** The schemas are the same on every platform; a machine has the package of its own. */
function findSchemaFolder(): string {
  const require = createRequire(import.meta.url);
  for (const modules of require.resolve.paths("@github/copilot-sdk") ?? []) {
    const scope = join(modules, "@github");
    for (const name of listFolder(scope).filter((entry) =>
      /^copilot-sdk-(linux|linuxmusl|darwin|win32)-/.test(entry),
    )) {
      const folder = join(scope, name, "schemas");
      if (listFolder(folder).includes(API)) return folder;
    }
  }
  throw new Error(
    "expected a package @github/copilot-sdk-<platform>-<arch> with the published schemas; install with optional packages",
  );
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function readSchema(path: string): JsonObject {
  return JSON.parse(readFileSync(path, "utf8")) as JsonObject;
}

interface EventDefinition {
  readonly properties?: JsonObject & { readonly type?: { readonly const?: unknown } };
}

interface NewerEvents {
  readonly properties: Readonly<Record<string, JsonObject>>;
  readonly events: Readonly<
    Record<string, { readonly title: string; readonly like: string; readonly data: JsonObject }>
  >;
}

/** The published events with the properties and events that came after them; what has been published counts. */
function withNewerEvents(events: JsonObject, newer: NewerEvents): JsonObject {
  const published = events["definitions"] as Readonly<Record<string, EventDefinition>>;
  const known = indexEvents(events);
  const added = Object.entries(newer.events).filter(([type]) => !known.has(type));
  const definitions: Record<string, unknown> = { ...published };
  for (const [name, properties] of Object.entries(newer.properties))
    definitions[name] = {
      ...published[name],
      properties: { ...properties, ...published[name]?.properties },
    };
  for (const [type, { title, like, data }] of added)
    definitions[`${title}Event`] = {
      ...published[like],
      properties: { ...published[like]?.properties, type: { const: type }, data },
    };
  const { anyOf } = published["SessionEvent"] as { readonly anyOf: readonly object[] };
  const union = added.map(([, { title }]) => ({ $ref: `#/definitions/${title}Event` }));
  definitions["SessionEvent"] = { ...published["SessionEvent"], anyOf: [...anyOf, ...union] };
  return { ...events, definitions };
}

/** The methods with a result that clients call and the published schemas leave out. */
function methodsToServer(runtime: JsonObject): Set<string> {
  const methods = runtime["methods"] as Readonly<Record<string, { direction: string; result?: unknown }>>;
  return new Set(
    Object.keys(methods).filter(
      (name) => methods[name]?.direction === "to-server" && methods[name]?.result !== undefined,
    ),
  );
}

const resultOf = (method: string): string => `${RUNTIME}#/methods/${method}/result`;

/** Definition names by event type, so that an error names one event and not all of them. */
function indexEvents(events: JsonObject): Map<string, string> {
  const definitions = events["definitions"] as Record<string, EventDefinition>;
  const union = (definitions["SessionEvent"] as unknown as { anyOf: { $ref: string }[] }).anyOf;
  const names = union.map(({ $ref }) => $ref.slice("#/definitions/".length));
  return new Map(names.map((name) => [String(definitions[name]?.properties?.type?.const), name]));
}

/** Methods by their name on the wire, with the path of each in the schema. */
function indexMethods(
  api: JsonObject,
  groups: readonly string[],
): Map<string, { path: string; method: PublishedMethod }> {
  const found = new Map<string, { path: string; method: PublishedMethod }>();
  const visit = (node: unknown, path: string): void => {
    if (node === null || typeof node !== "object") return;
    if (typeof (node as PublishedMethod).rpcMethod === "string") {
      const method = node as PublishedMethod;
      found.set(method.rpcMethod, { path, method });
      return;
    }
    for (const [name, child] of Object.entries(node)) visit(child, `${path}/${name}`);
  };
  for (const group of groups) visit(api[group], group);
  return found;
}

function toIssues(validate: ValidateFunction, value: unknown): string[] {
  const issues = (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const extra =
      "additionalProperty" in params
        ? ` (${String(params["additionalProperty"])})`
        : "allowedValues" in params
          ? ` (${JSON.stringify(params["allowedValues"])})`
          : "";
    return `${instancePath || "/"}: ${message}${extra}, got ${show(readAt(value, instancePath))}`;
  });
  return [...new Set(issues)].slice(0, MAX_ISSUES);
}

function readAt(value: unknown, pointer: string): unknown {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

const FORMATS = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
  uri: (text: string) => URL.canParse(text),
  duration: /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(?:\.\d+)?S)?)?$/,
} as const;
