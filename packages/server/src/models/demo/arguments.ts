import type { ModelTool } from "../model-provider.ts";
import { type Findings, findListed, findNumber, findString, isSaid } from "./findings.ts";

type Schema = Readonly<Record<string, unknown>>;
type Properties = Readonly<Record<string, Schema>>;

/** Schemas may refer to themselves. */
const MAX_DEPTH = 4;

/**
 * Fills a tool's arguments from a text, by its JSON Schema: required ones always, others when the text
 * speaks of them. A listing ("Paris, Rome and London") for the first text parameter gives one set of
 * arguments an entry, so that the tool is called for each.
 */
export function fillArguments(tool: ModelTool, text: string): Record<string, unknown>[] {
  const schema = tool.parameters;
  const [first] = toOrderedProperties(schema);
  const listed = first !== undefined && isPlainString(first[1]) ? findListed(text) : [];
  if (listed.length > 1 && first !== undefined) {
    return listed.map((entry) => ({
      ...fillObject(schema, schema, { text, used: new Set(listed), toolName: tool.name }, 0),
      [first[0]]: entry,
    }));
  }
  return [fillObject(schema, schema, { text, used: new Set(), toolName: tool.name }, 0)];
}

function isPlainString(schema: Schema): boolean {
  return schema["type"] === "string" && schema["enum"] === undefined && schema["format"] === undefined;
}

/** Required properties first: they have the first pick of what the text offers. */
function toOrderedProperties(schema: Schema): [string, Schema, boolean][] {
  const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as string[]) : []);
  const all = Object.entries((schema["properties"] ?? {}) as Properties).map(
    ([name, property]): [string, Schema, boolean] => [name, property, required.has(name)],
  );
  return [...all.filter(([, , isRequired]) => isRequired), ...all.filter(([, , isRequired]) => !isRequired)];
}

function fillObject(
  schema: Schema,
  root: Schema,
  findings: Findings,
  depth: number,
): Record<string, unknown> {
  const filled: Record<string, unknown> = {};
  for (const [name, property, isRequired] of toOrderedProperties(schema)) {
    const value = fillValue(name, resolve(property, root), root, findings, isRequired, depth);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}

/** A plain schema of a reference, a union or a nullable type. */
function resolve(schema: Schema, root: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference === "string" && reference.startsWith("#/")) {
    const target = reference
      .slice(2)
      .split("/")
      .reduce<unknown>((at, key) => (at as Schema | undefined)?.[key], root);
    return (target ?? {}) as Schema;
  }
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const options = schema[key] as readonly Schema[] | undefined;
    const option = options?.find((candidate) => candidate["type"] !== "null");
    if (option !== undefined) return { ...schema, ...resolve(option, root), [key]: undefined };
  }
  if (Array.isArray(schema["type"]))
    return { ...schema, type: (schema["type"] as string[]).find((type) => type !== "null") };
  return schema;
}

function fillValue(
  name: string,
  schema: Schema,
  root: Schema,
  findings: Findings,
  isRequired: boolean,
  depth: number,
): unknown {
  if (schema["const"] !== undefined) return schema["const"];
  if (Array.isArray(schema["enum"])) return fillEnum(schema["enum"], schema, findings, isRequired);
  switch (schema["type"] ?? (schema["properties"] === undefined ? "string" : "object")) {
    case "string":
      return findString(name, findings, isRequired, schema["format"]) ?? fallback(schema, isRequired, "");
    case "integer":
    case "number":
      return fillNumber(name, schema, findings, isRequired);
    case "boolean":
      return fillBoolean(name, schema, findings, isRequired);
    case "array":
      return fillArray(name, schema, root, findings, isRequired, depth);
    case "object":
      return fillNested(schema, root, findings, isRequired, depth);
    default:
      return fallback(schema, isRequired, null);
  }
}

function fallback(schema: Schema, isRequired: boolean, value: unknown): unknown {
  return isRequired ? (schema["default"] ?? value) : undefined;
}

function fillEnum(
  values: readonly unknown[],
  schema: Schema,
  { text }: Findings,
  isRequired: boolean,
): unknown {
  return values.find((value) => isSaid(String(value), text)) ?? fallback(schema, isRequired, values[0]);
}

function fillNumber(name: string, schema: Schema, findings: Findings, isRequired: boolean): unknown {
  const found = findNumber(name, findings, isRequired);
  if (found === undefined) return fallback(schema, isRequired, schema["minimum"] ?? 1);
  const bounded = Math.min(
    Math.max(found, toNumber(schema["minimum"], found)),
    toNumber(schema["maximum"], found),
  );
  return schema["type"] === "integer" ? Math.round(bounded) : bounded;
}

function toNumber(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function fillBoolean(name: string, schema: Schema, { text }: Findings, isRequired: boolean): unknown {
  const spoken = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ");
  if (
    new RegExp(
      String.raw`\b(?:no|not|without|don't|disable|skip)\s+(?:\w+\s+)?${spoken}\b|\b${spoken}\s*[:=]?\s*(?:is\s+)?(?:false|off|no)\b`,
      "i",
    ).test(text)
  )
    return false;
  return isSaid(spoken, text) || isSaid(name, text) ? true : fallback(schema, isRequired, false);
}

function fillArray(
  name: string,
  schema: Schema,
  root: Schema,
  findings: Findings,
  isRequired: boolean,
  depth: number,
): unknown {
  const items = resolve((schema["items"] ?? { type: "string" }) as Schema, root);
  if (items["type"] === "number" || items["type"] === "integer") {
    const numbers = (findings.text.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
    return numbers.length > 0 ? numbers : fallback(schema, isRequired, []);
  }
  if (items["type"] === "string" && items["enum"] === undefined) {
    const listed = findListed(findings.text).filter((entry) => !findings.used.has(entry));
    if (listed.length > 0) return listed;
  }
  if (depth >= MAX_DEPTH) return fallback(schema, isRequired, []);
  const one = fillValue(name, items, root, findings, isRequired, depth + 1);
  return one === undefined ? undefined : [one];
}

function fillNested(
  schema: Schema,
  root: Schema,
  findings: Findings,
  isRequired: boolean,
  depth: number,
): unknown {
  if (depth >= MAX_DEPTH) return fallback(schema, isRequired, {});
  // What an optional object would only guess at is left out, and stays free for others.
  const filled = fillObject(isRequired ? schema : { ...schema, required: [] }, root, findings, depth + 1);
  return isRequired || Object.keys(filled).length > 0 ? filled : undefined;
}
