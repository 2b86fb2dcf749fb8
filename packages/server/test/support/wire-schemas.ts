/** The wire's schemas, read for tests: which fields there are, and values that they take. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPublishedSchemaFolder, parseRef } from "../../../protocol/scripts/generate/schemas.mjs";

// biome-ignore lint/suspicious/noExplicitAny: JSON Schema, of which each function looks at some keywords
type Schema = any;
type File = "api" | "events" | "runtime";

const read = (path: string): Schema => JSON.parse(readFileSync(path, "utf8"));
const published = findPublishedSchemaFolder();
const FILES: Record<File, Schema> = {
  api: read(join(published, "api.schema.json")),
  events: read(join(published, "session-events.schema.json")),
  runtime: read(
    fileURLToPath(new URL("../../../protocol/schema/runtime-methods.schema.json", import.meta.url)),
  ),
};

export interface Inner {
  readonly kind: "object" | "list" | "map";
  readonly schema: Located;
}

/** A schema, and the file that its references start from. */
export class Located {
  readonly schema: Schema;
  readonly file: File;

  constructor(schema: Schema, file: File) {
    let at = { schema, file };
    while (at.schema?.$ref) {
      const { schema: other, name } = parseRef(at.schema.$ref);
      const next = (other ?? at.file) as File;
      at = { schema: FILES[next].definitions[name], file: next };
    }
    this.schema = at.schema;
    this.file = at.file;
  }

  in(schema: Schema): Located {
    return new Located(schema, this.file);
  }

  /** The objects in it that have fields of their own. */
  objects(): Inner | undefined {
    if (hasFields(this)) return { kind: "object", schema: this };
    for (const branch of branchesOf(this)) {
      const { items, additionalProperties } = branch.schema;
      if (items && hasFields(branch.in(items))) return { kind: "list", schema: branch.in(items) };
      if (additionalProperties && hasFields(branch.in(additionalProperties)))
        return { kind: "map", schema: branch.in(additionalProperties) };
    }
    return undefined;
  }

  /** Values that it lists. */
  values(): unknown[] {
    return branchesOf(this).flatMap(
      ({ schema }) => schema.enum ?? (schema.const === undefined ? [] : [schema.const]),
    );
  }
}

/** The parameters of a method that clients call. */
export function paramsSchemaOf(method: string): Located {
  const own = FILES.runtime.methods[method];
  if (own) return new Located(own.params, "runtime");
  const found = find(FILES.api.server, method) ?? find(FILES.api.session, method);
  if (!found) throw new Error(`no schema has the method ${method}`);
  return new Located(found.params, "api");
}

function find(node: Schema, method: string): Schema {
  if (node === null || typeof node !== "object") return undefined;
  if (node.rpcMethod === method) return node;
  for (const value of Object.values(node)) {
    const found = find(value, method);
    if (found) return found;
  }
  return undefined;
}

/** The schema itself, or the branches of a union, those of unions in it too. */
export function branchesOf(located: Located): Located[] {
  const { anyOf, oneOf } = located.schema ?? {};
  const branches = anyOf ?? oneOf;
  if (!branches) return located.schema ? [located] : [];
  return branches.flatMap((branch: Schema) => branchesOf(located.in(branch)));
}

function hasFields(located: Located): boolean {
  return branchesOf(located).some(({ schema }) => schema.properties || schema.allOf);
}

export interface ObjectFields {
  /** Fields of one value, which say which of a union's objects it is. */
  readonly tags: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, Located>>;
}

/** The fields of an object; those of each branch where it is one of several. */
export function propertiesOf(located: Located): ObjectFields[] {
  return branchesOf(located)
    .map((branch) => {
      const properties: Record<string, Located> = {};
      for (const part of [branch, ...(branch.schema.allOf ?? []).map((one: Schema) => branch.in(one))])
        for (const [name, property] of Object.entries(part.schema.properties ?? {}))
          properties[name] = part.in(property);
      const fixed = Object.entries(properties).filter(([, { schema }]) => schema?.const !== undefined);
      return {
        tags: Object.fromEntries(fixed.map(([name, { schema }]) => [name, schema.const])),
        properties,
      };
    })
    .filter(({ properties }) => Object.keys(properties).length > 0);
}

/** A value of the schema, with what it requires and little else. */
export function sampleOf(located: Located): unknown {
  const [branch] = branchesOf(located).filter(({ schema }) => schema.type !== "null");
  if (!branch) return "x";
  const { schema } = branch;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum.at(-1);
  switch ([schema.type].flat()[0]) {
    case "boolean":
      return true;
    case "integer":
    case "number":
      return 1;
    case "array":
      return [sampleOf(branch.in(schema.items ?? {}))];
    case "object":
      return sampleObject(branch);
    default:
      return "x";
  }
}

function sampleObject(located: Located): unknown {
  const { schema } = located;
  const properties: Readonly<Record<string, Located>> = propertiesOf(located)[0]?.properties ?? {};
  const names: string[] = schema.required?.length ? schema.required : Object.keys(properties).slice(0, 1);
  if (names.length === 0) return { any: sampleOf(located.in(schema.additionalProperties || {})) };
  return Object.fromEntries(names.map((name) => [name, sampleOf(properties[name] as Located)]));
}
