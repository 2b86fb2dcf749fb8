// The fields that parameters may have, read from their schemas: for telling clients which of theirs are not known.
import { parseRef } from "./schemas.mjs";

/**
 * A table of objects. Each is `[fields, values]`: `fields` gives for each name of a field the place of the object in it,
 * or of the objects of its list or map, and 0 where nothing is known of what is in it; `values` is the same for
 * names that are free. Place 0 stands for anything. A union has the fields of all its branches.
 */
class FieldTable {
  objects = [null];
  #places = new Map();
  #definitions;

  constructor(definitions) {
    this.#definitions = definitions;
  }

  /** The place of the object of a schema, or of the objects of its list. */
  placeOf(schema, file) {
    const parts = this.#partsOf(schema, file);
    if (parts === undefined || parts.length === 0) return 0;
    const key = parts.map((part) => this.#keyOf(part.schema)).join();
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.objects.length;
    this.#places.set(key, place);
    this.objects.push(undefined);
    this.objects[place] = this.#objectOf(parts);
    return place;
  }

  #keys = new Map();
  #keyOf(schema) {
    if (!this.#keys.has(schema)) this.#keys.set(schema, this.#keys.size);
    return this.#keys.get(schema);
  }

  #objectOf(parts) {
    const properties = new Map();
    const values = [];
    for (const { schema, file } of parts) {
      for (const [name, property] of Object.entries(schema.properties ?? {}))
        properties.set(name, [...(properties.get(name) ?? []), { schema: property, file }]);
      if (typeof schema.additionalProperties === "object")
        values.push({ schema: schema.additionalProperties, file });
    }
    const fields = {};
    for (const [name, schemas] of properties) fields[name] = this.#placeOfAll(schemas);
    return values.length > 0 ? [fields, this.#placeOfAll(values)] : [fields];
  }

  #placeOfAll(schemas) {
    const [first] = schemas;
    if (schemas.length === 1) return this.placeOf(first.schema, first.file);
    const parts = schemas.map(({ schema, file }) => this.#partsOf(schema, file));
    if (parts.includes(undefined)) return 0;
    const flat = [...new Map(parts.flat().map((part) => [part.schema, part])).values()];
    if (flat.length === 0) return 0;
    return this.placeOf({ anyOf: flat.map(({ schema }) => schema) }, first.file);
  }

  /** The objects that a value may be, or hold in a list; undefined where it may be any. */
  #partsOf(given, givenFile) {
    const { schema, file } = this.#resolve(given, givenFile);
    if (schema === true || schema === undefined || typeof schema !== "object") return undefined;
    if (schema["x-opaque-in-process"] || schema.not) return undefined;
    const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (branches) {
      const all = branches.map((branch) => this.#partsOf(branch, file));
      if (all.includes(undefined)) return undefined;
      const own = schema.properties ? [{ schema: { properties: schema.properties }, file }] : [];
      return [...own, ...all.flat()];
    }
    if (schema.items) return this.#partsOf(schema.items, file);
    const isObject = schema.properties !== undefined || typeof schema.additionalProperties === "object";
    if (isObject) return schema.additionalProperties === true ? undefined : [{ schema, file }];
    const types = [schema.type].flat();
    const isScalar = schema.enum !== undefined || schema.const !== undefined || schema.type !== undefined;
    // An empty object is one whose fields nobody has written down, but where it says that there are none.
    if (types.includes("object"))
      return schema.additionalProperties === false ? [{ schema, file }] : undefined;
    return isScalar && !types.includes("array") ? [] : undefined;
  }

  #resolve(schema, file) {
    let current = { schema, file };
    while (current.schema?.$ref) {
      const target = parseRef(current.schema.$ref);
      const targetFile = target.schema ?? current.file;
      current = { schema: this.#definitions[targetFile][target.name], file: targetFile };
    }
    return current;
  }
}

/** The text of two constants: the table, and the place in it of each method's parameters. */
export function renderKnownFields(definitions, methods) {
  const table = new FieldTable(definitions);
  const places = {};
  for (const { name, params, file } of methods) {
    const place = table.placeOf(params, file);
    if (place > 0) places[name] = place;
  }
  return `export const knownFields = ${JSON.stringify({ places, objects: table.objects })};\n`;
}
