/** Zod 3's schemas as JSON Schema: the kinds that tools' arguments are made of. Needs no Zod. */

// biome-ignore lint/suspicious/noExplicitAny: the inner definitions of Zod 3 have no public type
type Definition = Record<string, any>;
type Json = Record<string, unknown>;

/** @throws Error that names the kind of schema, and where it is, when it has no counterpart. */
export function zodV3ToJsonSchema(schema: unknown, where: string): Json {
  const definition = (schema as { _def: Definition })._def;
  const kind = String(definition.typeName);
  const convert = KINDS[kind];
  if (!convert) {
    throw new Error(
      `${where}: a ${kind} cannot be told as JSON Schema; pass JSON Schema as the tool's parameters instead`,
    );
  }
  const json = convert(definition, where);
  const description = definition.description as unknown;
  return typeof description === "string" ? { ...json, description } : json;
}

const inner = (definition: Definition, where: string) =>
  zodV3ToJsonSchema(definition.innerType ?? definition.schema, where);

const KINDS: Record<string, (definition: Definition, where: string) => Json> = {
  ZodString: (definition) => ({ type: "string", ...checksOf(definition, STRING_CHECKS) }),
  ZodNumber: (definition) => {
    const { integer, ...checks } = checksOf(definition, NUMBER_CHECKS);
    return { type: integer ? "integer" : "number", ...checks };
  },
  ZodBigInt: () => ({ type: "integer" }),
  ZodBoolean: () => ({ type: "boolean" }),
  ZodDate: () => ({ type: "string", format: "date-time" }),
  ZodNull: () => ({ type: "null" }),
  ZodAny: () => ({}),
  ZodUnknown: () => ({}),
  ZodLiteral: ({ value }) => ({ const: value }),
  ZodEnum: ({ values }) => ({ type: "string", enum: values }),
  ZodNativeEnum: ({ values }) => ({ enum: enumValues(values) }),
  ZodObject: objectOf,
  ZodArray: ({ type, minLength, maxLength, exactLength }, where) => ({
    type: "array",
    items: zodV3ToJsonSchema(type, `${where}[]`),
    ...bound("minItems", exactLength ?? minLength),
    ...bound("maxItems", exactLength ?? maxLength),
  }),
  ZodTuple: ({ items, rest }, where) => ({
    type: "array",
    prefixItems: items.map((item: unknown, index: number) => zodV3ToJsonSchema(item, `${where}[${index}]`)),
    minItems: items.length,
    items: rest ? zodV3ToJsonSchema(rest, `${where}[]`) : false,
  }),
  ZodRecord: ({ valueType }, where) => ({
    type: "object",
    additionalProperties: zodV3ToJsonSchema(valueType, `${where}.*`),
  }),
  ZodUnion: ({ options }, where) => ({
    anyOf: options.map((option: unknown) => zodV3ToJsonSchema(option, where)),
  }),
  ZodDiscriminatedUnion: ({ options }, where) => ({
    anyOf: [...options.values()].map((option) => zodV3ToJsonSchema(option, where)),
  }),
  ZodIntersection: ({ left, right }, where) => ({
    allOf: [zodV3ToJsonSchema(left, where), zodV3ToJsonSchema(right, where)],
  }),
  ZodOptional: inner,
  ZodNullable: (definition, where) => ({ anyOf: [inner(definition, where), { type: "null" }] }),
  ZodDefault: (definition, where) => ({ ...inner(definition, where), default: definition.defaultValue() }),
  ZodCatch: inner,
  ZodBranded: ({ type }, where) => zodV3ToJsonSchema(type, where),
  ZodReadonly: inner,
  ZodEffects: inner,
  ZodPipeline: (definition, where) => zodV3ToJsonSchema(definition.in, where),
};

function objectOf(definition: Definition, where: string): Json {
  const shape = definition.shape() as Record<string, { isOptional: () => boolean }>;
  const entries = Object.entries(shape);
  const required = entries.filter(([, value]) => !value.isOptional()).map(([name]) => name);
  const rest = definition.catchall?._def.typeName as string;
  return {
    type: "object",
    properties: Object.fromEntries(
      entries.map(([name, value]) => [name, zodV3ToJsonSchema(value, `${where}.${name}`)]),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties:
      rest === "ZodNever"
        ? definition.unknownKeys === "passthrough"
        : zodV3ToJsonSchema(definition.catchall, where),
  };
}

type Check = { kind: string; value?: unknown; inclusive?: boolean; regex?: RegExp };

const STRING_CHECKS: Record<string, (check: Check) => Json> = {
  min: ({ value }) => ({ minLength: value }),
  max: ({ value }) => ({ maxLength: value }),
  length: ({ value }) => ({ minLength: value, maxLength: value }),
  email: () => ({ format: "email" }),
  url: () => ({ format: "uri" }),
  uuid: () => ({ format: "uuid" }),
  datetime: () => ({ format: "date-time" }),
  date: () => ({ format: "date" }),
  regex: ({ regex }) => ({ pattern: regex?.source }),
};

const NUMBER_CHECKS: Record<string, (check: Check) => Json> = {
  int: () => ({ integer: true }),
  min: ({ value, inclusive }) => (inclusive ? { minimum: value } : { exclusiveMinimum: value }),
  max: ({ value, inclusive }) => (inclusive ? { maximum: value } : { exclusiveMaximum: value }),
  multipleOf: ({ value }) => ({ multipleOf: value }),
};

/** Checks that JSON Schema has no word for are left to the handler. */
function checksOf({ checks = [] }: Definition, known: Record<string, (check: Check) => Json>): Json {
  return Object.assign({}, ...(checks as Check[]).map((check) => known[check.kind]?.(check)));
}

function bound(name: string, limit: { value: number } | null | undefined): Json {
  return limit ? { [name]: limit.value } : {};
}

/** The values of a TypeScript enum, without the reverse entries of a numeric one. */
function enumValues(values: Record<string, string | number>): (string | number)[] {
  return Object.entries(values)
    .filter(([key]) => typeof values[values[key] as string] !== "number")
    .map(([, value]) => value);
}
