import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv2019, type ValidateFunction } from "ajv/dist/2019.js";

/** The published contract, asked by name. Each answer lists what is wrong, by path; empty when nothing is. */
export interface PublishedSchemas {
  /** An event of a session, as in `session.event`. */
  checkEvent(event: unknown): string[];
  /** The result of a method; undefined when the contract leaves that method out. */
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

/** Reads the schemas that the SDK's platform package carries. */
export function readPublishedSchemas(): PublishedSchemas {
  const folder = findSchemaFolder();
  const api = readSchema(join(folder, API));
  const events = readSchema(join(folder, EVENTS));
  const ajv = new Ajv2019({ strict: false, validateSchema: false, allErrors: true, formats: FORMATS });
  ajv.addSchema({ ...api, $schema: undefined, $id: API });
  // Only its definitions: with the union of all events at its root, that would be compiled first, at the cost of a second.
  ajv.addSchema({ definitions: events["definitions"], $id: EVENTS });
  const check = (reference: string, value: unknown): string[] => {
    const validate = ajv.getSchema(reference);
    if (validate === undefined) throw new Error(`the published schemas have no ${reference}`);
    return validate(value) ? [] : toIssues(validate, value);
  };
  const eventDefinitions = indexEvents(events);
  const toServer = indexMethods(api, ["server", "session"]);
  const toClient = indexMethods(api, ["clientSession", "clientGlobal"]);
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
      if (found === undefined) return undefined;
      return found.method.result === undefined ? [] : check(`${API}#/${found.path}/result`, result);
    },
    checkClientParams(method, params) {
      const found = toClient.get(method);
      if (found === undefined) return undefined;
      return found.method.params === undefined ? [] : check(`${API}#/${found.path}/params`, params);
    },
  };
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

/** Definition names by event type, so that an error names one event and not all of them. */
function indexEvents(events: JsonObject): Map<string, string> {
  const definitions = events["definitions"] as Record<
    string,
    { properties?: { type?: { const?: unknown } } }
  >;
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
