/**
 * Schemas of tools' arguments as providers take them: an object with properties, and no alternatives at
 * the top, which OpenAI and Anthropic refuse. Clients have them from any library.
 */

type Schema = Record<string, unknown>;

/** At the top of a schema OpenAI refuses these. */
const ALTERNATIVES = ["anyOf", "oneOf", "allOf"] as const;
const REFUSED_AT_TOP = [...ALTERNATIVES, "enum", "not"];
const MAX_DEPTH = 32;

/** The same tools are offered with every call: each schema is mended once. */
const mended = new WeakMap<object, Schema>();

/** The schema itself where every provider takes it. */
export function toObjectSchema(parameters: unknown): Schema {
  if (!isSchema(parameters)) return { type: "object", properties: {} };
  let schema = mended.get(parameters);
  if (schema === undefined) {
    schema = withItems(isPlainObject(parameters) ? parameters : toPlainObject(parameters), 0) as Schema;
    mended.set(parameters, schema);
  }
  return schema;
}

function isPlainObject(schema: Schema): boolean {
  return (
    schema["type"] === "object" &&
    isSchema(schema["properties"]) &&
    (schema["required"] === undefined || Array.isArray(schema["required"])) &&
    !REFUSED_AT_TOP.some((keyword) => keyword in schema)
  );
}

/**
 * One object that takes what any of the alternatives takes: their properties together, of which those are
 * required that all of them require; of `allOf` those that one of them requires.
 */
function toPlainObject(schema: Schema): Schema {
  const plain: Schema = { ...schema, type: "object", properties: propertiesOf(schema) };
  let required = requiredOf(schema);
  for (const keyword of ALTERNATIVES) {
    const variants = variantsOf(schema, keyword);
    for (const variant of variants)
      plain["properties"] = { ...propertiesOf(variant), ...(plain["properties"] as Schema) };
    const lists = variants.map(requiredOf);
    const more =
      keyword === "allOf"
        ? lists.flat()
        : (lists[0] ?? []).filter((name) => lists.every((list) => list.includes(name)));
    required = [...new Set([...required, ...more])];
  }
  for (const keyword of [...REFUSED_AT_TOP, "required"]) delete plain[keyword];
  return required.length > 0 ? { ...plain, required } : plain;
}

function variantsOf(schema: Schema, keyword: string): Schema[] {
  const variants: unknown = schema[keyword];
  if (!Array.isArray(variants)) return [];
  return variants.flatMap((variant) => {
    const found = isSchema(variant) ? resolve(schema, variant) : undefined;
    if (!found) return [];
    // Alternatives within alternatives; definitions stand at the top.
    const { $defs = schema["$defs"], definitions = schema["definitions"] } = found;
    return ALTERNATIVES.some((inner) => inner in found)
      ? [toPlainObject({ ...found, $defs, definitions })]
      : [found];
  });
}

/** What a reference to a definition of the same schema stands for. */
function resolve(schema: Schema, variant: Schema): Schema | undefined {
  const reference: unknown = variant["$ref"];
  if (typeof reference !== "string") return variant;
  let found: unknown = schema;
  for (const key of reference.replace(/^#\/?/, "").split("/"))
    found = isSchema(found) ? found[key.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  return isSchema(found) && found["$ref"] === undefined ? found : undefined;
}

function propertiesOf(schema: Schema): Schema {
  return isSchema(schema["properties"]) ? schema["properties"] : {};
}

function requiredOf(schema: Schema): string[] {
  const required: unknown = schema["required"];
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}

/** Lists say what they hold, if only "anything": OpenAI and Gemini refuse them otherwise. */
function withItems(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return changed(value, depth) ? value.map((item) => withItems(item, depth + 1)) : value;
  const schema = value as Schema;
  const entries = Object.entries(schema).map(([key, item]) => [key, withItems(item, depth + 1)] as const);
  const isBare = schema["type"] === "array" && !("items" in schema) && !("prefixItems" in schema);
  if (!isBare && entries.every(([key, item]) => item === schema[key])) return schema;
  return { ...Object.fromEntries(entries), ...(isBare && { items: {} }) };
}

function changed(list: readonly unknown[], depth: number): boolean {
  return list.some((item) => withItems(item, depth + 1) !== item);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
